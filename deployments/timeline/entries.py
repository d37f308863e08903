"""Reading manual changes: lists as a timeline and the API page them, and one of them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypedDict

from django.db.models import Q, QuerySet

from deployments.lookup import caseless
from deployments.models import ManualChange
from deployments.timeline import queries as timeline
from deployments.timeline.pager import Entry, EntryKey, Key
from deployments.timeline.queries import Filters, read_page, scan

NEWEST_FIRST = ("-changed_at", "-pk")
OLDEST_FIRST = ("changed_at", "pk")
KIND = "manual_change"


def rows_of(changes: QuerySet[ManualChange]) -> QuerySet[ManualChange]:
    """With what it takes to show one."""
    return changes.select_related("organization", "project", "environment", "registered_by")


def admits_changes(filters: Filters) -> bool:
    """Whether there can be manual changes among what a timeline shows: none has a deployment or a sha."""
    has_deployment = filters.deployment_id or filters.target_id or filters.deployment_ids is not None
    return filters.kind in ("", KIND) and not (has_deployment or filters.sha)


def place_of(filters: Filters) -> Q:
    """What an index finds: by the narrowest place alone."""
    environments = filters.environment_ids
    if environments is not None and len(environments) == 1:
        found = Q(environment=environments[0])
    elif filters.project_id is not None:
        found = Q(project=filters.project_id)
    else:
        found = Q(organization=filters.organization_id)
    if filters.since:
        found &= Q(changed_at__gte=filters.since)
    if filters.until:
        found &= Q(changed_at__lt=filters.until)
    return found


def scanned_changes(filters: Filters) -> Q:
    conditions = Q()
    if filters.environment_ids is not None and len(filters.environment_ids) != 1:
        conditions &= Q(environment__in=filters.environment_ids)
    if filters.author:
        pattern = caseless(filters.author)
        conditions &= (
            Q(author_email__regex=pattern) | Q(user_email__regex=pattern) | Q(registered_by__email__regex=pattern)
        )
    if filters.tag:
        conditions &= Q(tags__regex=f"(^|,){re.escape(filters.tag)}(,|$)")
    if filters.text:
        pattern = caseless(filters.text)
        conditions &= Q(name__regex=pattern) | Q(description__regex=pattern)
    return conditions


def read_changes(
    filters: Filters, *, before: EntryKey | None = None, size: int | None = None
) -> tuple[list[ManualChange], EntryKey | None]:
    """A page, newest first, and where the next one begins, if there is one. A page of a search may be empty and yet
    have a next one."""
    if not admits_changes(filters):
        return [], None
    found, more, bound = scan_changes(filters, start=before, newest_first=True, size=size)
    return found, EntryKey.of(found[-1]) if more else bound


def scan_changes(
    filters: Filters, *, start: EntryKey | None, newest_first: bool, size: int | None = None
) -> tuple[list[ManualChange], bool, EntryKey | None]:
    """A page of manual changes next to ``start``, whether there are more among those looked through, and where the
    looking ended before all were seen."""
    order = NEWEST_FIRST if newest_first else OLDEST_FIRST
    place, conditions = place_of(filters), scanned_changes(filters)
    if start:
        place &= start.older_changes() if newest_first else start.newer_changes()
    bound = None
    if conditions:
        # Deleted ones count too: so an index alone answers.
        passed = ManualChange.all_objects.filter(place).order_by(*order)
        ends = passed.values_list("changed_at", "pk")[timeline.SCAN_LIMIT - 1 : timeline.SCAN_LIMIT]
        bound = next((EntryKey(at, True, pk) for at, pk in ends), None)
        if bound:
            place &= bound.not_older_changes() if newest_first else bound.not_newer_changes()
    size = size or timeline.PAGE_SIZE
    found = list(rows_of(ManualChange.objects.filter(place, conditions)).order_by(*order)[: size + 1])
    return found[:size], len(found) > size, bound


def fingerprint_of_changes(filters: Filters) -> str:
    """Changes whenever the newest manual changes of the place do, whether or not the filters admit them."""
    newest = ManualChange.objects.filter(place_of(filters)).order_by(*NEWEST_FIRST)
    rows = list(newest.values_list("pk", "updated_at")[: timeline.PAGE_SIZE])
    return hashlib.blake2s(repr(rows).encode(), digest_size=8).hexdigest()


# --- Pages of a timeline: deploys and manual changes, each found by a query of its own and merged here ---


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
        found = scan_entries(filters, start=after, newest_first=False)
        if found.more or found.bound:
            return EntryPage(
                entries=found.entries[::-1],
                older=EntryKey.of(found.entries[0]) if found.entries else after,
                newer=EntryKey.of(found.entries[-1]) if found.more else found.bound,
                **searched(filters, None if found.more else found.bound),
            )
        before = None
    found = scan_entries(filters, start=before, newest_first=True)
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
        return {"searched": timeline.SCAN_LIMIT, "searched_noun": "manual change", "searched_to": end.at}
    return {"searched": filters.scan_limit(), "searched_to": end.at}


class Scan(NamedTuple):
    """In the direction of reading; ``bound`` is how far all were looked through."""

    entries: list[Entry]
    more: bool
    bound: EntryKey | None


def scan_entries(filters: Filters, *, start: EntryKey | None, newest_first: bool) -> Scan:
    """A page of both kinds, as far as both were looked through."""
    changes, more, bound = scan_changes(filters, start=start, newest_first=newest_first)
    streams = [Scan([*changes], more, bound)]
    if filters.kind != KIND:
        deploys, more, end = scan(filters, start=among_deploys(start), newest_first=newest_first)
        streams.append(Scan([*deploys], more, among_entries(end)))
    entries = sorted((entry for each in streams for entry in each.entries), key=EntryKey.of, reverse=newest_first)
    limit = nearest((end_of(each) for each in streams), newest_first=newest_first)
    if limit and newest_first:
        entries = [entry for entry in entries if EntryKey.of(entry) >= limit]
    elif limit:
        entries = [entry for entry in entries if EntryKey.of(entry) <= limit]
    size = timeline.PAGE_SIZE
    more = len(entries) > size or (len(entries) == size and any(each.more for each in streams))
    return Scan(entries[:size], more, limit)


def end_of(scan: Scan) -> EntryKey | None:
    return EntryKey.of(scan.entries[-1]) if scan.more else scan.bound


def nearest(ends: Iterable[EntryKey | None], *, newest_first: bool) -> EntryKey | None:
    known = [end for end in ends if end]
    return max(known, default=None) if newest_first else min(known, default=None)


def fingerprint(filters: Filters) -> str:
    """Changes whenever the newest entries of the place do, whether or not the filters admit them."""
    of_deploys = timeline.fingerprint(filters)
    return of_deploys + fingerprint_of_changes(filters) if admits_changes(filters) else of_deploys
