"""All entries of a timeline, in any number, a part at a time."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from heapq import merge
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.models import Deploy, ManualChange, Tag
from deployments.timeline import entries as manual_changes
from deployments.timeline.pager import NEWEST_FIRST, EntryKey, Key
from deployments.timeline.queries import Filters
from deployments.timeline.read_api import EntriesForm, ReadView
from orgs.csv_export import csv_response, in_pieces
from orgs.text import shortened

# Looked through by one statement, so that none takes long and no transaction spans the download.
PART = 1_000

# Where a DeployEntry has its values from, between its first three and its tags.
READ_COLUMNS = (
    "project__slug",
    "deployment__slug",
    "environment__slug",
    "target__live_deploy",
    "sha",
    "version",
    "branch",
    "title",
    "author_name",
    "author_email",
    "restores",
    "rolled_back_by",
    "first_commit_at",
    "lead_time",
    "commit_count",
    "file_count",
    "pull_request_count",
    "additions",
    "deletions",
    "created_at",
)


class DeployEntry(NamedTuple):
    """Bare values, since making a Deploy and all that it belongs to took most of the time. Entries are in the order of
    their first three, which are an EntryKey's."""

    at: datetime
    is_change: bool
    id: int
    project: str
    deployment: str
    environment: str
    live_deploy_id: int | None
    sha: str
    version: str
    branch: str
    title: str
    author_name: str
    author_email: str
    restores_id: int | None
    rolled_back_by_id: int | None
    first_commit_at: datetime | None
    lead_time: int | None
    commit_count: int
    file_count: int
    pull_request_count: int
    additions: int
    deletions: int
    created_at: datetime
    tags: list[str]


class ChangeEntry(NamedTuple):
    at: datetime
    is_change: bool
    id: int
    change: ManualChange


def every_entry(filters: Filters) -> Iterator[DeployEntry | ChangeEntry]:
    """Newest first."""
    deploys = every_deploy(filters)
    if not manual_changes.admits_changes(filters):
        return deploys
    changes = every_change(filters)
    return merge(deploys, (ChangeEntry(change.changed_at, True, change.pk, change) for change in changes), reverse=True)


def every_deploy(filters: Filters) -> Iterator[DeployEntry]:
    start: Key | None = None
    while True:
        place = filters.indexed()
        if start:
            place &= start.older()
        ends = Deploy.all_objects.filter(place).order_by(*NEWEST_FIRST).values_list("deployed_at", "id")
        start = next((Key(*end) for end in ends[PART - 1 : PART]), None)
        if start:
            place &= start.not_older()
        deploys = Deploy.objects.filter(place).filter(filters.scanned()).order_by(*NEWEST_FIRST)
        rows = list(deploys.values_list("deployed_at", "id", *READ_COLUMNS))
        tags = tags_of([row[1] for row in rows])
        for at, id_, *values in rows:
            yield DeployEntry._make((at, False, id_, *values, tags.get(id_, [])))
        if start is None:
            return


