"""Pages of projects and their environments, and of what was deleted."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments.impacts.queries import deleted_sources
from deployments.impacts.sources import restore_impact_source
from deployments.pages import find_environment, find_project
from deployments.request_log.queries import rejected_today_of
from deployments.setup import deletion, queries
from deployments.setup.forms import EnvironmentForm, NewEnvironmentForm, NewProjectForm, ProjectForm
from orgs import deletion as orgs_deletion
from orgs import services
from orgs.access import MemberRequest, member_page
from orgs.models import Organization
from orgs.pages import errors_as_messages, errors_in, offer_undo, page_of
from orgs.queries import promotion_path
from orgs.roles import Permission, role_allows
from orgs.services import NewEnvironment
from orgs.short_lived import short_lived_environments


@member_page(Permission.VIEW)
def projects(request: MemberRequest) -> HttpResponse:
    page = page_of(queries.projects_with_summary(request.organization), after=request.GET.get("after", ""), size=20)
    return render(request, "setup/projects.html", {"page": page})


@member_page(Permission.MANAGE_PROJECTS)
def new_project(request: MemberRequest) -> HttpResponse:
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            project = services.create_project(organization=request.organization, **form.cleaned_data)
            messages.success(request, f"{project} is created.")
            return redirect("project", request.organization.slug, project.slug)
    return render(request, "setup/new_project.html", {"form": form})


@member_page(Permission.VIEW)
def project(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    # PostgreSQL rejects NUL.
    search = request.GET.get("q", "").replace("\0", "").strip()[:100]
    page = page_of(queries.project_deployments(found, search=search), after=request.GET.get("after", ""))
    context = {
        "project": found,
        "environments": promotion_path(found, with_aliases=True),
        "short_lived": short_lived_environments(found),
        "page": page,
        "search": search,
        "rejected_today": rejected_today_of(request, page.rows),
    }
    return render(request, "setup/project.html", context)


@member_page(Permission.MANAGE_PROJECTS)
def project_settings(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    form = ProjectForm(request.POST or None, initial={name: getattr(found, name) for name in ProjectForm.base_fields})
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            services.update_project(project=found, **form.cleaned_data)
            messages.success(request, f"{found} is saved.")
            return redirect("project-settings", request.organization.slug, found.slug)
    context = {"project": found, "form": form, "deployment_count": queries.project_deployments(found).count()}
    return render(request, "setup/project_settings.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_project(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    deletion.delete_project(project=found)
    undo = reverse("restore-project", args=[request.organization.slug, found.pk])
    offer_undo(request, f"{found} is deleted, with its deployments and environments.", undo)
    return redirect("projects", request.organization.slug)


# --- What was deleted ---


class Deleted(NamedTuple):
    """Rows of one kind. ``page`` gives the route of a restored row and the arguments that follow the organization."""

    rows: Callable[[Organization], QuerySet[Any]]
    restore: Callable[[Any], None]
    page: Callable[[Any], tuple[Any, ...]]


DELETED = {
    "projects": Deleted(
        queries.deleted_projects,
        lambda row: deletion.restore_project(project=row),
        lambda row: ("project", row.slug),
    ),
    "environments": Deleted(
        queries.deleted_environments,
        lambda row: orgs_deletion.restore_environment(environment=row),
        lambda row: ("project", row.project.slug),
    ),
    "deployments": Deleted(
        queries.deleted_deployments,
        lambda row: deletion.restore_deployment(deployment=row),
        lambda row: ("deployment-settings", row.slug),
    ),
    "impact-sources": Deleted(
        deleted_sources,
        lambda row: restore_impact_source(source=row),
        lambda row: ("impact-source", row.project.slug, row.pk),
    ),
}


# Kinds that who may register restores, on pages of their own.
DELETED_HISTORY: dict[str, Callable[[Organization], QuerySet[Any]]] = {
    "deploys": queries.deleted_deploys,
    "manual-changes": queries.deleted_manual_changes,
}


@member_page(Permission.REGISTER)
def deleted(request: MemberRequest) -> HttpResponse:
    """What the member may restore."""
    kinds = dict(DELETED_HISTORY)
    if role_allows(request.membership.role, Permission.MANAGE_PROJECTS):
        kinds = {kind: listed.rows for kind, listed in DELETED.items()} | kinds
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds else next(iter(kinds))
    page = page_of(kinds[kind](request.organization), after=request.GET.get("after", ""), by="-deleted_at")
    context = {"kinds": [(each, each.replace("-", " ").capitalize()) for each in kinds], "kind": kind, "page": page}
    return render(request, "setup/deleted.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def restore(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    found = get_object_or_404(DELETED[kind].rows(request.organization), pk=pk)
    with errors_as_messages(request):
        DELETED[kind].restore(found)
        messages.success(request, f"{found} is restored.")
        route, *names = DELETED[kind].page(found)
        return redirect(route, request.organization.slug, *names)
    return redirect(f"{reverse('deleted', args=[request.organization.slug])}?kind={kind}")


# --- A project's environments ---


@member_page(Permission.MANAGE_PROJECTS)
def new_environment(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    form = NewEnvironmentForm(
        request.POST or None,
        # A rejected call leads here with the name that it sent.
        initial={
            "name": request.GET.get("name", "")[:100],
            "colour": services.colour_at(services.next_position(found)),
        },
    )
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            environment = services.create_environment(project=found, new=NewEnvironment(**form.cleaned_data))
            messages.success(request, f"{environment} is created. It is the last one in the promotion path.")
            return redirect("project", request.organization.slug, found.slug)
    return render(request, "setup/new_environment.html", {"project": found, "form": form})


@member_page(Permission.MANAGE_PROJECTS)
def environment_settings(request: MemberRequest, project: str, environment: str) -> HttpResponse:
    found = find_environment(request, project, environment)
    initial = {name: getattr(found, name) for name in EnvironmentForm.base_fields}
    form = EnvironmentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            services.update_environment(environment=found, **form.cleaned_data)
            messages.success(request, f"{found} is saved.")
            return redirect("project", request.organization.slug, project)
    context = {"project": found.project, "environment": found, "form": form}
    return render(request, "setup/environment_settings.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def default_environment(request: MemberRequest, project: str, environment: str) -> HttpResponse:
    found = find_environment(request, project, environment)
    with errors_as_messages(request):
        services.set_default_environment(environment=found)
        messages.success(request, f"{found} is the default now. Calls that name no environment go there.")
    return redirect("project", request.organization.slug, project)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def order_environments(request: MemberRequest, project: str) -> HttpResponse:
    """``up`` or ``down`` names one environment to move; otherwise ``environment`` lists all in their new order."""
    found = find_project(request, project)
    known = {environment.slug: environment for environment in promotion_path(found)}
    with errors_as_messages(request):
        if moved := known.get(request.POST.get("up", "")):
            services.move_environment(environment=moved, towards_end=False)
        elif moved := known.get(request.POST.get("down", "")):
            services.move_environment(environment=moved, towards_end=True)
        else:
            listed = dict.fromkeys(slug for slug in request.POST.getlist("environment") if slug in known)
            services.order_environments(project=found, environments=[known[slug] for slug in listed])
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx sets it
        context = {"project": found, "environments": promotion_path(found, with_aliases=True)}
        return render(request, "setup/_environments.html", context)
    return redirect("project", request.organization.slug, project)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_environment(request: MemberRequest, project: str, environment: str) -> HttpResponse:
    found = find_environment(request, project, environment)
    with errors_as_messages(request):
        orgs_deletion.delete_environment(environment=found)
        undo = reverse("restore-environment", args=[request.organization.slug, found.pk])
        offer_undo(request, f"{found} is deleted. Its deploys stay in the history.", undo)
    return redirect("project", request.organization.slug, project)
