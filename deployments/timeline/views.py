"""The lines of a timeline: days, deploys, manual changes, and the brackets that join a rollback with what it undid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateformat import format as format_date

from deployments.models import Deploy, ManualChange
from deployments.pages import changes_path, deploys_path, has_seen, wants_part
from deployments.timeline.entries import EntryPage, fingerprint, read_entries
from deployments.timeline.export import FORMATS, every_entry, export_response
from deployments.timeline.forms import TimelineForm, TimelineScope
from deployments.timeline.pager import Entry, EntryKey
from deployments.timeline.queries import Undone, undone_by
from orgs.access import MemberRequest, member_page
from orgs.models import Environment, Project
from orgs.roles import Permission

MOST_LANES = 3


@dataclass(slots=True)
class TimelineRow:
    """``lanes`` has the part of each bracket that stands before the line: start, through, hit, end or nothing."""

    lanes: list[str]


@dataclass(slots=True)
class DayRow(TimelineRow):
    label: str


@dataclass(slots=True)
class DeployRow(TimelineRow):
    deploy: Deploy
    state: str
    word: str
    undone: Undone | None = None


@dataclass(slots=True)
class ChangeRow(TimelineRow):
    change: ManualChange


@dataclass(frozen=True, slots=True)
class TimelineRows:
    lines: list[TimelineRow] = field(default_factory=list)
    lane_count: int = 0


def timeline_rows(entries: Sequence[Entry], *, zone: ZoneInfo, now: datetime) -> TimelineRows:
    """``entries`` are the newest first."""
    undone = undone_by([entry for entry in entries if isinstance(entry, Deploy)])
    lanes = brackets(entries)
    today = now.astimezone(zone).date()
    lines: list[TimelineRow] = []
    day = None
    for entry, parts in zip(entries, lanes, strict=True):
        happened_on = EntryKey.of(entry).at.astimezone(zone).date()
        if happened_on != day:
            day = happened_on
            lines.append(DayRow([continued(part) for part in parts], name_of_day(day, today)))
        if isinstance(entry, ManualChange):
            lines.append(ChangeRow(parts, entry))
        else:
            state, word = state_of(entry)
            lines.append(DeployRow(parts, entry, state, word, undone.get(entry.id)))
    return TimelineRows(lines, len(lanes[0]) if lanes else 0)


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
    scope = {deploy.id: index for index, deploy in deploys.items()}
    hits: dict[int, list[int]] = {}
    for index, deploy in deploys.items():
        start = scope.get(deploy.rolled_back_by_id or 0)
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


@member_page(Permission.VIEW)
def timeline(request: MemberRequest) -> HttpResponseBase:
    return show_timeline(request, TimelineScope(organization=request.organization), "timeline/timeline.html")


@member_page(Permission.VIEW)
def project_timeline(request: MemberRequest, project: str) -> HttpResponseBase:
    scope = TimelineScope(
        organization=request.organization,
        project=get_object_or_404(Project.objects.filter(organization=request.organization), slug=project),
    )
    return show_timeline(request, scope, "timeline/timeline.html")


@member_page(Permission.VIEW)
def environment_timeline(request: MemberRequest, project: str, environment: str) -> HttpResponseBase:
    environments = Environment.objects.select_related("project").filter(
        project__organization=request.organization, project__deleted_at=None
    )
    found = get_object_or_404(environments, project__slug=project, slug=environment)
    scope = TimelineScope(organization=request.organization, project=found.project, environment=found)
    return show_timeline(request, scope, "timeline/timeline.html")


def show_timeline(
    request: MemberRequest, scope: TimelineScope, template: str, more: Callable[[], dict[str, Any]] = dict
) -> HttpResponseBase:
    """The whole page with ``more`` in its context; to htmx its list alone, or 204 where nothing has come since the
    list it has. ``?format=csv`` and ``?format=jsonl`` give all that the filters leave."""
    form = TimelineForm(request.GET, scope=scope)
    before, after = (EntryKey.parse(request.GET.get(name, "")) for name in ("before", "after"))
    filters = form.filters() if form.is_valid() else None
    if filters and (wanted := request.GET.get("format")) in FORMATS:
        return export_response(wanted, every_entry(filters), organization_slug=request.organization.slug)
    is_first_page = before is None and after is None
    wants_list = wants_part(request)
    seen = f'"{fingerprint(filters)}"' if filters and is_first_page else ""
    if has_seen(request, seen):
        return HttpResponse(status=204)
    page = read_entries(filters, before=before, after=after) if filters else EntryPage()
    now = timezone.now()
    context = {
        **more(),
        "form": form,
        "deploys_path": deploys_path(request.organization),
        "changes_path": changes_path(request.organization),
        "scope": scope,
        "timeline": timeline_rows(page.entries, zone=form.zone, now=now),
        "page": page,
        "seen": seen,
        "wants_list": wants_list,
        "is_filtered": next(form.chips(), None) is not None,
    }
    return render(request, "timeline/_timeline.html" if wants_list else template, context)
