"""All entries of a timeline, in any number, a part at a time."""

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from typing import NamedTuple

from django.db.models import Q

from deployments.models import Deploy, ManualChange, Tag
from deployments.queries import manual_changes
from deployments.queries.entry_key import EntryKey
from deployments.queries.keyset import NEWEST_FIRST, Key
from deployments.queries.timeline import Filters

# Looked through by one statement, so that none takes long and no transaction spans the download.
PART = 1_000

# Where a DeployEntry has its values from, between its first three and its tags.
COLUMNS = (
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


def every_entry(
    filters: Filters, *, allowed_deploys: Q | None = None, allowed_changes: Q | None = None
) -> Iterator[DeployEntry | ChangeEntry]:
    """Newest first; what is allowed narrows them further."""
    deploys = every_deploy(filters, allowed_deploys or Q())
    if not manual_changes.admits_changes(filters):
        return deploys
    changes = every_change(filters, allowed_changes or Q())
    return merge(deploys, (ChangeEntry(change.changed_at, True, change.pk, change) for change in changes), reverse=True)


def every_deploy(filters: Filters, allowed: Q) -> Iterator[DeployEntry]:
    start: Key | None = None
    while True:
        place = filters.indexed()
        if start:
            place &= start.older()
        ends = Deploy.everything.filter(place).order_by(*NEWEST_FIRST).values_list("deployed_at", "id")
        start = next((Key(*end) for end in ends[PART - 1 : PART]), None)
        if start:
            place &= start.not_older()
        deploys = Deploy.objects.filter(place).filter(filters.sifting()).filter(allowed).order_by(*NEWEST_FIRST)
        rows = list(deploys.values_list("deployed_at", "id", *COLUMNS))
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


def every_change(filters: Filters, allowed: Q) -> Iterator[ManualChange]:
    conditions = manual_changes.place_of(filters) & manual_changes.sifting_of(filters) & allowed
    start = Q()
    while True:
        changes = ManualChange.objects.filter(conditions, start).order_by(*manual_changes.NEWEST_FIRST)
        part = list(manual_changes.rows_of(changes)[:PART])
        yield from part
        if len(part) < PART:
            return
        start = EntryKey.of(part[-1]).older_changes()
