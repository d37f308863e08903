"""A manual change: recording one by hand, its page, editing, deleting."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments.manual_changes import services
from deployments.manual_changes.forms import ManualChangeForm, initial_of
from deployments.models import ManualChange
from deployments.pages import add_errors, find_project
from deployments.request_log.queries import call_of_manual_change
from deployments.timeline.entries import rows_of
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.pages import offer_undo
from orgs.queries import promotion_path
from orgs.roles import Permission


def manual_changes_for_page(organization_id: int) -> QuerySet[ManualChange]:
    """Deleted ones too: their page offers to bring them back."""
    changes: QuerySet[ManualChange] = ManualChange.all_objects.filter(organization=organization_id)
    return rows_of(changes).select_related("token")


def change_of(request: MemberRequest, pk: int) -> ManualChange:
    return get_object_or_404(manual_changes_for_page(request.organization.pk), pk=pk)


def to_page(change: ManualChange) -> HttpResponse:
    return redirect("manual-change-page", organization=change.organization.slug, change=change.pk)


@member_page(Permission.REGISTER)
def new_manual_change(request: MemberRequest, project: str) -> HttpResponse:
    """``?environment=`` is the slug of the one that is chosen at first."""
    found = find_project(request, project)
    environments = promotion_path(found)
    form = ManualChangeForm(
        request.POST or None,
        environments=environments,
        zone=ZoneInfo(request.organization.time_zone),
        initial={
            "environment": str(first_choice(environments, request.GET.get("environment", "")).pk),
            "author": request.user.email,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            environment = form.cleaned_data["environment"]
            change = services.register_manual_change(
                environment=environment, fields=form.fields_to_store(), member=request.user
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The manual change is recorded.")
            return to_page(change)
    return render(request, "manual_changes/new_manual_change.html", {"project": found, "form": form})


def first_choice(environments: Sequence[Environment], slug: str) -> Environment:
    """The environment of this slug, else the default one."""
    named = next((item for item in environments if item.slug == slug), None)
    return named or next((item for item in environments if item.is_default), environments[0])


@member_page(Permission.VIEW)
def manual_change_page(request: MemberRequest, change: int) -> HttpResponse:
    found = change_of(request, change)
    context = {"change": found, "call": call_of_manual_change(found)}
    return render(request, "manual_changes/manual_change.html", context)


@member_page(Permission.REGISTER)
def edit_manual_change(request: MemberRequest, change: int) -> HttpResponse:
    found = change_of(request, change)
    form = ManualChangeForm(
        request.POST or None,
        environments=environments_for(found),
        zone=ZoneInfo(request.organization.time_zone),
        change=found,
        initial=initial_of(found),
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.change_manual_change(
                change=found, environment=form.cleaned_data["environment"], fields=form.fields_to_store()
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The manual change is saved.")
            return to_page(found)
    return render(request, "manual_changes/edit_manual_change.html", {"change": found, "form": form})


def environments_for(change: ManualChange) -> list[Environment]:
    """Those of its project, and its own where that is deleted."""
    active = promotion_path(change.project)
    return active if change.environment in active else [*active, change.environment]


@member_page(Permission.REGISTER)
@require_POST
def delete_manual_change(request: MemberRequest, change: int) -> HttpResponse:
    found = change_of(request, change)
    services.delete_manual_change(change=found)
    undo = reverse("restore-manual-change", kwargs={"organization": request.organization.slug, "change": found.pk})
    offer_undo(request, f"The manual change “{found}” was deleted.", undo)
    if found.project.deleted_at:
        return redirect("timeline", organization=request.organization.slug)
    return redirect("project-timeline", organization=request.organization.slug, project=found.project.slug)


@member_page(Permission.REGISTER)
@require_POST
def restore_manual_change(request: MemberRequest, change: int) -> HttpResponse:
    found = change_of(request, change)
    services.restore_manual_change(change=found)
    messages.success(request, "The manual change is back in its place.")
    return to_page(found)
