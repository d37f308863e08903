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

from deployments.models import Deploy
from orgs.csv_export import csv_response

COLUMNS: dict[str, Callable[[Deploy], Any]] = {
    "kind": lambda deploy: "deploy",
    "date": lambda deploy: deploy.deployed_at,
    "project": lambda deploy: deploy.project.slug,
    "deployment": lambda deploy: deploy.deployment.slug,
    "environment": lambda deploy: deploy.environment.slug,
    "sha": lambda deploy: deploy.sha,
    "version": lambda deploy: deploy.version,
    "branch": lambda deploy: deploy.branch,
    "title": lambda deploy: deploy.title,
    "author": lambda deploy: deploy.author_name,
    "email": lambda deploy: deploy.author_email,
    "tags": lambda deploy: sorted(f"#{tag.name}" for tag in deploy.tags.all()),
    "live": lambda deploy: deploy.target.live_deploy_id == deploy.id,
    "rollback": lambda deploy: deploy.is_rollback,
    "rolled_back": lambda deploy: deploy.is_rolled_back,
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
FORMATS = ("csv", "jsonl")
JSON_LINES = "application/x-ndjson"


def export_response(form: str, deploys: Iterable[Deploy], *, organization_slug: str) -> StreamingHttpResponse:
    """``form`` is one of FORMATS."""
    # Looking up a route for each row would take longest.
    path = reverse("deploy-page", kwargs={"organization": organization_slug, "deploy": 0}).removesuffix("0")
    rows = (exported_row(deploy, path) for deploy in deploys)
    file_name = f"{organization_slug}-timeline.{form}"
    if form == "csv":
        return csv_response(file_name, csv_rows(rows))
    return StreamingHttpResponse(
        (json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        content_type=JSON_LINES,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def exported_row(deploy: Deploy, deploys_path: str) -> dict[str, Any]:
    return {name: plain(read(deploy)) for name, read in COLUMNS.items()} | {"url": f"{deploys_path}{deploy.id}"}


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
