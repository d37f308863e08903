"""A timeline as CSV and as JSON lines. What is exported of one deployment in one environment can be imported again.

A row is what stands on the timeline; ``kind`` says what it is, and columns that its kind does not have are empty. New
columns come last.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.urls import reverse

from deployments.models import ManualChange
from deployments.queries.export import ChangeEntry, DeployEntry
from orgs.csv_export import csv_response, in_pieces

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
