"""A code deployment: create, change, move, delete."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments.models import Deployment
from deployments.pages import find_deployment, refusals_in, refusals_told
from deployments.setup import deletion, queries, services
from deployments.setup.forms import (
    BranchForm,
    DeploymentForm,
    MoveForm,
    NewDeploymentForm,
    branch_forms,
    initial_of_deployment,
)
from deployments.setup.moving import move_deployment as move
from deployments.setup.moving import plan_move
from orgs.access import MemberRequest, member_page
from orgs.models import Project
from orgs.pages import offer_undo
from orgs.queries import promotion_path
from orgs.roles import Permission


@member_page(Permission.MANAGE_PROJECTS)
def new_deployment(request: MemberRequest) -> HttpResponse:
    choices = active_projects(request)
    initial = {"project": request.GET.get("project", ""), "repository_provider": "github"}
    form = NewDeploymentForm(request.POST or None, projects=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            deployment = services.create_deployment(
                project=form.cleaned_data["project"], slug=form.cleaned_data["slug"], **form.fields_to_store()
            )
            messages.success(request, f"{deployment} is created. Now let your CI call.")
            return redirect("deployment-setup", request.organization.slug, deployment.slug)
    return render(request, "setup/new_deployment.html", {"form": form, "projects": choices})


@member_page(Permission.MANAGE_PROJECTS)
def deployment_settings(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    data = request.POST if request.method == "POST" else None
    form = DeploymentForm(data, initial=initial_of_deployment(found))
    branches = branch_forms(data, promotion_path(found.project), queries.targets_by_environment(found))
    # Every form is asked, so that all mistakes are shown at once.
    if data is not None and all([form.is_valid(), *(branch.is_valid() for branch in branches)]):
        with refusals_in(form):
            save(found, form, branches)
            messages.success(request, f"{found} is saved.")
            return redirect("deployment-settings", request.organization.slug, found.slug)
    context = {"deployment": found, "form": form, "branches": branches}
    return render(request, "setup/deployment_settings.html", context)


def save(deployment: Deployment, form: DeploymentForm, branches: Sequence[BranchForm]) -> None:
    services.change_deployment(
        deployment=deployment,
        fields=form.fields_to_store(),
        branches={branch.environment: branch.cleaned_data["mapping"] for branch in branches},
    )


@member_page(Permission.MANAGE_PROJECTS)
def move_deployment(request: MemberRequest, deployment: str) -> HttpResponse:
    """Choosing a project (GET) shows what would happen, POST does it."""
    found = find_deployment(request, deployment)
    others = [project for project in active_projects(request) if project != found.project]
    form = MoveForm(request.POST or request.GET or None, projects=others)
    context = {"deployment": found, "form": form, "others": others}
    if form.is_bound and form.is_valid():
        project = form.cleaned_data["project"]
        if request.method == "POST":
            with refusals_in(form):
                move(deployment=found, project=project)
                messages.success(request, f"{found} is in {project} now.")
                return redirect("deployment-settings", request.organization.slug, found.slug)
        context |= {"project": project, "plan": plan_move(deployment=found, project=project)}
    return render(request, "setup/move_deployment.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_deployment(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    deletion.delete_deployment(deployment=found)
    undo = reverse("restore-deployment", args=[request.organization.slug, found.pk])
    offer_undo(request, f"{found} is deleted. Calls that register a deploy of it are refused.", undo)
    return redirect("project", request.organization.slug, found.project.slug)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def restore_deployment(request: MemberRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.deleted_deployments(request.organization), pk=pk)
    with refusals_told(request):
        deletion.restore_deployment(deployment=found)
        messages.success(request, f"{found} is back.")
        return redirect("deployment-settings", request.organization.slug, found.slug)
    return redirect(f"{reverse('deleted', args=[request.organization.slug])}?kind=deployments")


def active_projects(request: MemberRequest) -> list[Project]:
    return list(Project.objects.filter(organization=request.organization).order_by("name", "pk"))
