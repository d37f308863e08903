"""Pages that record, show, edit, delete and restore a manual change."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments.manual_changes import services
from deployments.manual_changes.forms import ManualChangeForm, initial_of
from deployments.models import ManualChange
from deployments.pages import choose_environment, find_project
from deployments.request_log.queries import call_of_manual_change
from deployments.timeline.queries import with_related
from orgs.access import MemberRequest, member_page
from orgs.pages import errors_in, offer_undo
from orgs.queries import promotion_path
from orgs.roles import Permission


def find_change(request: MemberRequest, pk: int) -> ManualChange:
    """A deleted one, too, because its page offers to restore it."""
    changes = with_related(ManualChange.all_objects.filter(organization=request.organization))
    return get_object_or_404(changes.select_related("token"), pk=pk)


def redirect_to(change: ManualChange) -> HttpResponse:
    return redirect("manual-change-page", organization=change.organization.slug, change=change.pk)


@member_page(Permission.REGISTER)
def new_manual_change(request: MemberRequest, project: str) -> HttpResponse:
    """``?environment=`` is the slug of the environment to preselect."""
    found = find_project(request, project)
    environments = promotion_path(found, with_short_lived=True)
    preselected = choose_environment(environments, request.GET.get("environment", ""))
    form = ManualChangeForm(
        request.POST or None,
        environments=environments,
        zone=ZoneInfo(request.organization.time_zone),
        initial={"environment": str(preselected.pk), "author": request.user.email},
    )
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            change = services.register_manual_change(
                environment=form.cleaned_data["environment"], fields=form.fields_to_store(), member=request.user
            )
            messages.success(request, "The manual change is recorded.")
            return redirect_to(change)
    return render(request, "manual_changes/new_manual_change.html", {"project": found, "form": form})


@member_page(Permission.VIEW)
def manual_change_page(request: MemberRequest, change: int) -> HttpResponse:
    found = find_change(request, change)
    context = {"change": found, "call": call_of_manual_change(found)}
    return render(request, "manual_changes/manual_change.html", context)


@member_page(Permission.REGISTER)
def edit_manual_change(request: MemberRequest, change: int) -> HttpResponse:
    found = find_change(request, change)
    environments = promotion_path(found.project, with_short_lived=True)
    if found.environment not in environments:
        # Its environment was deleted; editing must not force a choice of another one.
        environments.append(found.environment)
    form = ManualChangeForm(
        request.POST or None,
        environments=environments,
        zone=ZoneInfo(request.organization.time_zone),
        change=found,
        initial=initial_of(found),
    )
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            services.change_manual_change(
                change=found, environment=form.cleaned_data["environment"], fields=form.fields_to_store()
            )
            messages.success(request, "The manual change is saved.")
            return redirect_to(found)
    return render(request, "manual_changes/edit_manual_change.html", {"change": found, "form": form})


@member_page(Permission.REGISTER)
@require_POST
def delete_manual_change(request: MemberRequest, change: int) -> HttpResponse:
    found = find_change(request, change)
    services.delete_manual_change(change=found)
    undo = reverse("restore-manual-change", kwargs={"organization": request.organization.slug, "change": found.pk})
    offer_undo(request, f"The manual change “{found}” was deleted.", undo)
    if found.project.deleted_at:
        return redirect("timeline", organization=request.organization.slug)
    return redirect("project-timeline", organization=request.organization.slug, project=found.project.slug)


@member_page(Permission.REGISTER)
@require_POST
def restore_manual_change(request: MemberRequest, change: int) -> HttpResponse:
    found = find_change(request, change)
    services.restore_manual_change(change=found)
    messages.success(request, "The manual change is back on the timeline.")
    return redirect_to(found)
