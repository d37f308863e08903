"""Pages of a timeline, at any number of deploys.

Where the deploys are (an organization, a project, …), the dates and a commit's hash are found by an index. Every other
filter scans: it looks through at most so many deploys a page, and the reader decides whether to search further back.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.db.models.lookups import Exact, GreaterThan, Regex

from deployments.lookup import caseless
from deployments.models import Commit, Deploy, Tag, Target
from deployments.registration.representation import with_previous_sha
from deployments.timeline.pager import NEWEST_FIRST, OLDEST_FIRST, Key

PAGE_SIZE = 50
# Deploys that one page looks through for what no index finds: as many as take a fraction of the page's own time. To
# match a pattern or to look up a tag takes longer than to compare, most of all on SQLite, and each deploy may have many
# commits.
SCAN_LIMIT = 10_000
SCAN_LIMIT_BY_PATTERN = 3_000
SCAN_LIMIT_WITH_COMMITS = 2_000
HASH = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a timeline shows; empty values admit everything. ``target_id`` is a deployment in one environment."""

    organization_id: int
    project_id: int | None = None
    deployment_id: int | None = None
    deployment_ids: tuple[int, ...] | None = None
    environment_ids: tuple[int, ...] | None = None
    target_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""
    author: str = ""
    tag: str = ""
    sha: str = ""
    version: str = ""
    text: str = ""

    def indexed(self) -> Q:
        """What an index finds: by the narrowest place alone, so that the database has no other index to choose."""
        if self.target_id is not None:
            found = Q(target=self.target_id)
        elif self.deployment_id is not None:
            found = Q(deployment=self.deployment_id)
        elif self.environment_ids is not None and len(self.environment_ids) == 1:
            found = Q(environment=self.environment_ids[0])
        elif self.project_id is not None:
            found = Q(project=self.project_id)
        else:
            found = Q(organization=self.organization_id)
        if self.since:
            found &= Q(deployed_at__gte=self.since)
        if self.until:
            found &= Q(deployed_at__lt=self.until)
        if hash_ := self.hash_prefix():
            found &= Q(organization=self.organization_id) & begins_with("sha", hash_)
        return found

    def scanned(self) -> Q:
        conditions = Q()
        environments = self.environment_ids
        if environments is not None and self.target_id is None and (len(environments) != 1 or self.deployment_id):
            conditions &= Q(environment__in=environments)
        if self.deployment_ids is not None:
            conditions &= Q(deployment__in=self.deployment_ids)
        if self.kind:
            conditions &= KINDS.get(self.kind, NO_DEPLOY)
        if self.author:
            # One match for both; nobody has this character in a name.
            either = Concat("author_name", Value("\x1f"), "author_email")
            conditions &= Q(Regex(either, caseless(self.author)))
        if self.tag:
            # No EXISTS: PostgreSQL would read the tags of all deploys there are to find a rare one.
            same = Tag.objects.filter(deploy=OuterRef("pk"), name=self.tag).values("name")
            conditions &= KINDS.get(self.tag) or Q(Exact(Subquery(same), self.tag))
        if self.sha:
            conditions &= Q(sha__regex=f"^{caseless(self.sha)}")
        if self.version:
            conditions &= Q(version__regex=f"^{caseless(self.version)}")
        if self.text:
            pattern = caseless(self.text)
            # A range of one, so that PostgreSQL looks commits up one deploy at a time: by an equality it may read all
            # there are, once and for all.
            of_deploy = Commit.objects.filter(deploy__gte=OuterRef("pk"), deploy__lte=OuterRef("pk"))
            in_commits = Q(commit_count__gt=0) & Q(Exists(of_deploy.filter(message__regex=pattern)))
            conditions &= Q(title__regex=pattern) | Q(version__regex=pattern) | in_commits
        return conditions

    def hash_prefix(self) -> str:
        """The beginning of a commit's hash, which the index on sha finds under any collation; else empty."""
        folded = self.sha.lower()
        return folded if HASH.fullmatch(folded) else ""

    def scan_limit(self) -> int | None:
        """How many deploys a page looks through at the most; none where an index finds what is asked for."""
        if self.hash_prefix() or not self.scanned():
            return None
        if self.text:
            return SCAN_LIMIT_WITH_COMMITS
        is_compared = not (self.author or self.sha or self.version) and (not self.tag or self.tag in KINDS)
        return SCAN_LIMIT if is_compared else SCAN_LIMIT_BY_PATTERN


