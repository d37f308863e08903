"""Pages that create, change, move and delete a code deployment."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments.pages import find_deployment
from deployments.setup import deletion, moving, services
from deployments.setup.forms import BranchForm, DeploymentForm, MoveForm, NewDeploymentForm
from orgs.access import MemberRequest, member_page
from orgs.models import Project
from orgs.pages import errors_in, offer_undo
from orgs.queries import promotion_path
from orgs.roles import Permission


@member_page(Permission.MANAGE_PROJECTS)
def new_deployment(request: MemberRequest) -> HttpResponse:
    choices = active_projects(request)
    # A project leads here, and a rejected call with the name that it sent.
    initial = {name: request.GET.get(name, "")[:100] for name in ("project", "name")} | {
        "repository_provider": "github"
    }
    form = NewDeploymentForm(request.POST or None, projects=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            deployment = services.create_deployment(
                project=form.cleaned_data["project"], slug=form.cleaned_data["slug"], **form.fields_to_store()
            )
            messages.success(request, f"{deployment} is created. Now let your CI register its deploys.")
            return redirect("deployment-setup", request.organization.slug, deployment.slug)
    return render(request, "setup/new_deployment.html", {"form": form, "projects": choices})


@member_page(Permission.MANAGE_PROJECTS)
def deployment_settings(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    data = request.POST if request.method == "POST" else None
    form = DeploymentForm(data, initial={name: getattr(found, name) for name in DeploymentForm.base_fields})
    targets = {target.environment_id: target for target in found.targets.all()}
    branches = [
        BranchForm(data, environment=environment, target=targets.get(environment.pk))
        for environment in promotion_path(found.project)
    ]
    # Validates every form before looking at the results, so that all errors are shown at once.
    if data is not None and False not in [each.is_valid() for each in (form, *branches)]:
        with errors_in(form):
            services.change_deployment(
                deployment=found,
                fields=form.fields_to_store(),
                branches={branch.environment: branch.cleaned_data["mapping"] for branch in branches},
            )
            messages.success(request, f"{found} is saved.")
            return redirect("deployment-settings", request.organization.slug, found.slug)
    context = {"deployment": found, "form": form, "branches": branches}
    return render(request, "setup/deployment_settings.html", context)


@member_page(Permission.MANAGE_PROJECTS)
def move_deployment(request: MemberRequest, deployment: str) -> HttpResponse:
    """GET with a project shows what the move would do; POST does it."""
    found = find_deployment(request, deployment)
    others = [project for project in active_projects(request) if project != found.project]
    form = MoveForm(request.POST or request.GET or None, projects=others)
    context = {"deployment": found, "form": form, "others": others}
    if form.is_bound and form.is_valid():
        project = form.cleaned_data["project"]
        if request.method == "POST":
            with errors_in(form):
                moving.move_deployment(deployment=found, project=project)
                messages.success(request, f"{found} is in {project} now.")
                return redirect("deployment-settings", request.organization.slug, found.slug)
        if form.errors:
            # It may have been deleted since.
            return render(request, "setup/move_deployment.html", context)
        context |= {"project": project, "plan": moving.plan_move(deployment=found, project=project)}
    return render(request, "setup/move_deployment.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_deployment(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    deletion.delete_deployment(deployment=found)
    undo = reverse("restore-deployment", args=[request.organization.slug, found.pk])
    offer_undo(request, f"{found} is deleted. Calls that register a deploy of it are rejected.", undo)
    return redirect("project", request.organization.slug, found.project.slug)


def active_projects(request: MemberRequest) -> list[Project]:
    return list(Project.objects.filter(organization=request.organization).order_by("name", "pk"))
