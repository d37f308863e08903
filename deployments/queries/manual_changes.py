"""Reading manual changes: lists as a timeline and the API page them, and one of them."""

import hashlib
import re

from django.db.models import Q, QuerySet

from deployments.models import ManualChange
from deployments.queries import timeline
from deployments.queries.caseless import caseless
from deployments.queries.entry_key import EntryKey
from deployments.queries.timeline import Filters
from tokens.statements import TokenRow

NEWEST_FIRST = ("-changed_at", "-pk")
OLDEST_FIRST = ("changed_at", "pk")
KIND = "manual_change"


def rows_of(changes: QuerySet[ManualChange]) -> QuerySet[ManualChange]:
    """With what it takes to show one."""
    return changes.select_related("organization", "project", "environment", "registered_by")


def manual_changes_for_page(organization_id: int) -> QuerySet[ManualChange]:
    """Deleted ones too: their page offers to bring them back."""
    changes: QuerySet[ManualChange] = ManualChange.everything.filter(organization=organization_id)
    return rows_of(changes).select_related("token")


def manual_changes_for_token(token: TokenRow) -> QuerySet[ManualChange]:
    """Those that the token may read. One that is limited to deployments reads none, since they belong to none."""
    changes: QuerySet[ManualChange] = ManualChange.objects.filter(organization=token.organization_id)
    if token.limited_to_deployments:
        changes = changes.none()
    if token.limited_to_environments:
        changes = changes.filter(environment__tokens=token.id)
    return rows_of(changes)


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


def sifting_of(filters: Filters) -> Q:
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
    found, more, bound = sift_changes(filters, start=before, newest_first=True, size=size)
    return found, EntryKey.of(found[-1]) if more else bound


def sift_changes(
    filters: Filters, *, start: EntryKey | None, newest_first: bool, size: int | None = None
) -> tuple[list[ManualChange], bool, EntryKey | None]:
    """A page of manual changes next to ``start``, whether there are more among those looked through, and where the
    looking ended before all were seen."""
    order = NEWEST_FIRST if newest_first else OLDEST_FIRST
    place, conditions = place_of(filters), sifting_of(filters)
    if start:
        place &= start.older_changes() if newest_first else start.newer_changes()
    bound = None
    if conditions:
        # Deleted ones count too: so an index alone answers.
        passed = ManualChange.everything.filter(place).order_by(*order)
        ends = passed.values_list("changed_at", "pk")[timeline.SIFTED - 1 : timeline.SIFTED]
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
