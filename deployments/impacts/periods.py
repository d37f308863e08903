"""From events to failure periods, whatever order the events arrived in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from deployments.models import IncidentEvent, IncidentEventType

# Of events of the same moment: Grafana OnCall's resolution is dated as its trigger.
ORDER = {IncidentEventType.TRIGGERED: 0, IncidentEventType.REOPENED: 1, IncidentEventType.RESOLVED: 2}


@dataclass(slots=True)
class Period:
    started_at: datetime
    ended_at: datetime | None = None
    events: list[IncidentEvent] = field(default_factory=list)


def periods_of(events: Iterable[IncidentEvent], *, before: Period | None = None) -> list[Period]:
    """The periods that events of one key make, in order, the one ``before`` them first. Only the last may be open.

    A trigger opens a period unless one is open, a resolution closes the open one if there is one, and a reopening goes
    on with the last one; with none before it, it is a trigger.
    """
    periods = [before] if before else []
    for event in sorted(events, key=lambda e: (e.occurred_at, ORDER[IncidentEventType(e.type)])):
        last = periods[-1] if periods else None
        is_open = last is not None and last.ended_at is None
        if event.type == IncidentEventType.RESOLVED:
            if last and is_open:
                last.ended_at = event.occurred_at
                last.events.append(event)
        elif last and (is_open or event.type == IncidentEventType.REOPENED):
            last.ended_at = None
            last.events.append(event)
        else:
            periods.append(Period(event.occurred_at, events=[event]))
    return periods
