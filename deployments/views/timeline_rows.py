"""The lines of a timeline: days, deploys, manual changes, and the brackets that join a rollback with what it undid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date

from deployments.models import Deploy, ManualChange
from deployments.queries.entry_key import Entry, EntryKey
from deployments.queries.timeline import Undone, undone_by

MOST_LANES = 3


@dataclass(slots=True)
class Line:
    """``lanes`` has the part of each bracket that stands before the line: start, through, hit, end or nothing."""

    lanes: list[str]


@dataclass(slots=True)
class DayLine(Line):
    label: str


@dataclass(slots=True)
class DeployLine(Line):
    deploy: Deploy
    state: str
    word: str
    undone: Undone | None = None


@dataclass(slots=True)
class ChangeLine(Line):
    change: ManualChange


@dataclass(frozen=True, slots=True)
class Lines:
    lines: list[Line] = field(default_factory=list)
    lane_count: int = 0


def lines_of(entries: Sequence[Entry], *, zone: ZoneInfo, now: datetime) -> Lines:
    """``entries`` are the newest first."""
    undone = undone_by([entry for entry in entries if isinstance(entry, Deploy)])
    lanes = brackets(entries)
    today = now.astimezone(zone).date()
    lines: list[Line] = []
    day = None
    for entry, parts in zip(entries, lanes, strict=True):
        happened_on = EntryKey.of(entry).at.astimezone(zone).date()
        if happened_on != day:
            day = happened_on
            lines.append(DayLine([continued(part) for part in parts], name_of_day(day, today)))
        if isinstance(entry, ManualChange):
            lines.append(ChangeLine(parts, entry))
        else:
            state, word = state_of(entry)
            lines.append(DeployLine(parts, entry, state, word, undone.get(entry.id)))
    return Lines(lines, len(lanes[0]) if lanes else 0)


def state_of(deploy: Deploy) -> tuple[str, str]:
    if deploy.is_rolled_back:
        return "undone", "Rolled back"
    is_live = deploy.target.live_deploy_id == deploy.id
    if deploy.is_rollback:
        return "rollback", "Live rollback" if is_live else "Rollback"
    if is_live:
        return "live", "Live"
    return "replaced", "Replaced"


def name_of_day(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return format_date(day, "l, j F" if day.year == today.year else "l, j F Y")


def continued(part: str) -> str:
    """What of a bracket stands between a line with this part and the one above it."""
    return "through" if part in ("through", "hit", "end") else ""


def brackets(entries: Sequence[Entry]) -> list[list[str]]:
    """For each entry the parts of the brackets before it. One that crosses MOST_LANES others is left out: the words
    of both rows name each other."""
    deploys = {index: entry for index, entry in enumerate(entries) if isinstance(entry, Deploy)}
    place = {deploy.id: index for index, deploy in deploys.items()}
    hits: dict[int, list[int]] = {}
    for index, deploy in deploys.items():
        start = place.get(deploy.rolled_back_by_id or 0)
        if start is not None:
            hits.setdefault(start, []).append(index)
    lanes: list[dict[int, str]] = []
    ends: list[int] = []
    for start, indexes in sorted(hits.items()):
        lane = next((number for number, end in enumerate(ends) if end < start), len(ends))
        if lane == MOST_LANES:
            continue
        if lane == len(ends):
            ends.append(0)
            lanes.append({})
        ends[lane] = last = indexes[-1]
        lanes[lane] |= dict.fromkeys(range(start + 1, last), "through") | dict.fromkeys(indexes, "hit")
        lanes[lane] |= {start: "start", last: "end"}
    return [[lane.get(index, "") for lane in lanes] for index in range(len(entries))]