# The tags that no caller sends: a deploy has them by its place in the history. COALESCE keeps PostgreSQL from reading
# all rollbacks there are by the index of what they restore, which is not in the order of time.
KINDS = {
    "deploy": Q(restores=None, rolled_back_by=None),
    "rollback": Q(GreaterThan(Coalesce(F("restores_id"), 0), 0)),
    "rolled_back": Q(GreaterThan(Coalesce(F("rolled_back_by_id"), 0), 0)),
}

# A timeline's other kinds, such as manual changes.
NO_DEPLOY = Q(pk__in=())


def begins_with(column: str, hash_: str) -> Q:
    """That a column's text begins with these hexadecimal digits, as an index finds it under any collation."""
    return Q((f"{column}__gte", hash_), (f"{column}__lt", successor(hash_)))


def successor(hash_: str) -> str:
    """What follows every text that begins so, in the order of code points and of any language."""
    digits = "0123456789abcdefg"
    return hash_[:-1] + digits[digits.index(hash_[-1]) + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Newest first. ``older`` and ``newer`` are where the neighbouring pages begin; with ``searched`` set, the one in
    the direction of reading is a further search, since that many deploys were looked through, up to ``searched_to``."""

    deploys: list[Deploy] = field(default_factory=list)
    older: Key | None = None
    newer: Key | None = None
    searched: int | None = None
    searched_to: datetime | None = None


def read_page(
    filters: Filters, *, before: Key | None = None, after: Key | None = None, size: int | None = None
) -> Page:
    """The newest deploys, or those next to a key. Too few newer ones for a page give the first page."""
    if after is not None:
        found, more, bound = scan(filters, start=after, newest_first=False, size=size)
        if more or bound:
            return Page(
                deploys=found[::-1],
                older=Key.of(found[0]) if found else after,
                newer=Key.of(found[-1]) if more else bound,
                searched=filters.scan_limit() if not more else None,
                searched_to=bound.at if bound else None,
            )
        before = None
    found, more, bound = scan(filters, start=before, newest_first=True, size=size)
    further = bound if not more else None
    return Page(
        deploys=found,
        older=Key.of(found[-1]) if more else further,
        newer=(Key.of(found[0]) if found else before) if before else None,
        searched=filters.scan_limit() if further else None,
        searched_to=further.at if further else None,
    )


def scan(
    filters: Filters, *, start: Key | None, newest_first: bool, size: int | None = None
) -> tuple[list[Deploy], bool, Key | None]:
    """A page of deploys, whether there are more among those looked through, and where the looking ended before all
    were seen."""
    order = NEWEST_FIRST if newest_first else OLDEST_FIRST
    size = size or PAGE_SIZE
    place = filters.indexed()
    if start:
        place &= start.older() if newest_first else start.newer()
    bound = None
    if limit := filters.scan_limit():
        # Deleted ones count too: so an index alone answers.
        ends = Deploy.all_objects.filter(place).order_by(*order).values_list("deployed_at", "id")[limit - 1 : limit]
        bound = next((Key(*end) for end in ends), None)
        if bound:
            place &= bound.not_older() if newest_first else bound.not_newer()
    # Chosen before anything is joined: of dates in a prepared statement PostgreSQL expects so few deploys that it would
    # join and sort all of them.
    chosen = Deploy.objects.filter(place).filter(filters.scanned()).order_by(*order).values("pk")[: size + 1]
    found = list(rows_of(with_previous_sha(Deploy.objects.filter(pk__in=chosen))).order_by(*order))
    return found[:size], len(found) > size, bound


def rows_of(deploys: QuerySet[Deploy]) -> QuerySet[Deploy]:
    """With what a row of a timeline shows."""
    return deploys.select_related("project", "deployment", "environment", "target", "rolled_back_by").prefetch_related(
        "tags"
    )


@dataclass(frozen=True, slots=True)
class Undone:
    """What a rollback undid. ``deploy_id`` and ``revision``, its version or else its sha, are the only one's, where it
    is only one."""

    count: int
    deploy_id: int
    revision: str


def undone_by(deploys: list[Deploy]) -> dict[int, Undone]:
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
    """Changes whenever the newest deploys of the place do, whether or not the filters admit them."""
    newest = Deploy.objects.filter(filters.indexed()).order_by(*NEWEST_FIRST)
    rows = list(newest.values_list("id", "restores_id", "rolled_back_by_id", "health_set")[:PAGE_SIZE])
    return hashlib.blake2s(repr(rows).encode(), digest_size=8).hexdigest()


def target_of(*, deployment_id: int, environment_id: int) -> int:
    """The id of the target; 0, which is nobody's, where nothing was ever deployed."""
    found = Target.objects.filter(deployment=deployment_id, environment=environment_id).values_list("pk", flat=True)
    return found.first() or 0
