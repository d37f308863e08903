"""Recording incidents.

Tools repeat, delay and reorder their events. Each event is stored with its moment, and the incidents with the same key
are worked out again from that moment on, so that the order of arrival does not matter.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from deployments.api.dates import CLOCK_SKEW
from deployments.errors import UnknownImpactSource
from deployments.models import ImpactSource, Incident, IncidentEvent, IncidentEventType
from deployments.models.impact import MAX_INCIDENT_TITLE_LENGTH
from orgs import audit
from orgs.rows import lock_row


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """What a caller reported, normalised. ``external_id`` is the caller's id or empty; an ``occurred_at`` of None means
    now. Only a trigger may have an ``ended_at``: it reports an incident that is over, and has an earlier
    ``occurred_at``."""

    type: IncidentEventType
    external_id: str = ""
    occurred_at: datetime | None = None
    ended_at: datetime | None = None
    title: str = ""
    url: str = ""

    @property
    def resolves_all(self) -> bool:
        return self.type == IncidentEventType.RESOLVED and not self.external_id

    @property
    def key(self) -> str:
        """Identifies an incident of a source by the caller's id. Without an id, it is identified by its title, and by
        its dates if it is over."""
        if self.external_id:
            parts = ["id", self.external_id]
        elif self.occurred_at and self.ended_at:
            parts = ["past", self.occurred_at.isoformat(), self.ended_at.isoformat(), self.title]
        else:
            parts = ["title", self.title]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def as_line(title: str) -> str:
    """Shortens a long title instead of rejecting it, because alerting tools may send whole messages."""
    return " ".join(title.split())[:MAX_INCIDENT_TITLE_LENGTH]


TRIGGERED, REOPENED, RESOLVED = IncidentEventType.TRIGGERED, IncidentEventType.REOPENED, IncidentEventType.RESOLVED
# The order of events with the same date: Grafana OnCall dates a resolution as its trigger.
ORDER = {TRIGGERED: 0, REOPENED: 1, RESOLVED: 2}


@dataclass(slots=True)
class Period:
    started_at: datetime
    ended_at: datetime | None = None
    events: list[IncidentEvent] = field(default_factory=list)


def periods_of(events: Iterable[IncidentEvent], *, before: Period | None = None) -> list[Period]:
    """The failure periods that the events of one key make, in order and beginning with ``before``.

    A trigger opens a period unless one is open. A resolution closes the open period, if there is one. A reopening
    continues the last period; without one it works like a trigger. Only the last period can be open.
    """
    periods = [before] if before else []
    for event in sorted(events, key=lambda e: (e.occurred_at, ORDER[IncidentEventType(e.type)])):
        last = periods[-1] if periods else None
        is_open = last is not None and last.ended_at is None
        if event.type == RESOLVED:
            if last and is_open:
                last.ended_at = event.occurred_at
                last.events.append(event)
        elif last and (is_open or event.type == REOPENED):
            last.ended_at = None
            last.events.append(event)
        else:
            periods.append(Period(event.occurred_at, events=[event]))
    return periods


@transaction.atomic
def record_incident(
    *, source: ImpactSource, report: IncidentReport, now: datetime, token_id: int | None = None
) -> None:
    """Reports to one source wait for each other. A report that says nothing new changes nothing.

    Raises UnknownImpactSource if the source was just deleted.
    """
    if lock_row(source).deleted_at:
        raise UnknownImpactSource(f"The impact source {source.slug} was just deleted.")
    recorder = Recorder(source, report, now, token_id)
    if report.resolves_all:
        recorder.resolve_all()
    else:
        recorder.record_report()


class Recorder:
    """Stores one report while the source is locked."""

    def __init__(self, source: ImpactSource, report: IncidentReport, now: datetime, token_id: int | None) -> None:
        self.source = source
        self.report = report
        self.now = now
        self.token_id = token_id
        self.incidents = Incident.objects.filter(source=source)
        self.events = IncidentEvent.objects.filter(source=source)

    def event(self, key: str, type_: IncidentEventType, *, at: datetime, **fields: Any) -> IncidentEvent:
        texts = {"title": self.report.title, "url": self.report.url}
        return IncidentEvent(
            source=self.source,
            token_id=self.token_id,
            key=key,
            type=type_,
            occurred_at=at,
            created_at=self.now,
            **(texts | fields),
        )

    def resolve_all(self) -> None:
        """Keeps an event without a key, for incidents that began before it and are reported later."""
        date, open_incidents = self.report.occurred_at, self.incidents.filter(ended_at=None)
        is_repeated = date is not None and self.events.filter(key="", reported_at=date).exists()
        if is_repeated:
            # The first call was not about incidents that began later.
            open_incidents = open_incidents.filter(started_at__lte=date)
        ending = []
        for incident in open_incidents.annotate(newest_at=Max("events__occurred_at")).order_by("id"):
            at = self.moment_of(RESOLVED, incident)
            event = self.event(incident.key, RESOLVED, at=at, external_id=incident.external_id)
            if at < incident.newest_at:
                self.apply([event])
            else:
                ending.append((incident, event))
        self.end_incidents(ending)
        if not is_repeated:
            self.event("", RESOLVED, at=self.no_later(date), reported_at=date).save()

    def end_incidents(self, ending: Sequence[tuple[Incident, IncidentEvent]]) -> None:
        """Ends each incident by its event, in bulk, because a tool that never resolves may leave thousands open."""
        for incident, event in ending:
            event.incident = incident
            incident.ended_at, incident.updated_at = event.occurred_at, self.now
            self.add_audit_event(incident, {"ended_at": [None, incident.ended_at]})
        IncidentEvent.objects.bulk_create((event for _, event in ending), batch_size=500)
        Incident.objects.bulk_update((i for i, _ in ending), ["ended_at", "updated_at"], batch_size=500)

    def record_report(self) -> None:
        key, external_id = self.report.key, self.report.external_id
        if self.report.type == REOPENED and not external_id and (newest := self.incidents.first()):
            # Without an id, a resolution is for every open incident, and a reopening for the newest incident.
            key, external_id = newest.key, newest.external_id
        new = [
            self.event(key, type_, at=at, reported_at=date, external_id=external_id)
            for type_, at, date in self.new_events(key)
        ]
        if new:
            self.apply(new)

    def new_events(self, key: str) -> Iterator[tuple[IncidentEventType, datetime, datetime | None]]:
        """Type, moment and reported date of each event that the report adds. A repeated report adds none."""
        report, latest = self.report, self.incidents.filter(key=key).first()
        if report.type != TRIGGERED:
            yield from self.new_resolution_or_reopening(key, latest)
        elif report.occurred_at is None:
            if latest is None or not latest.is_open:
                yield TRIGGERED, self.now, None
        else:
            is_new = self.find_event(key, TRIGGERED, report.occurred_at) is None
            if is_new:
                yield TRIGGERED, self.no_later(report.occurred_at), report.occurred_at
            if report.ended_at:
                if self.find_event(key, RESOLVED, report.ended_at) is None:
                    yield RESOLVED, self.no_later(report.ended_at), report.ended_at
            elif is_new and (all_resolved_at := self.all_resolved_after(report.occurred_at)):
                yield RESOLVED, all_resolved_at, None

    def new_resolution_or_reopening(
        self, key: str, latest: Incident | None
    ) -> Iterator[tuple[IncidentEventType, datetime, datetime | None]]:
        type_, date = self.report.type, self.report.occurred_at
        known = self.find_event(key, type_, date) if date else None
        if known and (latest is None or known.incident_id != latest.id):
            # It repeats a report about an earlier incident.
            return
        at = self.moment_of(type_, latest)
        is_at_start = latest is not None and not latest.is_open and at == latest.started_at
        # A resolution from Grafana OnCall has the date of the trigger. If something else ended the incident before, it
        # would shorten the incident to nothing.
        if date and self.no_later(date) == at and (known or (type_ == RESOLVED and is_at_start)):
            return
        yield type_, at, date

    def no_later(self, date: datetime | None) -> datetime:
        """Than the arrival of the report: nothing is known of the future, and its clock may be ahead."""
        return min(date or self.now, self.now)

    def find_event(self, key: str, type_: IncidentEventType, date: datetime) -> IncidentEvent | None:
        return self.events.filter(key=key, type=type_, reported_at=date).last()

    def all_resolved_after(self, moment: datetime) -> datetime | None:
        later = self.events.filter(key="", occurred_at__gte=moment).order_by("occurred_at")
        return later.values_list("occurred_at", flat=True).first()

    def moment_of(self, type_: IncidentEventType, latest: Incident | None) -> datetime:
        """When the latest incident of a key was resolved or reopened.

        Grafana OnCall's template sends the incident's creation as the date of each event, and a trigger without a date
        is dated by its arrival. If the event would therefore not be later than the incident's start, the time between
        the arrivals of the two counts instead.
        """
        date, at = self.report.occurred_at, self.no_later(self.report.occurred_at)
        if latest is None or latest.is_open != (type_ == RESOLVED):
            return at
        if at <= latest.started_at and (date is None or self.repeats_start(latest, date)):
            elapsed = math.floor((self.now - latest.created_at).total_seconds())
            at = latest.started_at + timedelta(seconds=max(0, elapsed))
        elif date:
            return at
        newest = latest.events.aggregate(at=Max("occurred_at"))["at"]
        return max(at, newest or at)

    def repeats_start(self, incident: Incident, date: datetime) -> bool:
        """Whether ``date``, which is not after the incident's start, means that start and not an earlier failure: the
        same moment, or one that the clock of another machine may have given it."""
        ahead = incident.started_at - date
        if (
            ahead < timedelta(seconds=1)
            or incident.events.filter(occurred_at=incident.started_at, reported_at=None).exists()
        ):
            return True
        if ahead > CLOCK_SKEW or not incident.events.filter(type=TRIGGERED).exists():
            # What begins with a reopening was resolved before.
            return False
        earlier = self.incidents.filter(key=incident.key, started_at__lte=date).exclude(pk=incident.pk)
        return not earlier.filter(Q(ended_at=None) | Q(ended_at__gte=date)).exists()

    def apply(self, new: list[IncidentEvent]) -> None:
        """Works out the incidents of the events' key again, beginning with the last one that ended before them."""
        key, first_at = new[0].key, min(event.occurred_at for event in new)
        incidents, events = self.incidents.filter(key=key), self.events.filter(key=key)
        settled = incidents.filter(ended_at__lt=first_at).order_by("-ended_at", "-id").first()
        before = None
        if settled:
            before = Period(settled.started_at, settled.ended_at)
            incidents = incidents.filter(started_at__gt=settled.started_at)
            events = events.filter(occurred_at__gt=settled.ended_at)
        stored = {incident.id: incident for incident in incidents}
        for event in new:
            event.save()
        periods = periods_of(events, before=before)
        rows = [(settled if period is before else pop_incident(period, stored), period) for period in periods]
        for merged in stored.values():
            audit.record("incident.merged", merged, organization=self.source.organization)
            merged.delete()
        for incident, period in rows:
            self.store(incident, period, key)

    def store(self, incident: Incident | None, period: Period, key: str) -> None:
        created = incident is None
        incident = incident or Incident(
            organization_id=self.source.organization_id,
            project_id=self.source.project_id,
            environment_id=self.source.environment_id,
            source=self.source,
            key=key,
            external_id=period.events[0].external_id,
            created_at=self.now,
        )
        reports: list[Incident | IncidentEvent] = [incident, *period.events]
        values = {
            "started_at": period.started_at,
            "ended_at": period.ended_at,
            "title": next((item.title for item in reports if item.title), ""),
            "url": next((item.url for item in reports if item.url), ""),
        }
        changes = {
            name: [None if created else getattr(incident, name), value]
            for name, value in values.items()
            if created or getattr(incident, name) != value
        }
        if changes:
            for name, value in values.items():
                setattr(incident, name, value)
            incident.save()
            self.add_audit_event(incident, changes)
        ids = [event.id for event in period.events if event.incident_id != incident.id]
        self.events.filter(pk__in=ids).update(incident=incident)

    def add_audit_event(self, incident: Incident, changes: dict[str, list[Any]]) -> None:
        details: dict[str, Any] = {"source": self.source.name}
        for name, (before, after) in changes.items():
            if before or after:
                details[name] = [before, after] if before else after
        audit.record(f"incident.{self.report.type}", incident, organization=self.source.organization, changes=details)


def pop_incident(period: Period, stored: dict[int, Incident]) -> Incident | None:
    """The stored incident that the period belongs to, if there is one."""
    for event in period.events:
        if event.incident_id in stored:
            return stored.pop(event.incident_id)
    return None
