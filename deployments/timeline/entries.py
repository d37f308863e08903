"""Pages of a timeline, which merges deploys and manual changes, and pages of manual changes alone."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from deployments.models import ManualChange
from deployments.timeline import queries
from deployments.timeline.pager import Entry, EntryKey
from deployments.timeline.queries import MANUAL_CHANGE, Filters

NEWEST_FIRST = ("-changed_at", "-pk")
OLDEST_FIRST = ("changed_at", "pk")


def with_related(changes: QuerySet[ManualChange]) -> QuerySet[ManualChange]:
    """With what a list or a page shows of them."""
    return changes.select_related("organization", "project", "environment", "registered_by")


def read_changes(
    filters: Filters, *, before: EntryKey | None = None, size: int | None = None
) -> tuple[list[ManualChange], EntryKey | None]:
    """One page, newest first, and the key of the next page, if there is one. A scan may end with an empty page although
    there is a next one."""
    if not filters.admits_changes:
        return [], None
    found, more, bound = scan_changes(filters, start=before, newest_first=True, size=size)
    return found, EntryKey.of(found[-1]) if more else bound


def scan_changes(
    filters: Filters, *, start: EntryKey | None, newest_first: bool, size: int | None = None
) -> tuple[list[ManualChange], bool, EntryKey | None]:
    """The same as queries.scan_deploys for manual changes."""
    order = NEWEST_FIRST if newest_first else OLDEST_FIRST
    size, limit = size or queries.PAGE_SIZE, queries.SCAN_LIMIT
    indexed, conditions = filters.indexed_changes(), filters.scanned_changes()
    if start:
        indexed &= start.changes_beyond(newest_first=newest_first)
    bound = None
    if conditions:
        # Counts deleted changes, too, so that an index alone can answer.
        scanned = ManualChange.all_objects.filter(indexed).order_by(*order)
        ends = scanned.values_list("changed_at", "pk")[limit - 1 : limit]
        bound = next((EntryKey(at, True, pk) for at, pk in ends), None)
        if bound:
            indexed &= bound.changes_up_to(newest_first=newest_first)
    found = list(with_related(ManualChange.objects.filter(indexed, conditions)).order_by(*order)[: size + 1])
    return found[:size], len(found) > size, bound


# --- Pages of a timeline ---


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Newest first. ``older`` and ``newer`` are the keys of the neighbouring pages. If ``searched`` is set, the next
    page in the direction of reading continues the search."""

    entries: list[Entry] = field(default_factory=list)
    older: EntryKey | None = None
    newer: EntryKey | None = None
    searched: "Searched | None" = None


@dataclass(frozen=True, slots=True)
class Searched:
    """The scan limit ended a search after ``count`` entries of the kind ``noun``, at the moment ``end``."""

    count: int | None
    noun: str
    end: datetime


def read_entries(filters: Filters, *, before: EntryKey | None = None, after: EntryKey | None = None) -> EntryPage:
    """The newest entries, or those before or after a key. If too few are newer for a page, the first page."""
    if after is not None:
        found = scan_entries(filters, start=after, newest_first=False)
        if found.more or found.bound:
            return EntryPage(
                entries=found.entries[::-1],
                older=EntryKey.of(found.entries[0]) if found.entries else after,
                newer=EntryKey.of(found.entries[-1]) if found.more else found.bound,
                searched=searched(filters, found),
            )
        before = None
    found = scan_entries(filters, start=before, newest_first=True)
    return EntryPage(
        entries=found.entries,
        older=EntryKey.of(found.entries[-1]) if found.more else found.bound,
        newer=(EntryKey.of(found.entries[0]) if found.entries else before) if before else None,
        searched=searched(filters, found),
    )


class Scan(NamedTuple):
    """A page in the direction of reading. Entries were scanned up to ``bound``, or to the last one if it is None."""

    entries: list[Entry]
    more: bool
    bound: EntryKey | None


def searched(filters: Filters, scan: Scan) -> Searched | None:
    if scan.more or scan.bound is None:
        return None
    if scan.bound.is_change:
        return Searched(queries.SCAN_LIMIT, "manual change", scan.bound.at)
    return Searched(filters.scan_limit(), "deploy", scan.bound.at)


def scan_entries(filters: Filters, *, start: EntryKey | None, newest_first: bool) -> Scan:
    """A page of deploys and manual changes that ends where the scan of either kind ended first."""
    streams = list(scan_each_kind(filters, start=start, newest_first=newest_first))
    entries = sorted((entry for each in streams for entry in each.entries), key=EntryKey.of, reverse=newest_first)
    ends = [EntryKey.of(each.entries[-1]) if each.more else each.bound for each in streams]
    bounds = [end for end in ends if end]
    bound = (max if newest_first else min)(bounds) if bounds else None
    if bound:
        keys = ((entry, EntryKey.of(entry)) for entry in entries)
        entries = [entry for entry, key in keys if (key >= bound if newest_first else key <= bound)]
    size = queries.PAGE_SIZE
    more = len(entries) > size or (len(entries) == size and any(each.more for each in streams))
    return Scan(entries[:size], more, bound)


def scan_each_kind(filters: Filters, *, start: EntryKey | None, newest_first: bool) -> Iterator[Scan]:
    if filters.admits_changes:
        changes, more, bound = scan_changes(filters, start=start, newest_first=newest_first)
        yield Scan([*changes], more, bound)
    if filters.kind != MANUAL_CHANGE:
        start_key = start.deploy_key if start else None
        deploys, more, end = queries.scan_deploys(filters, start=start_key, newest_first=newest_first)
        yield Scan([*deploys], more, EntryKey(end.at, False, end.id) if end else None)


def fingerprint(filters: Filters) -> str:
    """Changes with the newest entries in scope, whether or not they match the other filters."""
    of_deploys = queries.fingerprint(filters)
    if not filters.admits_changes:
        return of_deploys
    newest = ManualChange.objects.filter(filters.indexed_changes()).order_by(*NEWEST_FIRST)
    rows = list(newest.values_list("pk", "updated_at")[: queries.PAGE_SIZE])
    return of_deploys + hashlib.blake2s(repr(rows).encode(), digest_size=8).hexdigest()
