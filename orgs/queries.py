"""Reading members, invitations, environments and the audit log."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet

from orgs.models import AuditEvent, Environment, Invitation, Organization, Project


def members(organization: Organization) -> QuerySet[Any]:
    """With ``email``, the order of their pages."""
    return organization.memberships.select_related("user").annotate(email=F("user__email"))


def waiting_invitations(organization: Organization) -> QuerySet[Invitation]:
    """Neither accepted nor revoked. Expired ones are included, since they can be sent again."""
    return organization.invitations.filter(accepted_at=None, revoked_at=None).select_related("invited_by")


def audit_events(organization: Organization, filters: Mapping[str, Any]) -> QuerySet[AuditEvent]:
    """Newest first. ``filters`` is the cleaned data of an AuditFilterForm."""
    events = AuditEvent.objects.filter(organization=organization).order_by("-id")
    look_ups = {"person": "actor_label", "action": "action", "subject": "subject_label__icontains"}
    events = events.filter(**{look_up: filters[name] for name, look_up in look_ups.items() if filters.get(name)})
    if since := filters.get("since"):
        events = events.filter(created_at__gte=midnight(organization, since))
    if until := filters.get("until"):
        events = events.filter(created_at__lt=midnight(organization, until + timedelta(days=1)))
    return events


def midnight(organization: Organization, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(organization.time_zone))


def audit_actions(organization: Organization) -> list[str]:
    """The actions that the filter offers: those that occur."""
    events = AuditEvent.objects.filter(organization=organization)
    return sorted(events.order_by().values_list("action", flat=True).distinct())


def promotion_path(
    project: Project, *, with_aliases: bool = False, with_short_lived: bool = False
) -> list[Environment]:
    """Short-lived environments are not in it, but come after it if they are asked for."""
    path = project.environments.order_by("position", "pk")
    if not with_short_lived:
        path = path.filter(ends_at=None)
    return list(path.prefetch_related("alias_rows") if with_aliases else path)
