"""The site's root, an organization's settings, and its audit log."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from orgs import queries
from orgs.access import MemberRequest, acting_for, member_page
from orgs.audit import changes_in_words, words_of_action
from orgs.csv_export import csv_response
from orgs.forms import AuditFilterForm, NewOrganizationForm, OrganizationForm
from orgs.models import AuditEvent, Membership, Organization, User
from orgs.pages import errors_in, page_of
from orgs.roles import Permission
from orgs.services import found_organization, update_organization

MOST_SUGGESTIONS = 200
# The types of subjects that have a page. The route ``audited`` leads there.
LINKED = (
    *("organization", "user", "membership", "invitation", "access token", "project", "environment", "deployment"),
    *("impact source", "incident", "deploy", "manual change"),
)


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Leads to the organization that the person visited last, or says what to do without one."""
    memberships = Membership.objects.filter(user=request.user.pk).select_related("organization")
    last = request.session.get("organization")
    membership = memberships.filter(organization=last).first() or memberships.first()
    if membership:
        return redirect("home", organization=membership.organization.slug)
    if request.user.is_superuser:
        return redirect("new-organization")
    return render(request, "orgs/no_organization.html")


@login_required
@never_cache
def new_organization(request: HttpRequest) -> HttpResponse:
    """For the operator."""
    user: User = request.user  # type: ignore[assignment]  # login_required
    if not user.is_superuser:
        raise PermissionDenied("Only superusers create organizations.")
    form = NewOrganizationForm(request.POST or None)
    if form.is_valid():
        with errors_in(form), acting_for(request):
            organization = found_organization(**form.cleaned_data, owner=user)
            messages.success(request, f"{organization} is ready.")
            return redirect("home", organization=organization.slug)
    is_first = not Organization.objects.exists()
    return render(request, "orgs/new_organization.html", {"form": form, "is_first": is_first})


@member_page(Permission.MANAGE_ORGANIZATION)
def settings(request: MemberRequest) -> HttpResponse:
    # A separate object, since the frame around a wrong form must show what is stored.
    organization = Organization.objects.get(pk=request.organization.pk)
    form = OrganizationForm(request.POST or None, instance=organization)
    if form.is_valid():
        with errors_in(form):
            update_organization(organization=request.organization, **form.cleaned_data)
            messages.success(request, "Settings saved.")
            return redirect("organization-settings", organization=request.organization.slug)
    context = {"form": form, "former_slugs": request.organization.former_slugs.order_by("-id")}
    return render(request, "orgs/settings.html", context)


@member_page(Permission.VIEW_AUDIT_LOG)
def audit_log(request: MemberRequest) -> HttpResponseBase:
    """``?after=`` is the id of the last event on the previous page. ``?format=csv`` gives all events of the filters."""
    form = AuditFilterForm(request.GET, actions=queries.audit_actions(request.organization))
    form.is_valid()
    filters = form.cleaned_data
    events = queries.audit_events(request.organization, filters)
    if request.GET.get("format") == "csv":
        return csv_response(f"{request.organization.slug}-audit-log.csv", csv_rows(events))
    people = queries.members(request.organization).order_by("email").values_list("email", flat=True)
    page = page_of(events, after=request.GET.get("after", ""), by="-id")
    context = {
        "form": form,
        "is_filtered": any(filters.values()) or bool(form.errors),
        "events": [
            {
                "event": event,
                "action": words_of_action(event.action),
                "changes": changes_in_words(event.changes),
                "subject": event.subject_type.replace(" ", "-") if event.subject_type in LINKED else "",
            }
            for event in page.rows
        ],
        "following": page.following,
        "people": list(people[:MOST_SUGGESTIONS]),
    }
    return render(request, "orgs/audit_log.html", context)


def csv_rows(events: QuerySet[AuditEvent]) -> Iterator[Sequence[Any]]:
    yield ("time", "who", "address", "action", "subject type", "subject id", "subject", "changes")
    for event in events.iterator(chunk_size=1000):
        changes = "; ".join(change.sentence for change in changes_in_words(event.changes))
        subject = (event.subject_type, event.subject_id, event.subject_label)
        yield (event.created_at.isoformat(), event.actor_label, event.address, event.action, *subject, changes)
