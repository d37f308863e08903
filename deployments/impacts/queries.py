"""Reading impact sources, incidents and the values of metrics."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deployments.models import ImpactKind, ImpactSource, Incident, IncidentEvent, MetricValue
from deployments.timeline.pager import Key
from orgs.deletion import restorable_since
from orgs.models import Organization, Project
from orgs.slugs import is_slug

# For each incident on the page of its source.
EVENTS_SHOWN = 20
INCIDENTS_A_PAGE = 50
MOST_INCIDENTS_IN_A_CHART = 1000
MOST_BUCKETS = 360


def active_sources(organization_id: int) -> QuerySet[ImpactSource]:
    """With their projects and environments, which are active, too."""
    sources: QuerySet[ImpactSource] = ImpactSource.objects.filter(
        organization=organization_id, project__deleted_at=None, environment__deleted_at=None
    )
    return sources.select_related("organization", "project", "environment")


def find_incident_source(*, organization_id: int, project: str, environment: str, source: str) -> ImpactSource | None:
    """The case of the slugs does not matter. The environment may be named by an alias."""
    slugs = [slug.lower() for slug in (project, environment, source)]
    if not all(map(is_slug, slugs)):
        return None
    sources = active_sources(organization_id).filter(kind=ImpactKind.INCIDENT, project__slug=slugs[0], slug=slugs[2])
    found = sources.filter(environment__slug=slugs[1]).first()
    return found or sources.filter(environment__alias_rows__name=slugs[1]).first()


def find_metric_source(*, organization_id: int, source_id: int) -> ImpactSource | None:
    return active_sources(organization_id).filter(kind=ImpactKind.METRIC, pk=source_id).first()


def sources_of(project: Project) -> QuerySet[Any]:
    """Each has its environment, ``open_count`` and ``last_report_at``."""
    open_incidents = Incident.objects.filter(source=OuterRef("pk"), ended_at__isnull=True).order_by().values("source")
    newest = Incident.objects.filter(source=OuterRef("pk")).order_by("-started_at").values("started_at")[:1]
    sources: QuerySet[Any] = ImpactSource.objects.filter(project=project, environment__deleted_at=None)
    counted: QuerySet[Any] = sources.select_related("environment").annotate(
        open_count=Coalesce(Subquery(open_incidents.annotate(count=Count("pk")).values("count")), 0),
        last_report_at=Coalesce("last_value_at", Subquery(newest)),
    )
    return counted


def last_report_at(source: ImpactSource) -> datetime | None:
    """When something was last reported to it."""
    if source.is_metric:
        return source.last_value_at
    events = IncidentEvent.objects.filter(source=source)
    newest: datetime | None = events.aggregate(at=Max("created_at"))["at"]
    return newest


def deleted_sources(organization: Organization) -> QuerySet[Any]:
    """With their projects. A source that was deleted with its environment or project is restored with it."""
    return ImpactSource.all_objects.filter(
        organization=organization,
        deleted_at__gte=restorable_since(),
        project__deleted_at=None,
        environment__deleted_at=None,
    ).select_related("project", "environment")


# --- Incidents ---


def incidents_of(source: ImpactSource) -> QuerySet[Incident]:
    """Newest first, without those of a deleted source. For ``page_of(…, by="-started_at")``."""
    return Incident.objects.filter(source=source, source__deleted_at=None).order_by("-started_at", "-id")


def open_incidents(source: ImpactSource) -> QuerySet[Incident]:
    return incidents_of(source).filter(ended_at__isnull=True)


def read_incidents(
    incidents: QuerySet[Incident], *, before: Key | None = None, size: int | None = None
) -> tuple[list[Incident], Key | None]:
    """One page, newest first, with related objects, and the key of the next page, if there is one."""
    if before:
        incidents = incidents.filter(before.beyond("started_at"))
    rows = incidents.select_related("organization", "project", "environment", "source").order_by("-started_at", "-id")
    size = size or INCIDENTS_A_PAGE
    found = list(rows[: size + 1])
    page = found[:size]
    return page, Key(page[-1].started_at, False, page[-1].pk) if len(found) > size else None


def with_events(incidents: QuerySet[Incident]) -> QuerySet[Incident]:
    """Each has its first EVENTS_SHOWN events as ``shown_events``, in the order in which they happened."""
    events = IncidentEvent.objects.order_by("occurred_at", "id").select_related("token")[:EVENTS_SHOWN]
    return incidents.prefetch_related(Prefetch("events", events, to_attr="shown_events"))


def incidents_since(source: ImpactSource, moment: datetime) -> list[Incident]:
    """Incidents that were open at ``moment`` or later, newest first, at most MOST_INCIDENTS_IN_A_CHART."""
    overlapping = incidents_of(source).filter(Q(ended_at__isnull=True) | Q(ended_at__gte=moment))
    return list(overlapping[:MOST_INCIDENTS_IN_A_CHART])


# --- Values ---


@dataclass(frozen=True, slots=True)
class Bucket:
    """A summary of the values in a stretch of time that begins at ``at``."""

    at: datetime
    low: float
    mean: float
    high: float


def values_of(source: ImpactSource) -> QuerySet[MetricValue]:
    """Newest first. For ``page_of(…, by="-measured_at")``."""
    return MetricValue.objects.filter(source=source).order_by("-measured_at", "-id")


def buckets_between(source: ImpactSource, since: datetime, until: datetime) -> list[Bucket]:
    """At most MOST_BUCKETS, oldest first, for what was measured from ``since`` until before ``until``.

    Reads every value; a month has at most 21,600. Python averages, because PostgreSQL fails at very large numbers.
    """
    measured = MetricValue.objects.filter(source=source, measured_at__gte=since, measured_at__lt=until)
    rows = measured.order_by("measured_at", "id").values_list("measured_at", "value").iterator(chunk_size=2000)
    width = (until - since) / MOST_BUCKETS
    buckets = []
    for _, group in groupby(rows, key=lambda row: (row[0] - since) // width):
        moments, values = zip(*group, strict=True)
        # Divided before adding, because the sum of large numbers may be infinite.
        mean = sum(value / len(values) for value in values)
        buckets.append(Bucket(moments[0], min(values), mean, max(values)))
    return buckets
