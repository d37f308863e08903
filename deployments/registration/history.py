"""The order of a target's deploys, and which of them undid which.

A rollback is a deploy of a sha that was live there before, with others since. It *restores* the latest earlier deploy
of that sha, and the deploys between the two are rolled back by it, each by the first rollback that spans it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from deployments.models import Deploy, Target


def before(deploy: Deploy, prefix: str = "") -> Q:
    """Where what ``prefix`` names stands before ``deploy``. The outer bound is one that an index can find."""
    earlier = Q((f"{prefix}deployed_at__lt", deploy.deployed_at)) | Q((f"{prefix}id__lt", deploy.id))
    return Q((f"{prefix}deployed_at__lte", deploy.deployed_at)) & earlier


def after(deploy: Deploy, prefix: str = "") -> Q:
    later = Q((f"{prefix}deployed_at__gt", deploy.deployed_at)) | Q((f"{prefix}id__gt", deploy.id))
    return Q((f"{prefix}deployed_at__gte", deploy.deployed_at)) & later


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
    if restored := same_sha.filter(before(deploy)).order_by("-deployed_at", "-id").first():
        link(restored, by=deploy)
    if repeated := same_sha.filter(after(deploy)).order_by("deployed_at", "id").first():
        link(deploy, by=repeated)
    spanning = history.filter(after(deploy), before(deploy, "restores__"))
    if first := spanning.order_by("deployed_at", "id").first():
        Deploy.objects.filter(pk=deploy.pk).update(rolled_back_by=first)


def link(restored: Deploy, *, by: Deploy) -> None:
    """``by`` restores ``restored`` and undoes what is between, but for what an earlier rollback undid already."""
    Deploy.objects.filter(pk=by.pk).update(restores=restored)
    between = Deploy.objects.filter(after(restored), before(by), target=by.target_id)
    undone = between.filter(Q(rolled_back_by=None) | after(by, "rolled_back_by__"))
    Deploy.objects.filter(pk__in=undone.values("pk")).update(rolled_back_by=by)


def relink_target(target_id: int) -> None:
    """Work out the whole history again, after a deploy was taken out of it or put back. The newest deploy is live.

    Takes time with the length of the history. Must be called under the target's lock.
    """
    # No more than is needed, since an import may have brought hundreds of thousands.
    links_and_sha = ("id", "sha", "restores_id", "rolled_back_by_id")
    history = list(Deploy.objects.filter(target=target_id).order_by("deployed_at", "id").only(*links_and_sha))
    restores, rolled_back_by = rollbacks_of([deploy.sha for deploy in history])
    changed = []
    for index, deploy in enumerate(history):
        restored, undone_by = restores.get(index), rolled_back_by.get(index)
        links = (
            None if restored is None else history[restored].id,
            None if undone_by is None else history[undone_by].id,
        )
        if links != (deploy.restores_id, deploy.rolled_back_by_id):
            deploy.restores_id, deploy.rolled_back_by_id = links
            changed.append(deploy)
    Deploy.objects.bulk_update(changed, ["restores", "rolled_back_by"], batch_size=500)
    set_newest_live(target_id)


def set_newest_live(target_id: int) -> None:
    newest = Deploy.objects.filter(target=target_id).order_by("-deployed_at", "-id").first()
    Target.objects.filter(pk=target_id).update(live_deploy=newest)


def rollbacks_of(shas: Sequence[str]) -> tuple[dict[int, int], dict[int, int]]:
    """Of a history's shas in order: which index each rollback restores, and which index undid each rolled back one."""
    restores: dict[int, int] = {}
    rolled_back_by: dict[int, int] = {}
    latest: dict[str, int] = {}
    standing: list[int] = []
    for index, sha in enumerate(shas):
        restored = latest.get(sha)
        if restored is not None and restored < index - 1:
            restores[index] = restored
            while standing and standing[-1] > restored:
                rolled_back_by[standing.pop()] = index
        latest[sha] = index
        standing.append(index)
    return restores, rolled_back_by
