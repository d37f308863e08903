"""Which commit a text means: its whole sha, the beginning of it, or the name of a version."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from deployments.models import Commit, Deploy
from deployments.timeline.queries import HASH, begins_with

FULL_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Git itself abbreviates to no less.
SHORTEST_HASH = 7


class Ambiguous(Exception):
    """``revisions`` are those that the text may mean, in order."""

    def __init__(self, revisions: list[str]) -> None:
        super().__init__()
        self.revisions = revisions


@dataclass(frozen=True, slots=True)
class Found:
    """``deploys`` carry the commit ``sha``, in no order: it was deployed itself, or came among their commits."""

    sha: str
    deploys: list[Deploy]


def find_revision(deploys: QuerySet[Deploy], text: str) -> Found | None:
    """Among ``deploys``, of which only what a place in a history needs is read. Raises Ambiguous."""
    in_short = (
        deploys.select_related(None).prefetch_related(None).only("target_id", "deployed_at", "sha", "restores_id")
    )
    found: dict[str, dict[int, Deploy]] = defaultdict(dict)
    for deploy in in_short.filter(condition("sha", text)):
        found[deploy.sha][deploy.pk] = deploy
    # Without the deploys, from which a database might start: it knows few commits of a beginning, and many deploys.
    of_commits = list(
        Commit.objects.filter(condition("revision", text)).order_by().values_list("revision", "deploy_id")
    )
    visible = in_short.in_bulk(list({deploy_id for _, deploy_id in of_commits}))
    for revision, deploy_id in of_commits:
        if deploy_id in visible:
            found[revision][deploy_id] = visible[deploy_id]
    if not found:
        return None
    sha, *spellings = choose(set(found), text)
    return Found(sha, list({pk: deploy for name in (sha, *spellings) for pk, deploy in found[name].items()}.values()))


def condition(column: str, text: str) -> Q:
    """What an index finds. A caller may have registered a whole sha by its beginning."""
    folded = text.lower()
    if FULL_HASH.fullmatch(folded):
        return Q((f"{column}__in", [text, *(folded[:length] for length in range(SHORTEST_HASH, len(folded) + 1))]))
    if HASH.fullmatch(folded):
        return begins_with(column, folded)
    return Q((column, text))


def choose(candidates: set[str], text: str) -> list[str]:
    """The name of the one commit that is meant, followed by its abbreviations. Raises Ambiguous.

    Only a whole sha makes the beginnings of it the same: 2024 and 20241 may be two versions.
    """
    whole = sorted(filter(FULL_HASH.fullmatch, candidates))
    if len(whole) == 1:
        same = [name for name in candidates if len(name) >= SHORTEST_HASH and whole[0].startswith(name)]
        if len(same) == len(candidates):
            return sorted(same, key=len, reverse=True)
    if text in candidates:
        return [text]
    if FULL_HASH.fullmatch(text.lower()):
        # Nobody registered it whole: the longest beginning stands for it.
        return sorted(candidates, key=len, reverse=True)
    if len(candidates) > 1:
        raise Ambiguous(sorted(candidates))
    return list(candidates)


# --- Where a commit is and since when, and where a rollback took it away again ---

# The order of a target's history.
Moment = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class CommitLocation:
    """In an environment, since ``deploy``. It ended where ``undone_by`` is set."""

    deploy: Deploy
    undone_by: Deploy | None = None


@dataclass(frozen=True, slots=True)
class CommitLocations:
    """``locations`` has the latest one of each target, in order of projects, environments and deployments."""

    sha: str
    locations: list[CommitLocation]


def find_commit(deploys: QuerySet[Deploy], text: str) -> CommitLocations | None:
    """Where the commit of this sha, or of one that begins so, is by ``deploys``. Raises revisions.Ambiguous."""
    active = deploys.filter(deployment__deleted_at=None, environment__deleted_at=None, project__deleted_at=None)
    found = find_revision(active, text)
    if found is None:
        return None
    bringing_deploys: dict[int, list[Deploy]] = defaultdict(list)
    for deploy in found.deploys:
        bringing_deploys[deploy.target_id].append(deploy)
    rollbacks: dict[int, list[Deploy]] = defaultdict(list)
    for rollback in rollbacks_since(min(deploy.deployed_at for deploy in found.deploys), list(bringing_deploys)):
        rollbacks[rollback.target_id].append(rollback)
    spans = [latest_location(bringing_deploys[target], rollbacks[target]) for target in bringing_deploys]
    whole = active.in_bulk([pk for span in spans for pk in span if pk])
    locations = [CommitLocation(whole[began], whole.get(ended) if ended else None) for began, ended in spans]
    return CommitLocations(found.sha, sorted(locations, key=display_order))


def rollbacks_since(moment: datetime, targets: Sequence[int]) -> QuerySet[Deploy]:
    rollbacks = Deploy.objects.filter(target__in=targets, deployed_at__gte=moment, restores__isnull=False)
    return rollbacks.select_related("restores").only("target_id", "deployed_at", "restores__deployed_at")


def latest_location(bringing_deploys: Sequence[Deploy], rollbacks: Sequence[Deploy]) -> tuple[int, int | None]:
    """The ids of the deploy that brought the commit to a target and of the rollback that took it away, if one did.

    A rollback leaves the target as what it restores had left it.
    """
    bringing = {deploy.pk for deploy in bringing_deploys}
    history = {moment_of(deploy): deploy for deploy in (*rollbacks, *bringing_deploys)}
    moments = sorted(history)
    here: list[bool] = []
    began = ended = 0
    for moment in moments:
        deploy = history[moment]
        is_here = deploy.pk in bringing or was_here(moments, here, deploy.restores)
        if is_here and not (here and here[-1]):
            began = deploy.pk
        elif here and here[-1] and not is_here:
            ended = deploy.pk
        here.append(is_here)
    return began, None if here[-1] else ended


def was_here(moments: Sequence[Moment], here: Sequence[bool], restored: Deploy | None) -> bool:
    """After the deploy ``restored``, which is before those that ``here`` knows nothing of yet."""
    index = bisect_right(moments, moment_of(restored)) if restored else 0
    return index > 0 and here[index - 1]


def moment_of(deploy: Deploy) -> Moment:
    return deploy.deployed_at, deploy.pk


def display_order(location: CommitLocation) -> tuple[str, int, int, str]:
    deploy = location.deploy
    return deploy.project.slug, deploy.environment.position, deploy.environment_id, deploy.deployment.slug
