"""Pages of deploys that stay fast at any number of deploys.

An index finds deploys by scope (an organization, a project, …), dates and the hash of a commit. Every other filter
scans: a page reads at most a limited number of deploys, and the reader decides whether to search further back.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Concat
from django.db.models.lookups import Exact, GreaterThan, Regex

from deployments.lookup import caseless
from deployments.models import Commit, Deploy, ManualChange, Tag, Target
from deployments.registration.representation import with_previous_sha
from deployments.shas import BEGINNING, abbreviations, named_like
from deployments.timeline.pager import Entry, Key, in_order

PAGE_SIZE = 50
# How many deploys one page scans. A scan takes a fraction of the time of the page itself. Matching a pattern or looking
# up a tag takes longer than a comparison, above all on SQLite, and a deploy may have many commits.
SCAN_LIMIT = 10_000
SCAN_LIMIT_BY_PATTERN = 3_000
SCAN_LIMIT_WITH_COMMITS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a timeline shows. An empty value does not filter."""

    organization_id: int
    project_id: int | None = None
    deployment_id: int | None = None
    deployment_ids: tuple[int, ...] | None = None
    environment_ids: tuple[int, ...] | None = None
    target_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""
    status: str = ""
    author: str = ""
    tag: str = ""
    sha: str = ""
    version: str = ""
    text: str = ""

    @property
    def admits_changes(self) -> bool:
        """Whether a manual change can match. It has no deployment, sha, version or status."""
        has_deployment = self.deployment_id or self.target_id or self.deployment_ids is not None
        of_deploys = has_deployment or self.sha or self.version or self.status
        return self.kind in ("", MANUAL_CHANGE) and not of_deploys

    def indexed(self) -> Q:
        """The conditions for an index. Names only the narrowest scope, so that the database cannot choose a worse
        index."""
        if self.target_id is not None:
            found = Q(target=self.target_id)
        elif self.deployment_id is not None:
            found = Q(deployment=self.deployment_id)
        else:
            found = self.indexed_scope()
        found &= self.indexed_dates("deployed_at")
        if hash_ := self.hash_prefix():
            found &= Q(organization=self.organization_id) & named_like("sha", hash_)
        return found

    def indexed_changes(self) -> Q:
        """The same for manual changes."""
        return self.indexed_scope() & self.indexed_dates("changed_at")

    def indexed_scope(self) -> Q:
        if self.environment_ids is not None and len(self.environment_ids) == 1:
            return Q(environment=self.environment_ids[0])
        if self.project_id is not None:
            return Q(project=self.project_id)
        return Q(organization=self.organization_id)

    def indexed_dates(self, column: str) -> Q:
        found = Q()
        if self.since:
            found &= Q((f"{column}__gte", self.since))
        if self.until:
            found &= Q((f"{column}__lt", self.until))
        return found

    def scanned(self) -> Q:
        """The conditions that each deploy has to be read for."""
        conditions = Q()
        environments = self.environment_ids
        if environments is not None and self.target_id is None and (len(environments) != 1 or self.deployment_id):
            conditions &= Q(environment__in=environments)
        if self.deployment_ids is not None:
            conditions &= Q(deployment__in=self.deployment_ids)
        if self.kind:
            conditions &= KIND_CONDITIONS.get(self.kind, NO_DEPLOY)
        if self.status:
            conditions &= Q(status=self.status)
        if self.author:
            conditions &= matches(caseless(self.author), "author_name", "author_email")
        if self.tag:
            # Not EXISTS, for which PostgreSQL would read the tags of all deploys to find a rare tag.
            same = Tag.objects.filter(deploy=OuterRef("pk"), name=self.tag).values("name")
            conditions &= TAG_CONDITIONS.get(self.tag) or Q(Exact(Subquery(same), self.tag))
        if self.sha:
            conditions &= Q(sha__regex=f"^{caseless(self.sha)}") | Q(sha__in=abbreviations(self.hash_prefix()))
        if self.version:
            conditions &= Q(version__regex=f"^{caseless(self.version)}")
        if self.text:
            pattern = caseless(self.text)
            # A range of one id makes PostgreSQL look up commits deploy by deploy. For an equality it may read all
            # commits instead.
            of_deploy = Commit.objects.filter(deploy__gte=OuterRef("pk"), deploy__lte=OuterRef("pk"))
            in_commits = Q(commit_count__gt=0) & Q(Exists(of_deploy.filter(message__regex=pattern)))
            in_row = matches(pattern, "title", "sha", "version", "branch", "author_name", "author_email")
            conditions &= in_row | in_commits
        return conditions

    def scanned_changes(self) -> Q:
        """The same for manual changes."""
        conditions = Q()
        if self.environment_ids is not None and len(self.environment_ids) != 1:
            conditions &= Q(environment__in=self.environment_ids)
        if self.author:
            conditions &= by_whom(caseless(self.author))
        if self.tag:
            conditions &= Q(tags__regex=f"(^|,){re.escape(self.tag)}(,|$)")
        if self.text:
            pattern = caseless(self.text)
            conditions &= matches(pattern, "name", "description") | by_whom(pattern)
        return conditions

    def hash_prefix(self) -> str:
        """``sha`` if it is the beginning of a hash, which an index can find; otherwise empty."""
        folded = self.sha.lower()
        return folded if BEGINNING.fullmatch(folded) else ""

    def scan_limit(self) -> int | None:
        """How many deploys a page may scan; None if an index finds everything."""
        if self.hash_prefix() or not self.scanned():
            return None
        if self.text:
            return SCAN_LIMIT_WITH_COMMITS
        only_compares = not (self.author or self.sha or self.version) and (not self.tag or self.tag in TAG_CONDITIONS)
        return SCAN_LIMIT if only_compares else SCAN_LIMIT_BY_PATTERN


