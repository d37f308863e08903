"""Writing impact sources and the values of custom metrics."""

import math
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from deployments.errors import InvalidField, MetricTooSoon, UnknownImpactSource
from deployments.models import ImpactKind, ImpactSource, MetricValue
from orgs import audit
from orgs.deletion import restore_row
from orgs.models import Environment
from orgs.rows import lock_active, lock_row, save_with_slug
from orgs.services import save_changes


def register_path(source: ImpactSource) -> str:
    """The path to report to. For incidents, a caller that cannot send a header appends the token as a last segment."""
    if source.is_metric:
        return reverse("register-metric", args=[source.pk])
    slugs = [source.organization.slug, source.project.slug, source.environment.slug, source.slug]
    return reverse("register-incident", args=slugs)


# --- Impact sources ---


@transaction.atomic
def create_impact_source(*, environment: Environment, kind: ImpactKind, name: str, slug: str = "") -> ImpactSource:
    """Kind, slug and environment cannot be changed later, because callers use them."""
    project = lock_active(environment.project)
    source = ImpactSource(
        organization=project.organization,
        project=project,
        environment=lock_active(environment),
        kind=kind,
        name=name,
    )
    save_with_slug(source, slug=slug, among=ImpactSource.objects.filter(environment=environment))
    changes = {"name": name, "slug": source.slug, "kind": source.kind}
    record("impact_source.created", source, **changes)
    return source


@transaction.atomic
def rename_impact_source(*, source: ImpactSource, name: str) -> None:
    audit.record_changes("impact_source.changed", source, save_changes(source, {"name": name}))


@transaction.atomic
def delete_impact_source(*, source: ImpactSource) -> None:
    """Keeps what was reported to it. From now on, calls to it are rejected."""
    source = lock_row(source)
    if source.deleted_at is None:
        source.deleted_at = timezone.now()
        source.save(update_fields=["deleted_at", "updated_at"])
        record("impact_source.deleted", source)


@transaction.atomic
def restore_impact_source(*, source: ImpactSource) -> None:
    """Raises ValidationError if its environment is deleted or another source has its slug now."""
    lock_active(source.project)
    lock_active(source.environment)
    source = lock_row(source)
    if source.deleted_at:
        restore_row(source)
        record("impact_source.restored", source)


def record(action: str, source: ImpactSource, **changes: str) -> None:
    scope = {"project": source.project.name, "environment": source.environment.name}
    audit.record(action, source, changes=changes | scope)


def check_kind(source: ImpactSource, kind: ImpactKind) -> None:
    """Raises ValidationError if the source is of another kind."""
    if source.kind != kind:
        raise ValidationError(
            {"kind": f"{source} is of kind {source.kind}, which cannot be changed: choose another slug."}
        )


# --- Values of custom metrics ---

INTERVAL = timedelta(seconds=120)
# These are Sleuth's texts; clients compare them.
NO_METRIC_SOURCE = "MetricImpactSource Not Found"
TOO_SOON = "You may only register a custom metric once every 120 seconds"


@transaction.atomic
def record_metric_value(
    *, source: ImpactSource, value: float, measured_at: datetime | None, now: datetime, token_id: int | None = None
) -> MetricValue:
    """Raises InvalidField for a date before the source was created, MetricTooSoon and UnknownImpactSource.

    The interval is measured between arrivals. If several callers arrive at once, the conditional update lets only one
    of them through.
    """
    # In whole seconds, because most clients send those.
    if measured_at and measured_at < source.created_at.replace(microsecond=0):
        raise InvalidField(
            f"date is older than the impact source, which was created on {source.created_at:%Y-%m-%d at %H:%M:%S} UTC: "
            "send only values that were measured later."
        )
    this = ImpactSource.objects.filter(pk=source.pk)
    # A clock that was ahead when the last value came must not keep others out until then.
    is_ahead = Q(last_value_at__gt=now + INTERVAL)
    free = this.filter(Q(last_value_at=None) | Q(last_value_at__lte=now - INTERVAL) | is_ahead)
    if not free.update(last_value_at=now):
        raise why_rejected(this.values_list("last_value_at", flat=True).first(), now)
    return MetricValue.objects.create(
        source=source, value=value, measured_at=min(measured_at or now, now), created_at=now, token_id=token_id
    )


def why_rejected(last_value_at: datetime | None, now: datetime) -> MetricTooSoon | UnknownImpactSource:
    if last_value_at is None:
        return UnknownImpactSource(NO_METRIC_SOURCE)
    seconds = math.ceil((last_value_at + INTERVAL - now).total_seconds())
    # Within bounds, because the clocks of several servers differ.
    return MetricTooSoon(TOO_SOON, wait=min(max(1, seconds), int(INTERVAL.total_seconds())))
