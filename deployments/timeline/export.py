"""Downloading a whole timeline as CSV or JSON lines. It is read and sent in parts, whatever its length."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from deployments.models import Deploy, ManualChange, Tag
from deployments.pages import changes_path, deploys_path
from deployments.timeline.pager import Key, in_order
from deployments.timeline.queries import MANUAL_CHANGE, Filters
from deployments.timeline.read_api import ReadForm, ReadView
from orgs.csv_export import BROKEN_OFF, csv_response, in_pieces

# How many entries one statement scans. No statement takes long, and no transaction spans the download.
PART = 1_000

# The columns of a download in their order, and where a deploy's values come from. The download of one deployment in one
# environment can be imported again. New columns go before ``url``.
DEPLOY_COLUMNS = {
    "kind": "",
    "date": "",
    "project": "project__slug",
    "deployment": "deployment__slug",
    "environment": "environment__slug",
    "sha": "sha",
    "version": "version",
    "branch": "branch",
    "title": "title",
    "author": "author_name",
    "email": "author_email",
    "tags": "",
    "live": "target__live_deploy",
    "rollback": "restores",
    "rolled_back": "rolled_back_by",
    "first_commit_at": "first_commit_at",
    "lead_time": "lead_time",
    "commit_count": "commit_count",
    "file_count": "file_count",
    "pull_request_count": "pull_request_count",
    "additions": "additions",
    "deletions": "deletions",
    "status": "status",
    "id": "",
    "registered_at": "created_at",
    "url": "",
}
READ_FROM_DEPLOYS = {column: source for column, source in DEPLOY_COLUMNS.items() if source}
READ_FROM_CHANGES = {
    "project": "project__slug",
    "environment": "environment__slug",
    "title": "name",
    "email": "author_email",
    "tags": "tags",
    "registered_at": "created_at",
}
FORMATS = ("jsonl", "csv")
JSON_LINES = "application/x-ndjson"
# json.dumps would create an encoder for each row.
as_json = json.JSONEncoder(ensure_ascii=False).encode


class ExportedEntry(NamedTuple):
    """Sorted like its Key. ``values`` are plain, because creating model instances took most of the time."""

    at: datetime
    is_change: bool
    id: int
    values: dict[str, Any]


def every_entry(filters: Filters) -> Iterator[ExportedEntry]:
    """Newest first."""
    deploys = every_deploy(filters)
    if not filters.admits_changes:
        return deploys
    return merge(deploys, every_change(filters), reverse=True)


def every_deploy(filters: Filters) -> Iterator[ExportedEntry]:
    start: Key | None = None
    while True:
        indexed = filters.indexed()
        if start:
            indexed &= start.beyond()
        ends = Deploy.all_objects.filter(indexed).order_by(*in_order()).values_list("deployed_at", "id")
        start = next((Key(at, False, pk) for at, pk in ends[PART - 1 : PART]), None)
        if start:
            indexed &= start.up_to()
        deploys = Deploy.objects.filter(indexed, filters.scanned()).order_by(*in_order())
        rows = list(deploys.values_list("deployed_at", "id", *READ_FROM_DEPLOYS.values()))
        tags = defaultdict(list)
        for deploy_id, name in Tag.objects.filter(deploy__in=[row[1] for row in rows]).values_list("deploy", "name"):
            tags[deploy_id].append(name)
        for at, id_, *columns in rows:
            values = dict(zip(READ_FROM_DEPLOYS, columns, strict=True))
            values["live"] = values["live"] == id_
            for column in ("rollback", "rolled_back"):
                values[column] = values[column] is not None
            values["tags"] = tags[id_]
            yield ExportedEntry(at, False, id_, values)
        if start is None:
            return


def every_change(filters: Filters) -> Iterator[ExportedEntry]:
    changes = ManualChange.objects.filter(filters.indexed_changes(), filters.scanned_changes())
    changes = changes.order_by(*in_order("changed_at"))
    start = Q()
    while True:
        part = list(changes.filter(start).values_list("changed_at", "pk", *READ_FROM_CHANGES.values())[:PART])
        for at, pk, *columns in part:
            values = dict(zip(READ_FROM_CHANGES, columns, strict=True))
            values["tags"] = values["tags"].split(",") if values["tags"] else []
            yield ExportedEntry(at, True, pk, values)
        if len(part) < PART:
            return
        start = Key(part[-1][0], True, part[-1][1]).beyond("changed_at")


def export_response(form: str, exported: Iterable[ExportedEntry], *, organization_slug: str) -> StreamingHttpResponse:
    """``form`` is one of FORMATS."""
    paths = deploys_path(organization_slug), changes_path(organization_slug)
    rows = (row_of(entry, *paths) for entry in exported)
    file_name = f"{organization_slug}-timeline.{form}"
    if form == "csv":
        return csv_response(file_name, csv_rows(rows))
    return StreamingHttpResponse(
        in_pieces((as_json(row) + "\n" for row in rows), broken_off=as_json({"error": BROKEN_OFF}) + "\n"),
        content_type=JSON_LINES,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def row_of(entry: ExportedEntry, deploys_at: str, changes_at: str) -> dict[str, Any]:
    """Columns that the kind of entry does not have are null."""
    values = {
        **entry.values,
        "kind": MANUAL_CHANGE if entry.is_change else "deploy",
        "date": entry.at,
        "tags": sorted(f"#{tag}" for tag in entry.values["tags"]),
        "id": entry.id,
        "url": f"{changes_at if entry.is_change else deploys_at}{entry.id}",
    }
    return {column: json_value(values.get(column)) for column in DEPLOY_COLUMNS}


def json_value(value: Any) -> Any:
    """Dates become text in UTC, and an empty text becomes null."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return None if value == "" else value


def csv_rows(rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    yield list(DEPLOY_COLUMNS)
    for row in rows:
        yield [csv_cell(value) for value in row.values()]


def csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(value) if isinstance(value, list) else value


class TimelineView(ReadView):
    """The whole timeline as a stream, with the filters of the lists. A limited token gets only what it may see."""

    takes = ("format", *ReadForm.names())

    def get(self, request: Request, organization: str) -> HttpResponseBase:
        form, filters = self.chosen_format(*FORMATS), self.filtered_by(ReadForm).filters()
        return export_response(form, every_entry(filters), organization_slug=self.token.organization_slug)