# COALESCE keeps PostgreSQL from reading all rollbacks by the index of what
# they restore, which is not in the order of time.
KIND_CONDITIONS = {
    "deploy": Q(restores=None, rolled_back_by=None),
    "rollback": Q(GreaterThan(Coalesce(F("restores_id"), 0), 0)),
    "rolled_back": Q(GreaterThan(Coalesce(F("rolled_back_by_id"), 0), 0)),
}
# Tags that follow from the history. A caller may well send #deploy.
TAG_CONDITIONS = {tag: KIND_CONDITIONS[tag] for tag in ("rollback", "rolled_back")}

MANUAL_CHANGE = "manual_change"
NO_DEPLOY = Q(pk__in=())


# Between texts that one pattern searches at once: no text has it, and it is no white space.
SEPARATOR = "\x01"


def matches(pattern: str, *columns: str) -> Q:
    """Whether any of these texts matches."""
    first, *others = columns
    parts = [part for column in others for part in (Value(SEPARATOR), column)]
    return Q(Regex(Concat(first, *parts, output_field=TextField()), pattern))


def by_whom(pattern: str) -> Q:
    """Whether a manual change is by somebody whose name or address matches."""
    return (
        matches(pattern, "author_email", "user_email")
        | Q(registered_by__email__regex=pattern)
        | Q(registered_by__name__regex=pattern)
    )


def with_related(changes: QuerySet[ManualChange]) -> QuerySet[ManualChange]:
    """With what a list or a page shows of them."""
    return changes.select_related("organization", "project", "environment", "registered_by")


class Scan(NamedTuple):
    """A page in the direction of reading, and whether ``more`` of what was scanned match. ``bound`` is where the scan
    limit ended the scan, if it did."""

    entries: list[Any]
    more: bool
    bound: Key | None


def read_page(
    filters: Filters, model: type[Entry], *, before: Key | None = None, size: int | None = None
) -> tuple[list[Any], Key | None]:
    """Deploys or manual changes, newest first, and the key of the next page, if there is one. A scan may end with an
    empty page although there is a next one."""
    if model is ManualChange and not filters.admits_changes:
        return [], None
    found = scan(filters, model, start=before, newest_first=True, size=size)
    return found.entries, Key.of(found.entries[-1]) if found.more else found.bound


def scan(
    filters: Filters, model: type[Entry], *, start: Key | None, newest_first: bool, size: int | None = None
) -> Scan:
    """Deploys or manual changes beyond ``start``."""
    size = size or PAGE_SIZE
    if model is Deploy:
        column, indexed, conditions, limit = "deployed_at", filters.indexed(), filters.scanned(), filters.scan_limit()
    else:
        column, indexed, conditions = "changed_at", filters.indexed_changes(), filters.scanned_changes()
        limit = SCAN_LIMIT if conditions else None
    order = in_order(column, newest_first=newest_first)
    if start:
        indexed &= start.beyond(column, newest_first=newest_first)
    bound = None
    if limit:
        # Counts deleted rows, too, so that an index alone can answer.
        ends = model.all_objects.filter(indexed).order_by(*order).values_list(column, "pk")[limit - 1 : limit]
        bound = next((Key(at, model is ManualChange, pk) for at, pk in ends), None)
        if bound:
            indexed &= bound.up_to(column, newest_first=newest_first)
    # Chosen before anything is joined. PostgreSQL expects few rows for a date range in a prepared statement, and would
    # join and sort all of them.
    chosen: Any = model.objects.filter(indexed).filter(conditions).order_by(*order).values("pk")[: size + 1]
    rows: QuerySet[Any]
    if model is Deploy:
        rows = with_previous_sha(Deploy.objects.filter(pk__in=chosen)).prefetch_related("tags")
        rows = rows.select_related("project", "deployment", "environment", "target", "rolled_back_by")
    else:
        rows = with_related(ManualChange.objects.filter(pk__in=chosen))
    found = list(rows.order_by(*order))
    return Scan(found[:size], len(found) > size, bound)


@dataclass(frozen=True, slots=True)
class Undone:
    """What a rollback undid. If ``count`` is 1, the other fields describe that deploy; ``revision`` is its version or
    its sha."""

    count: int
    deploy_id: int
    revision: str


def find_undone(deploys: list[Deploy]) -> dict[int, Undone]:
    """By the id of each rollback among ``deploys``."""
    rollbacks = [deploy.id for deploy in deploys if deploy.is_rollback]
    counts = (
        Deploy.objects.filter(rolled_back_by__in=rollbacks)
        .order_by()
        .values("rolled_back_by")
        .annotate(count=Count("id"), first=Min("id"), sha=Min("sha"), version=Min("version"))
    )
    return {
        row["rolled_back_by"]: Undone(row["count"], row["first"], row["version"] or row["sha"])  # type: ignore[misc]  # it has one
        for row in counts
    }


def fingerprint(filters: Filters) -> str:
    """Changes with the newest deploys in scope, whether or not they match the other filters."""
    newest = Deploy.objects.filter(filters.indexed()).order_by(*in_order())
    rows = list(newest.values_list("id", "restores_id", "rolled_back_by_id", "health_set", "status")[:PAGE_SIZE])
    return hashlib.blake2s(repr(rows).encode(), digest_size=8).hexdigest()


def target_of(*, deployment_id: int, environment_id: int) -> int:
    """The id of the target; 0, which no target has, if nothing was ever deployed there."""
    found = Target.objects.filter(deployment=deployment_id, environment=environment_id).values_list("pk", flat=True)
    return found.first() or 0
