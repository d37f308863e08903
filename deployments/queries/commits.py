"""Where a commit is and since when, and where a rollback took it away again."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from deployments.models import Deploy
from deployments.queries.revisions import find_revision

# The order of a target's history.
Moment = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Stay:
    """In an environment, since ``deploy``. It ended where ``undone_by`` is set."""

    deploy: Deploy
    undone_by: Deploy | None = None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """``stays`` has the latest one of each target, in order of projects, environments and deployments."""

    sha: str
    stays: list[Stay]


def find_commit(deploys: QuerySet[Deploy], text: str) -> Whereabouts | None:
    """Where the commit of this sha, or of one that begins so, is by ``deploys``. Raises revisions.Ambiguous."""
    living = deploys.filter(deployment__deleted_at=None, environment__deleted_at=None, project__deleted_at=None)
    found = find_revision(living, text)
    if found is None:
        return None
    carriers: dict[int, list[Deploy]] = defaultdict(list)
    for deploy in found.deploys:
        carriers[deploy.target_id].append(deploy)
    rollbacks: dict[int, list[Deploy]] = defaultdict(list)
    for rollback in rollbacks_since(min(deploy.deployed_at for deploy in found.deploys), list(carriers)):
        rollbacks[rollback.target_id].append(rollback)
    spans = [latest_stay(carriers[target], rollbacks[target]) for target in carriers]
    whole = living.in_bulk([pk for span in spans for pk in span if pk])
    stays = [Stay(whole[began], whole.get(ended) if ended else None) for began, ended in spans]
    return Whereabouts(found.sha, sorted(stays, key=place_of))


def rollbacks_since(moment: datetime, targets: Sequence[int]) -> QuerySet[Deploy]:
    rollbacks = Deploy.objects.filter(target__in=targets, deployed_at__gte=moment, restores__isnull=False)
    return rollbacks.select_related("restores").only("target_id", "deployed_at", "restores__deployed_at")


def latest_stay(carriers: Sequence[Deploy], rollbacks: Sequence[Deploy]) -> tuple[int, int | None]:
    """The ids of the deploy with which the commit came to a target, and of the rollback that ended its stay, if any.

    A carrier brings the commit; a rollback leaves the target as what it restores had left it.
    """
    bringing = {deploy.pk for deploy in carriers}
    history = {moment_of(deploy): deploy for deploy in (*rollbacks, *carriers)}
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


def place_of(stay: Stay) -> tuple[str, int, int, str]:
    deploy = stay.deploy
    return deploy.project.slug, deploy.environment.position, deploy.environment_id, deploy.deployment.slug
