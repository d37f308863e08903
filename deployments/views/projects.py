"""Projects: the list, a project, its settings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments import deletion
from deployments.forms.projects import NewProjectForm, ProjectForm
from deployments.queries import projects as queries
from deployments.queries.impacts import deleted_sources
from deployments.views.finding import find_project
from deployments.views.refusals import refusals_in, refusals_told
from deployments.views.rejected import rejected_today_of
from orgs import services
from orgs.access import MemberRequest, member_page
from orgs.paging import page_of
from orgs.roles import Permission
from orgs.undo import offer_undo


@member_page(Permission.VIEW)
def projects(request: MemberRequest) -> HttpResponse:
    page = page_of(queries.projects_in_short(request.organization), after=request.GET.get("after", ""), size=20)
    return render(request, "deployments/projects.html", {"page": page})


@member_page(Permission.MANAGE_PROJECTS)
def new_project(request: MemberRequest) -> HttpResponse:
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            project = services.create_project(organization=request.organization, **form.cleaned_data)
            messages.success(request, f"{project} is created.")
            return redirect("project", request.organization.slug, project.slug)
    return render(request, "deployments/new_project.html", {"form": form})


@member_page(Permission.VIEW)
def project(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    search = text_of(request, "q")
    page = page_of(queries.project_deployments(found, search=search), after=request.GET.get("after", ""))
    context = {
        "project": found,
        "environments": queries.promotion_path(found),
        "page": page,
        "search": search,
        "rejected_today": rejected_today_of(request, page.rows),
    }
    return render(request, "deployments/project.html", context)


@member_page(Permission.MANAGE_PROJECTS)
def project_settings(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    form = ProjectForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.update_project(project=found, **form.cleaned_data)
            messages.success(request, f"{found} is saved.")
            return redirect("project-settings", request.organization.slug, found.slug)
    context = {"project": found, "form": form, "deployment_count": queries.project_deployments(found).count()}
    return render(request, "deployments/project_settings.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_project(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    deletion.delete_project(project=found)
    undo = reverse("restore-project", args=[request.organization.slug, found.pk])
    offer_undo(request, f"{found} is deleted, with its deployments and environments.", undo)
    return redirect("projects", request.organization.slug)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def restore_project(request: MemberRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.deleted_projects(request.organization), pk=pk)
    with refusals_told(request):
        deletion.restore_project(project=found)
        messages.success(request, f"{found} is back.")
        return redirect("project", request.organization.slug, found.slug)
    return redirect("deleted", request.organization.slug)


@member_page(Permission.MANAGE_PROJECTS)
def deleted(request: MemberRequest) -> HttpResponse:
    kinds = {
        "projects": queries.deleted_projects,
        "environments": queries.deleted_environments,
        "deployments": queries.deleted_deployments,
        "impact-sources": deleted_sources,
    }
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds else "projects"
    page = page_of(kinds[kind](request.organization), after=request.GET.get("after", ""), by="-deleted_at")
    return render(request, "deployments/deleted.html", {"kinds": list(kinds), "kind": kind, "page": page})


def text_of(request: HttpRequest, name: str) -> str:
    """A parameter of the address, without NUL, which PostgreSQL refuses."""
    return request.GET.get(name, "").replace("\0", "").strip()[:100]
