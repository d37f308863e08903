"""A project's environments: create, order, change, delete."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments.forms.projects import EnvironmentForm, NewEnvironmentForm, initial_of
from deployments.queries import projects as queries
from deployments.views.finding import find_environment, find_project
from deployments.views.refusals import refusals_in, refusals_told
from orgs import deletion, services
from orgs.access import MemberRequest, member_page
from orgs.roles import Permission
from orgs.services import NewEnvironment
from orgs.undo import offer_undo


@member_page(Permission.MANAGE_PROJECTS)
def new_environment(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    form = NewEnvironmentForm(
        request.POST or None, initial={"colour": services.colour_at(services.next_position(found))}
    )
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            environment = services.create_environment(project=found, new=NewEnvironment(**form.cleaned_data))
            messages.success(request, f"{environment} is created, as the last one of the promotion path.")
            return redirect("project", request.organization.slug, found.slug)
    return render(request, "deployments/new_environment.html", {"project": found, "form": form})


@member_page(Permission.MANAGE_PROJECTS)
def environment_settings(request: MemberRequest, project: str, environment: str) -> HttpResponse:
    found = find_environment(request, project, environment)
    form = EnvironmentForm(request.POST or None, initial=initial_of(found))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.update_environment(environment=found, **form.cleaned_data)
            messages.success(request, f"{found} is saved.")
            return redirect("project", request.organization.slug, project)
    context = {"project": found.project, "environment": found, "form": form}
    return render(request, "deployments/environment_settings.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def default_environment(request: MemberRequest, project: str, environment: str) -> HttpResponse:
    found = find_environment(request, project, environment)
    with refusals_told(request):
        services.set_default_environment(environment=found)
        messages.success(request, f"{found} is the default now: calls that name no environment go there.")
    return redirect("project", request.organization.slug, project)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def order_environments(request: MemberRequest, project: str) -> HttpResponse:
    """``up`` or ``down`` names one environment to move; else ``environment`` lists all in their new order."""
    found = find_project(request, project)
    known = {environment.slug: environment for environment in queries.promotion_path(found)}
    with refusals_told(request):
        if moved := known.get(request.POST.get("up", "")):
            services.move_environment(environment=moved, towards_end=False)
        elif moved := known.get(request.POST.get("down", "")):
            services.move_environment(environment=moved, towards_end=True)
        else:
            listed = dict.fromkeys(slug for slug in request.POST.getlist("environment") if slug in known)
            services.order_environments(project=found, environments=[known[slug] for slug in listed])
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx sets it
        context = {"project": found, "environments": queries.promotion_path(found)}
        return render(request, "deployments/_environments.html", context)
    return redirect("project", request.organization.slug, project)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_environment(request: MemberRequest, project: str, environment: str) -> HttpResponse:
    found = find_environment(request, project, environment)
    with refusals_told(request):
        deletion.delete_environment(environment=found)
        undo = reverse("restore-environment", args=[request.organization.slug, found.pk])
        offer_undo(request, f"{found} is deleted. Its deploys stay in the history.", undo)
    return redirect("project", request.organization.slug, project)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def restore_environment(request: MemberRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.deleted_environments(request.organization), pk=pk)
    with refusals_told(request):
        deletion.restore_environment(environment=found)
        messages.success(request, f"{found} is back.")
        return redirect("project", request.organization.slug, found.project.slug)
    return redirect(f"{reverse('deleted', args=[request.organization.slug])}?kind=environments")
