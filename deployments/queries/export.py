"""All entries of a timeline, in any number, a part at a time."""

from collections.abc import Iterator
from heapq import merge

from django.db.models import Q

from deployments.models import Deploy, ManualChange
from deployments.queries import manual_changes
from deployments.queries.entry_key import Entry, EntryKey
from deployments.queries.keyset import NEWEST_FIRST, Key
from deployments.queries.timeline import Filters, rows_of

# Looked through by one statement, so that none takes long and no transaction spans the download.
PART = 1_000


def every_entry(
    filters: Filters, *, allowed_deploys: Q | None = None, allowed_changes: Q | None = None
) -> Iterator[Entry]:
    """Newest first; what is allowed narrows them further."""
    deploys = every_deploy(filters, allowed_deploys or Q())
    if not manual_changes.admits_changes(filters):
        return iter(deploys)
    changes = every_change(filters, allowed_changes or Q())
    return merge(deploys, changes, key=EntryKey.of, reverse=True)


def every_deploy(filters: Filters, allowed: Q) -> Iterator[Deploy]:
    start: Key | None = None
    while True:
        place = filters.indexed()
        if start:
            place &= start.older()
        ends = Deploy.everything.filter(place).order_by(*NEWEST_FIRST).values_list("deployed_at", "id")
        start = next((Key(*end) for end in ends[PART - 1 : PART]), None)
        if start:
            place &= start.not_older()
        deploys = Deploy.objects.filter(place).filter(filters.sifting()).filter(allowed)
        yield from rows_of(deploys).order_by(*NEWEST_FIRST)
        if start is None:
            return


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
