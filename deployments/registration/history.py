"""The order of a target's deploys, and which of them undid which.

A rollback is a deploy of a sha that was live there before, with others since. It *restores* the latest earlier deploy
of that sha, and the deploys between the two are rolled back by it, each by the first rollback that spans it.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from deployments.models import Deploy


def before(deployed_at: datetime, deploy_id: int) -> Q:
    return Q(deployed_at__lt=deployed_at) | Q(deployed_at=deployed_at, id__lt=deploy_id)


def after(deployed_at: datetime, deploy_id: int) -> Q:
    return Q(deployed_at__gt=deployed_at) | Q(deployed_at=deployed_at, id__gt=deploy_id)


def neighbours(target_id: int, deployed_at: datetime) -> tuple[Deploy | None, Deploy | None]:
    """The deploys that a new one of ``deployed_at`` would stand between; it follows those of the same moment."""
    history = Deploy.objects.filter(target=target_id)
    previous = history.filter(deployed_at__lte=deployed_at).order_by("-deployed_at", "-id").first()
    following = history.filter(deployed_at__gt=deployed_at).order_by("deployed_at", "id").first()
    return previous, following


def link_rollbacks(*, deploy_id: int) -> None:
    """Work out what a deploy that was just stored undid, and what undid it, wherever in the history it stands."""
    deploy = Deploy.objects.get(pk=deploy_id)
    history = Deploy.objects.filter(target=deploy.target_id)
    same_sha = history.filter(sha=deploy.sha)
    here = (deploy.deployed_at, deploy.id)
    restored = same_sha.filter(before(*here)).order_by("-deployed_at", "-id").first()
    repeated = same_sha.filter(after(*here)).order_by("deployed_at", "id").first()
    if restored:
        history.filter(pk=deploy.pk).update(restores=restored)
        roll_back(between(history, restored, deploy), by=deploy)
    if repeated:
        history.filter(pk=repeated.pk).update(restores=deploy)
        roll_back(between(history, deploy, repeated), by=repeated)
    spanning = history.filter(
        after(*here),
        Q(restores__deployed_at__lt=deploy.deployed_at)
        | Q(restores__deployed_at=deploy.deployed_at, restores__id__lt=deploy.id),
    )
    first = spanning.order_by("deployed_at", "id").first()
    if first:
        history.filter(pk=deploy.pk).update(rolled_back_by=first)


def between(history: QuerySet[Deploy], first: Deploy, last: Deploy) -> QuerySet[Deploy]:
    return history.filter(after(first.deployed_at, first.id), before(last.deployed_at, last.id))


def roll_back(deploys: QuerySet[Deploy], *, by: Deploy) -> None:
    """Mark them, but for those that an earlier rollback undid already."""
    undone_later = Q(rolled_back_by__deployed_at__gt=by.deployed_at) | Q(
        rolled_back_by__deployed_at=by.deployed_at, rolled_back_by__id__gt=by.id
    )
    ids = deploys.filter(Q(rolled_back_by=None) | undone_later).values("pk")
    Deploy.objects.filter(pk__in=ids).update(rolled_back_by=by)
