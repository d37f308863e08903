"""Pages of a timeline, which merges deploys and manual changes."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from deployments.models import Deploy, ManualChange
from deployments.timeline import queries
from deployments.timeline.pager import Entry, Key, in_order
from deployments.timeline.queries import MANUAL_CHANGE, Filters, Scan, scan


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Newest first. ``older`` and ``newer`` are the keys of the neighbouring pages. If ``searched`` is set, the next
    page in the direction of reading continues the search."""

    entries: list[Entry] = field(default_factory=list)
    older: Key | None = None
    newer: Key | None = None
    searched: "Searched | None" = None


@dataclass(frozen=True, slots=True)
class Searched:
    """The scan limit ended a search after ``count`` entries of the kind ``noun``, at the moment ``end``."""

    count: int | None
    noun: str
    end: datetime


def read_entries(filters: Filters, *, before: Key | None = None, after: Key | None = None) -> EntryPage:
    """The newest entries, or those before or after a key. If too few are newer for a page, the first page."""
    if after is not None:
        found = scan_entries(filters, start=after, newest_first=False)
        if found.more or found.bound:
            return EntryPage(
                entries=found.entries[::-1],
                older=Key.of(found.entries[0]) if found.entries else after,
                newer=Key.of(found.entries[-1]) if found.more else found.bound,
                searched=searched(filters, found),
            )
        before = None
    found = scan_entries(filters, start=before, newest_first=True)
    return EntryPage(
        entries=found.entries,
        older=Key.of(found.entries[-1]) if found.more else found.bound,
        newer=(Key.of(found.entries[0]) if found.entries else before) if before else None,
        searched=searched(filters, found),
    )


def searched(filters: Filters, found: Scan) -> Searched | None:
    if found.more or found.bound is None:
        return None
    if found.bound.is_change:
        return Searched(queries.SCAN_LIMIT, "manual change", found.bound.at)
    return Searched(filters.scan_limit(), "deploy", found.bound.at)


def scan_entries(filters: Filters, *, start: Key | None, newest_first: bool) -> Scan:
    """A page of deploys and manual changes that ends where the scan of either kind ended first."""
    models: list[type[Entry]] = [ManualChange] if filters.admits_changes else []
    if filters.kind != MANUAL_CHANGE:
        models.append(Deploy)
    streams = [scan(filters, model, start=start, newest_first=newest_first) for model in models]
    entries = sorted((entry for each in streams for entry in each.entries), key=Key.of, reverse=newest_first)
    ends = [Key.of(each.entries[-1]) if each.more else each.bound for each in streams]
    bounds = [end for end in ends if end]
    bound = (max if newest_first else min)(bounds) if bounds else None
    if bound:
        keys = ((entry, Key.of(entry)) for entry in entries)
        entries = [entry for entry, key in keys if (key >= bound if newest_first else key <= bound)]
    size = queries.PAGE_SIZE
    more = len(entries) > size or (len(entries) == size and any(each.more for each in streams))
    return Scan(entries[:size], more, bound)


def fingerprint(filters: Filters) -> str:
    """Changes with the newest entries in scope, whether or not they match the other filters."""
    of_deploys = queries.fingerprint(filters)
    if not filters.admits_changes:
        return of_deploys
    newest = ManualChange.objects.filter(filters.indexed_changes()).order_by(*in_order("changed_at"))
    rows = list(newest.values_list("pk", "updated_at")[: queries.PAGE_SIZE])
    return of_deploys + hashlib.blake2s(repr(rows).encode(), digest_size=8).hexdigest()
