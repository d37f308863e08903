"""Leads from an entry of the audit log to the page of what it is about."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from deployments.models import Deploy, Deployment, ImpactSource, Incident, ManualChange
from orgs.access import MemberRequest, member_page
from orgs.models import Environment, Invitation, Membership, Organization, Project
from orgs.roles import Permission
from tokens.models import AccessToken

# By the ``subject_type`` of an event: the rows of an organization, and a row's route with what follows the
# organization's slug.
PAGES: dict[str, tuple[Callable[[Organization], Any], Callable[[Any], tuple[Any, ...]]]] = {
    "organization": (lambda own: Organization.objects.filter(pk=own.pk), lambda row: ("organization-settings",)),
    "user": (lambda own: Membership.objects.filter(organization=own), lambda row: ("member", row.pk)),
    "membership": (lambda own: Membership.objects.filter(organization=own), lambda row: ("member", row.pk)),
    "invitation": (lambda own: Invitation.objects.filter(organization=own), lambda row: ("members",)),
    "access token": (lambda own: AccessToken.objects.filter(organization=own), lambda row: ("token", row.pk)),
    "project": (lambda own: Project.all_objects.filter(organization=own), lambda row: ("project", row.slug)),
    "environment": (
        lambda own: Environment.all_objects.filter(project__organization=own).select_related("project"),
        lambda row: ("environment-timeline", row.project.slug, row.slug),
    ),
    "deployment": (lambda own: Deployment.all_objects.filter(organization=own), lambda row: ("deployment", row.slug)),
    "impact source": (
        lambda own: ImpactSource.all_objects.filter(organization=own).select_related("project"),
        lambda row: ("impact-source", row.project.slug, row.pk),
    ),
    "incident": (
        lambda own: Incident.objects.filter(organization=own).select_related("project"),
        lambda row: ("impact-source", row.project.slug, row.source_id),
    ),
    "deploy": (lambda own: Deploy.all_objects.filter(organization=own), lambda row: ("deploy-page", row.pk)),
    "manual change": (
        lambda own: ManualChange.all_objects.filter(organization=own),
        lambda row: ("manual-change-page", row.pk),
    ),
}
# Deleted rows of these have no page but the list of what can be restored.
LISTED_WHEN_DELETED = ("project", "environment", "deployment", "impact source")


@member_page(Permission.VIEW_AUDIT_LOG)
def audited(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """``kind`` is a key of PAGES with hyphens for blanks."""
    kind = kind.replace("-", " ")
    if kind not in PAGES:
        raise Http404
    rows, page_of_row = PAGES[kind]
    key = "user" if kind == "user" else "pk"
    row = get_object_or_404(rows(request.organization), **{key: pk})
    if kind in LISTED_WHEN_DELETED and row.deleted_at:
        deleted = redirect("deleted", request.organization.slug)
        deleted["Location"] += f"?kind={kind.replace(' ', '-')}s"
        return deleted
    route, *arguments = page_of_row(row)
    return redirect(route, request.organization.slug, *arguments)
