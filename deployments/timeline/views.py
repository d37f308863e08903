"""Pages with a timeline. Its rows are days, deploys and manual changes. A bracket joins a rollback to what it undid."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateformat import format as format_date

from deployments.models import Deploy, ManualChange
from deployments.pages import changes_path, deploys_path, find_environment, find_project, has_seen, wants_part
from deployments.timeline.entries import EntryPage, fingerprint, read_entries
from deployments.timeline.export import FORMATS, every_entry, export_response
from deployments.timeline.forms import TimelineForm, TimelineScope
from deployments.timeline.pager import Entry, Key
from deployments.timeline.queries import find_undone
from orgs.access import MemberRequest, member_page
from orgs.roles import Permission

MOST_LANES = 3


def timeline_rows(entries: Sequence[Entry], *, zone: ZoneInfo, now: datetime) -> Iterator[dict[str, Any]]:
    """``entries`` are sorted newest first. A row is a day with its ``label``, a deploy or a manual change.

    ``lanes`` has, for each bracket at this row, which part of it to draw: start, through, undone, end or nothing.
    """
    undone = find_undone([entry for entry in entries if isinstance(entry, Deploy)])
    today = now.astimezone(zone).date()
    day = None
    for entry, lanes in zip(entries, draw_brackets(entries), strict=True):
        happened_on = Key.of(entry).at.astimezone(zone).date()
        if happened_on != day:
            day = happened_on
            yield {"lanes": lanes_above(lanes), "label": name_of_day(day, today)}
        if isinstance(entry, ManualChange):
            yield {"lanes": lanes, "change": entry}
        else:
            state, word = state_of(entry)
            yield {"lanes": lanes, "deploy": entry, "state": state, "word": word, "undone": undone.get(entry.id)}


def state_of(deploy: Deploy) -> tuple[str, str]:
    """A name for style sheets, and words for people."""
    if not deploy.has_succeeded:
        return deploy.status, deploy.get_status_display()
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


def lanes_above(lanes: Sequence[str]) -> list[str]:
    """The lanes of a row that is inserted above the one with these lanes."""
    return ["through" if part in ("through", "undone", "end") else "" for part in lanes]


def draw_brackets(entries: Sequence[Entry]) -> list[list[str]]:
    """The lanes of each entry's row. Brackets that would need more than MOST_LANES are left out; the words of the rows
    still name each other."""
    deploys = {index: entry for index, entry in enumerate(entries) if isinstance(entry, Deploy)}
    indexes = {deploy.id: index for index, deploy in deploys.items()}
    undone: dict[int, list[int]] = {}
    for index, deploy in deploys.items():
        rollback = indexes.get(deploy.rolled_back_by_id or 0)
        if rollback is not None:
            undone.setdefault(rollback, []).append(index)
    lanes: list[dict[int, str]] = []
    for start, rolled_back in sorted(undone.items()):
        # The first lane whose last bracket has ended.
        lane = next((lane for lane in lanes if max(lane) < start), None)
        if lane is None:
            if len(lanes) == MOST_LANES:
                continue
            lanes.append(lane := {})
        lane |= dict.fromkeys(range(start + 1, rolled_back[-1]), "through") | dict.fromkeys(rolled_back, "undone")
        lane |= {start: "start", rolled_back[-1]: "end"}
    return [[lane.get(index, "") for lane in lanes] for index in range(len(entries))]


@member_page(Permission.VIEW)
def timeline(request: MemberRequest) -> HttpResponseBase:
    return show_timeline(request, TimelineScope(organization=request.organization))


@member_page(Permission.VIEW)
def project_timeline(request: MemberRequest, project: str) -> HttpResponseBase:
    scope = TimelineScope(organization=request.organization, project=find_project(request, project))
    return show_timeline(request, scope)


@member_page(Permission.VIEW)
def environment_timeline(request: MemberRequest, project: str, environment: str) -> HttpResponseBase:
    found = find_environment(request, project, environment)
    scope = TimelineScope(organization=request.organization, project=found.project, environment=found)
    return show_timeline(request, scope)


def show_timeline(
    request: MemberRequest,
    scope: TimelineScope,
    template: str = "timeline/timeline.html",
    more: Callable[[], dict[str, Any]] = dict,
) -> HttpResponseBase:
    """The page, with ``more()`` in its context. htmx gets only the list, or 204 if nothing changed. ``?format=csv`` and
    ``?format=jsonl`` download everything that matches the filters."""
    form = TimelineForm(request.GET, scope=scope)
    before, after = (Key.parse(request.GET.get(name, "")) for name in ("before", "after"))
    filters = form.filters() if form.is_valid() else None
    if filters and (file_format := request.GET.get("format")) in FORMATS:
        return export_response(file_format, every_entry(filters), organization_slug=request.organization.slug)
    is_first_page = before is None and after is None
    seen = f'"{fingerprint(filters)}"' if filters and is_first_page else ""
    if has_seen(request, seen):
        return HttpResponse(status=204)
    page = read_entries(filters, before=before, after=after) if filters else EntryPage()
    wants_list = wants_part(request)
    context = {
        **more(),
        "form": form,
        "deploys_path": deploys_path(request.organization.slug),
        "changes_path": changes_path(request.organization.slug),
        "scope": scope,
        "rows": list(timeline_rows(page.entries, zone=form.zone, now=timezone.now())),
        "page": page,
        "seen": seen,
        "wants_list": wants_list,
        "is_filtered": any(form.active_filters()),
    }
    return render(request, "timeline/_timeline.html" if wants_list else template, context)
