"""Values of custom metrics."""

import math
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from deployments.impacts.errors import MetricTooSoon, UnknownImpactSource
from deployments.models import ImpactSource, MetricValue
from deployments.registration.errors import InvalidField

INTERVAL = timedelta(seconds=120)
# Clients compare these texts, which are Sleuth's.
NO_METRIC_SOURCE = "MetricImpactSource Not Found"
TOO_SOON = "You may only register a custom metric once every 120 seconds"


@transaction.atomic
def record_metric_value(
    *, source: ImpactSource, value: float, measured_at: datetime | None, now: datetime, token_id: int | None = None
) -> MetricValue:
    """Raises InvalidField for a date before the source was created, MetricTooSoon and UnknownImpactSource.

    The interval is that between arrivals. Of callers at once the database lets one through: the others find the
    condition of the update no longer met.
    """
    # Whole seconds, in which most clients date.
    if measured_at and measured_at < source.created_at.replace(microsecond=0):
        raise InvalidField(
            f"date is older than the impact source, which was created on {source.created_at:%Y-%m-%d at %H:%M:%S} UTC: "
            "values cannot be added for the time before."
        )
    this = ImpactSource.objects.filter(pk=source.pk)
    free = this.filter(Q(last_value_at=None) | Q(last_value_at__lte=now - INTERVAL))
    if not free.update(last_value_at=now):
        raise refusal(this.values_list("last_value_at", flat=True).first(), now)
    return MetricValue.objects.create(
        source=source, value=value, measured_at=measured_at or now, created_at=now, token_id=token_id
    )


def refusal(last_value_at: datetime | None, now: datetime) -> MetricTooSoon | UnknownImpactSource:
    if last_value_at is None:
        return UnknownImpactSource(NO_METRIC_SOURCE)
    seconds = math.ceil((last_value_at + INTERVAL - now).total_seconds())
    # Clocks of several servers differ.
    return MetricTooSoon(TOO_SOON, wait=min(max(1, seconds), int(INTERVAL.total_seconds())))
