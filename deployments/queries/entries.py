"""Pages of a timeline: deploys and manual changes, each found by a query of its own and merged here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypedDict

from deployments.queries import timeline
from deployments.queries.entry_key import Entry, EntryKey
from deployments.queries.keyset import Key
from deployments.queries.manual_changes import KIND, admits_changes, fingerprint_of_changes, sift_changes
from deployments.queries.timeline import Filters, read_page, sift


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Newest first. ``older`` and ``newer`` are where the neighbouring pages begin; with ``searched`` set, the one in
    the direction of reading is a further search, since that many of ``searched_noun`` were looked through, up to
    ``searched_to``."""

    entries: list[Entry] = field(default_factory=list)
    older: EntryKey | None = None
    newer: EntryKey | None = None
    searched: int | None = None
    searched_noun: str = "deploy"
    searched_to: datetime | None = None


def read_entries(filters: Filters, *, before: EntryKey | None = None, after: EntryKey | None = None) -> EntryPage:
    """The newest entries, or those next to a key. Too few newer ones for a page give the first page."""
    if not admits_changes(filters):
        return read_deploys(filters, before=before, after=after)
    if after is not None:
        found = sift_entries(filters, start=after, newest_first=False)
        if found.more or found.bound:
            return EntryPage(
                entries=found.entries[::-1],
                older=EntryKey.of(found.entries[0]) if found.entries else after,
                newer=EntryKey.of(found.entries[-1]) if found.more else found.bound,
                **searched(filters, None if found.more else found.bound),
            )
        before = None
    found = sift_entries(filters, start=before, newest_first=True)
    further = None if found.more else found.bound
    return EntryPage(
        entries=found.entries,
        older=EntryKey.of(found.entries[-1]) if found.more else further,
        newer=(EntryKey.of(found.entries[0]) if found.entries else before) if before else None,
        **searched(filters, further),
    )


def read_deploys(filters: Filters, *, before: EntryKey | None, after: EntryKey | None) -> EntryPage:
    """What only deploys can be is theirs alone."""
    page = read_page(filters, before=among_deploys(before), after=among_deploys(after))
    return EntryPage(
        entries=[*page.deploys],
        older=among_entries(page.older),
        newer=among_entries(page.newer),
        searched=page.searched,
        searched_to=page.searched_to,
    )


def among_deploys(key: EntryKey | None) -> Key | None:
    return key.among_deploys() if key else None


def among_entries(key: Key | None) -> EntryKey | None:
    return EntryKey.of_deploys(key) if key else None


class Searched(TypedDict, total=False):
    searched: int | None
    searched_noun: str
    searched_to: datetime


def searched(filters: Filters, end: EntryKey | None) -> Searched:
    if end is None:
        return {}
    if end.is_change:
        return {"searched": timeline.SIFTED, "searched_noun": "manual change", "searched_to": end.at}
    return {"searched": filters.sifted_a_page(), "searched_to": end.at}


class Sifted(NamedTuple):
    """In the direction of reading; ``bound`` is how far all were looked through."""

    entries: list[Entry]
    more: bool
    bound: EntryKey | None


def sift_entries(filters: Filters, *, start: EntryKey | None, newest_first: bool) -> Sifted:
    """A page of both kinds, as far as both were looked through."""
    changes, more, bound = sift_changes(filters, start=start, newest_first=newest_first)
    streams = [Sifted([*changes], more, bound)]
    if filters.kind != KIND:
        deploys, more, end = sift(filters, start=among_deploys(start), newest_first=newest_first)
        streams.append(Sifted([*deploys], more, among_entries(end)))
    entries = sorted((entry for each in streams for entry in each.entries), key=EntryKey.of, reverse=newest_first)
    limit = nearest((end_of(each) for each in streams), newest_first=newest_first)
    if limit and newest_first:
        entries = [entry for entry in entries if EntryKey.of(entry) >= limit]
    elif limit:
        entries = [entry for entry in entries if EntryKey.of(entry) <= limit]
    size = timeline.PAGE_SIZE
    more = len(entries) > size or (len(entries) == size and any(each.more for each in streams))
    return Sifted(entries[:size], more, limit)


def end_of(sifted: Sifted) -> EntryKey | None:
    return EntryKey.of(sifted.entries[-1]) if sifted.more else sifted.bound


def nearest(ends: Iterable[EntryKey | None], *, newest_first: bool) -> EntryKey | None:
    known = [end for end in ends if end]
    return max(known, default=None) if newest_first else min(known, default=None)


def fingerprint(filters: Filters) -> str:
    """Changes whenever the newest entries of the place do, whether or not the filters admit them."""
    of_deploys = timeline.fingerprint(filters)
    return of_deploys + fingerprint_of_changes(filters) if admits_changes(filters) else of_deploys
