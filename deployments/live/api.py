"""The live deploys of an organization, as JSON and CSV."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from deployments.live.queries import Cell, Group, read_all_live
from deployments.registration.representation import as_text, deploy_path
from deployments.timeline.export import csv_cell
from deployments.timeline.read_api import ReadView, cached_by, tag_of
from deployments.token_limits import allowed_deployment_ids, allowed_environment_ids
from orgs.csv_export import csv_response

# Keys of an environment. Each value is null if nothing is live there.
FACTS = (
    "sha",
    "version",
    "title",
    "branch",
    "deployed_at",
    "age",
    "author",
    "behind",
    "behind_environment",
    "rolled_back",
    "stale",
    "deploy_id",
    "url",
)
COLUMNS = ("project", "deployment", "environment", *FACTS, "author_email")


class LiveView(ReadView):
    """A limited token sees only what it is limited to."""

    takes = ("format",)

    def get(self, request: Request, organization: str) -> HttpResponseBase:
        form, slug, now = self.chosen_format("json", "csv"), self.token.organization_slug, timezone.now()
        groups = self.visible_groups(now)
        # A weak ETag, because the ages and the time of the answer change although what is live does not.
        facts = [form, slug, represent_live(groups, slug, now=None)]
        headers = cached_by(f"W/{tag_of(json.dumps(facts).encode())}")
        if self.was_seen(headers["ETag"]):
            return HttpResponse(status=304, headers=headers)
        projects = represent_live(groups, slug, now=now)
        if form == "csv":
            response: HttpResponseBase = csv_response(f"{slug}-live.csv", csv_rows(projects))
        else:
            response = JsonResponse({"organization": slug, "generated_at": as_text(now), "projects": projects})
        for name, value in headers.items():
            response[name] = value
        return response

    def visible_groups(self, now: datetime) -> list[Group]:
        groups = read_all_live(self.token.organization_id, now=now)
        if (allowed := allowed_deployment_ids(self.token)) is not None:
            groups = [
                Group(group.project, group.environments, [row for row in group.rows if row.deployment.pk in allowed])
                for group in groups
            ]
        if (allowed := allowed_environment_ids(self.token)) is not None:
            for row in (row for group in groups for row in group.rows):
                row.cells[:] = [within(allowed, cell) for cell in row.cells if cell.environment.pk in allowed]
        return [group for group in groups if any(row.cells for row in group.rows)]


def within(allowed: Collection[int], cell: Cell) -> Cell:
    """How far it is behind an environment that the token may not see, nobody tells."""
    if cell.before is None or cell.before.pk in allowed:
        return cell
    return replace(cell, before=None, status=replace(cell.status, behind=None))


def represent_live(groups: Sequence[Group], organization_slug: str, *, now: datetime | None) -> list[dict[str, Any]]:
    """``age`` is in seconds, and null without ``now``. ``behind`` counts the deploys of ``behind_environment`` that
    follow, up to 100; it is null if nobody can tell."""
    return [
        {
            "project": group.project.slug,
            "name": group.project.name,
            "deployments": [
                {
                    "deployment": row.deployment.slug,
                    "name": row.deployment.name,
                    "environments": [
                        {
                            "environment": cell.environment.slug,
                            "name": cell.environment.name,
                            **represent_cell(cell, organization_slug, now),
                        }
                        for cell in row.cells
                    ],
                }
                for row in group.rows
            ],
        }
        for group in groups
    ]


def represent_cell(cell: Cell, organization_slug: str, now: datetime | None) -> dict[str, Any]:
    deploy, status = cell.deploy, cell.status
    if deploy is None:
        return dict.fromkeys(FACTS)
    return {
        "sha": deploy.sha,
        "version": deploy.version or None,
        "title": deploy.title or None,
        "branch": deploy.branch or None,
        "deployed_at": as_text(deploy.deployed_at),
        "age": int((now - deploy.deployed_at).total_seconds()) if now else None,
        "author": {"name": deploy.author_name or None, "email": deploy.author_email or None},
        "behind": status.behind,
        "behind_environment": cell.before.slug if cell.before and status.behind != 0 else None,
        "rolled_back": status.is_rollback,
        "stale": status.is_stale,
        "deploy_id": deploy.pk,
        "url": deploy_path(organization_slug, deploy.pk),
    }


def csv_rows(projects: Sequence[dict[str, Any]]) -> Iterator[Sequence[Any]]:
    """The same as CSV, with one line for each environment of each deployment."""
    yield COLUMNS
    for project in projects:
        for deployment in project["deployments"]:
            for environment in deployment["environments"]:
                author = environment["author"] or {}
                line = {
                    **environment,
                    "project": project["project"],
                    "deployment": deployment["deployment"],
                    "author": author.get("name"),
                    "author_email": author.get("email"),
                }
                yield [csv_cell(line[column]) for column in COLUMNS]