def tags_of(deploy_ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for deploy_id, name in Tag.objects.filter(deploy__in=deploy_ids).values_list("deploy", "name"):
        found.setdefault(deploy_id, []).append(name)
    return found


def every_change(filters: Filters) -> Iterator[ManualChange]:
    conditions = manual_changes.place_of(filters) & manual_changes.scanned_changes(filters)
    start = Q()
    while True:
        changes = ManualChange.objects.filter(conditions, start).order_by(*manual_changes.NEWEST_FIRST)
        part = list(manual_changes.rows_of(changes)[:PART])
        yield from part
        if len(part) < PART:
            return
        start = EntryKey.of(part[-1]).older_changes()


# --- A timeline as CSV and as JSON lines ---
# What is exported of one deployment in one environment can be imported again.
# A row is what stands on the timeline; ``kind`` says what it is, and columns that its kind does not have are empty. New
# columns come last.

COLUMNS: dict[str, Callable[[DeployEntry], Any]] = {
    "kind": lambda deploy: "deploy",
    "date": lambda deploy: deploy.at,
    "project": lambda deploy: deploy.project,
    "deployment": lambda deploy: deploy.deployment,
    "environment": lambda deploy: deploy.environment,
    "sha": lambda deploy: deploy.sha,
    "version": lambda deploy: deploy.version,
    "branch": lambda deploy: deploy.branch,
    "title": lambda deploy: deploy.title,
    "author": lambda deploy: deploy.author_name,
    "email": lambda deploy: deploy.author_email,
    "tags": lambda deploy: sorted(f"#{tag}" for tag in deploy.tags),
    "live": lambda deploy: deploy.live_deploy_id == deploy.id,
    "rollback": lambda deploy: deploy.restores_id is not None,
    "rolled_back": lambda deploy: deploy.rolled_back_by_id is not None,
    "first_commit_at": lambda deploy: deploy.first_commit_at,
    "lead_time": lambda deploy: deploy.lead_time,
    "commit_count": lambda deploy: deploy.commit_count,
    "file_count": lambda deploy: deploy.file_count,
    "pull_request_count": lambda deploy: deploy.pull_request_count,
    "additions": lambda deploy: deploy.additions,
    "deletions": lambda deploy: deploy.deletions,
    "id": lambda deploy: deploy.id,
    "registered_at": lambda deploy: deploy.created_at,
}
OF_MANUAL_CHANGES: dict[str, Callable[[ManualChange], Any]] = {
    "kind": lambda change: "manual_change",
    "date": lambda change: change.changed_at,
    "project": lambda change: change.project.slug,
    "environment": lambda change: change.environment.slug,
    "title": lambda change: change.name,
    "email": lambda change: change.author_email,
    "tags": lambda change: sorted(f"#{tag}" for tag in change.tag_list),
    "id": lambda change: change.pk,
    "registered_at": lambda change: change.created_at,
}
FORMATS = ("csv", "jsonl")
JSON_LINES = "application/x-ndjson"
# Made once: json.dumps would make one for each row.
as_json = json.JSONEncoder(ensure_ascii=False).encode


def export_response(
    form: str, entries: Iterable[DeployEntry | ChangeEntry], *, organization_slug: str
) -> StreamingHttpResponse:
    """``form`` is one of FORMATS."""
    # Looking up a route for each row would take longest.
    place = {"organization": organization_slug}
    deploys_path = reverse("deploy-page", kwargs=place | {"deploy": 0}).removesuffix("0")
    changes_path = reverse("manual-change-page", kwargs=place | {"change": 0}).removesuffix("0")
    rows = (
        change_row(entry.change, changes_path) if isinstance(entry, ChangeEntry) else deploy_row(entry, deploys_path)
        for entry in entries
    )
    file_name = f"{organization_slug}-timeline.{form}"
    if form == "csv":
        return csv_response(file_name, csv_rows(rows))
    return StreamingHttpResponse(
        in_pieces(as_json(row) + "\n" for row in rows),
        content_type=JSON_LINES,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def deploy_row(deploy: DeployEntry, deploys_path: str) -> dict[str, Any]:
    return {name: plain(read(deploy)) for name, read in COLUMNS.items()} | {"url": f"{deploys_path}{deploy.id}"}


def change_row(change: ManualChange, changes_path: str) -> dict[str, Any]:
    known = {name: plain(read(change)) for name, read in OF_MANUAL_CHANGES.items()}
    return {**dict.fromkeys(COLUMNS), **known, "url": f"{changes_path}{change.pk}"}


def plain(value: Any) -> Any:
    """A date in UTC; a text that is not there is null."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return None if value == "" else value


def csv_rows(rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    yield [*COLUMNS, "url"]
    for row in rows:
        yield [csv_cell(value) for value in row.values()]


def csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(value) if isinstance(value, list) else value


class TimelineView(ReadView):
    """The whole timeline as a stream, by the filters of the lists. A limited token sees what it is limited to."""

    def get(self, request: Request, organization: str) -> HttpResponseBase:
        form = self.parameters.get("format") or "jsonl"
        if form not in FORMATS:
            return answer_text(
                400, f"There is no format '{shortened(form, 20)}': leave it out for jsonl, or send format=csv."
            )
        entries = every_entry(self.filtered_by(EntriesForm).filters())
        return export_response(form, entries, organization_slug=self.token.organization_slug)
