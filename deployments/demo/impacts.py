"""What the demo's impact sources saw: an incident for each deploy that had to be rolled back, some that no deploy made,
and a failure rate that rises while they last."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from deployments.impacts.incidents import IncidentReport, record_incident
from deployments.impacts.sources import record_metric_value
from deployments.models import Deploy, ImpactSource, IncidentEventType
from orgs.audit import Actor, acting_as
from orgs.models import Organization

TITLES = (
    "Checkout answers 5xx",
    "Payments time out",
    "Product pages are slow",
    "Error rate above 2 %",
    "Cart loses items",
)
OTHERS = ("Payment provider is down", "Database disk almost full", "CDN serves stale pages")
MEASURED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failure:
    started_at: datetime
    ended_at: datetime | None
    title: str


def report_impacts(organization: Organization, *, now: datetime, days: int, seed: str) -> None:
    # No secret comes from this randomness.
    random = Random(f"{seed} impacts")  # noqa: S311
    begun_at = now - timedelta(days=days)
    sources = ImpactSource.objects.filter(organization=organization)
    sources.update(created_at=begun_at)
    on_call, failed_checkouts = sources.get(slug="on-call"), sources.get(slug="failed-checkouts")
    failures = list(failures_of(on_call, begun_at, now, random))
    with acting_as(Actor(label="access token on-call")):
        for number, failure in enumerate(failures, start=1):
            report(on_call, failure, number)
    for moment in moments_between(begun_at, now):
        record_metric_value(
            source=failed_checkouts, value=rate_at(moment, failures, random), measured_at=moment, now=moment
        )


def failures_of(source: ImpactSource, begun_at: datetime, now: datetime, random: Random) -> Iterator[Failure]:
    """Seen some minutes after the deploy that brought it, and over soon after its rollback."""
    rollbacks = Deploy.objects.filter(environment=source.environment_id, restores__isnull=False)
    for rollback in rollbacks.order_by("deployed_at"):
        cause = Deploy.objects.filter(rolled_back_by=rollback).order_by("-deployed_at").first()
        if cause is None:
            continue
        started_at = cause.deployed_at + (rollback.deployed_at - cause.deployed_at) * random.uniform(0.2, 0.5)
        ended_at = rollback.deployed_at + timedelta(minutes=random.uniform(2, 12))
        yield Failure(started_at, ended_at, random.choice(TITLES))
    for title in OTHERS:
        started_at = begun_at + (now - begun_at) * random.uniform(0.1, 0.9)
        yield Failure(started_at, min(started_at + timedelta(minutes=random.uniform(20, 240)), now), title)
    yield Failure(now - timedelta(minutes=25), None, "Search answers slowly")


def report(source: ImpactSource, failure: Failure, number: int) -> None:
    def tell(type_: IncidentEventType, moment: datetime) -> None:
        said = IncidentReport(
            type=type_,
            external_id=f"ALERT-{300 + number}",
            occurred_at=moment,
            title=failure.title,
            url=f"https://alerts.example.com/{300 + number}",
        )
        record_incident(source=source, report=said, now=moment)

    tell(IncidentEventType.TRIGGERED, failure.started_at)
    if failure.ended_at:
        tell(IncidentEventType.RESOLVED, failure.ended_at)


def moments_between(begun_at: datetime, now: datetime) -> Iterator[datetime]:
    moment = begun_at.replace(minute=0, second=0, microsecond=0) + MEASURED_EVERY
    while moment < now:
        yield moment
        moment += MEASURED_EVERY


def rate_at(moment: datetime, failures: Sequence[Failure], random: Random) -> float:
    """In per cent: higher in the evening, when many buy, and much higher while something fails."""
    evening = 1 + 0.4 * math.cos((moment.hour - 20) / 24 * 2 * math.pi)
    rate = 0.6 * evening * random.uniform(0.8, 1.2)
    # Measured by the hour, so that a short failure weighs on the hour after it.
    if any(
        failure.started_at <= moment and (failure.ended_at or moment) > moment - MEASURED_EVERY for failure in failures
    ):
        rate += random.uniform(1.5, 5)
    return round(rate, 2)
