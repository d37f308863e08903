"""The order of a target's deploys, and which of them undid which.

A rollback is a deploy of a sha that was live there before, with others since. It *restores* the latest earlier deploy
of that sha, and the deploys between the two are rolled back by it, each by the first rollback that spans it.

Deploys that did not succeed were never live, and take no part in any of this.

``rollbacks_of`` is that rule. A registration, a deletion and an import all apply it to the history that they change.
"""

from collections.abc import Collection, Hashable, Iterable, Sequence
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.models import Q

from deployments.models import Deploy, Target
from deployments.shas import HASH, SHORTEST, begins_with, commits_of, is_abbreviation


def rollbacks_of(
    shas: Sequence[str], *, earlier: Collection[str] = (), others: Collection[str] = ()
) -> tuple[dict[int, int], dict[int, int]]:
    """For the shas of a history in order: which index each rollback restores, and which index undid each deploy.

    ``earlier`` are shas that were live before the history begins. A rollback to one of them restores the index -1.
    ``others`` of the same target decide with them what an abbreviation means.
    """
    if commits := commits_of((*shas, *earlier, *others)):
        shas, earlier = ([commits.get(sha, sha) for sha in names] for names in (shas, earlier))
    return rollbacks_among(shas, earlier=earlier)


def rollbacks_among(
    commits: Sequence[Hashable], *, earlier: Collection[Hashable] = ()
) -> tuple[dict[int, int], dict[int, int]]:
    """The same for names of which each is another commit."""
    restores: dict[int, int] = {}
    rolled_back_by: dict[int, int] = {}
    latest: dict[Hashable, int] = dict.fromkeys(earlier, -1)
    standing: list[int] = []
    for index, commit in enumerate(commits):
        restored = latest.get(commit)
        if restored is not None and restored < index - 1:
            restores[index] = restored
            while standing and standing[-1] > restored:
                rolled_back_by[standing.pop()] = index
        latest[commit] = index
        standing.append(index)
    return restores, rolled_back_by


# --- The stored history of a target ---

SET_LINKS = "UPDATE deployments_deploy SET restores_id = %s, rolled_back_by_id = %s WHERE id = %s"
LINKS_AT_ONCE = 5_000
STARTS_AT_ONCE = 100


def before(deploy: Deploy) -> Q:
    """Deploys earlier than ``deploy``. The outer bound is one that an index can find."""
    earlier = Q(deployed_at__lt=deploy.deployed_at) | Q(id__lt=deploy.id)
    return Q(deployed_at__lte=deploy.deployed_at) & earlier


def neighbours(target_id: int, deployed_at: datetime) -> tuple[Deploy | None, Deploy | None]:
    """The deploys before and after a new one of ``deployed_at``, which follows those of the same moment."""
    history = Deploy.succeeded.filter(target=target_id)
    previous = history.filter(deployed_at__lte=deployed_at).order_by("-deployed_at", "-id").first()
    following = history.filter(deployed_at__gt=deployed_at).order_by("deployed_at", "id").first()
    return previous, following


def link_rollbacks(*, deploy_id: int) -> None:
    """Link a deploy that was just stored, wherever in the history it is, and those that it changes.

    None of them is earlier than the latest deploy of its sha before it or, if there is none, than the deploy before it.
    If there are other shas that may name its commit, that goes for the first of them: what they mean may have changed.
    """
    deploy = Deploy.objects.get(pk=deploy_id)
    earlier = Deploy.succeeded.filter(before(deploy), target=deploy.target_id).order_by("-deployed_at", "-id")
    since = earlier.filter(sha=deploy.sha).first()
    if HASH.fullmatch(deploy.sha):
        alike = earlier.filter(begins_with("sha", deploy.sha[:SHORTEST]))
        if alike.exclude(sha=deploy.sha).exists():
            since = alike.last()
    relink(deploy.target_id, since=since or earlier.first())


def relink_target(target_id: int) -> None:
    """Link the whole history again after a deploy was deleted or restored, and make the newest deploy live.

    Takes time with the length of the history. Must be called under the target's lock.
    """
    relink(target_id, since=None)
    set_newest_live(target_id)


def relink(target_id: int, *, since: Deploy | None) -> None:
    """Link the history from ``since`` on, whose own links to earlier deploys are right, or all of it."""
    deploys = Deploy.succeeded.filter(target=target_id).order_by("deployed_at", "id")
    if since:
        deploys = deploys.exclude(before(since)).filter(deployed_at__gte=since.deployed_at)
    history = list(deploys.values_list("id", "sha", "restores_id", "rolled_back_by_id"))
    # Links to what is earlier than ``since`` are kept.
    ids = [id_ for id_, *_ in history]
    known = {None, *ids}
    earlier = {sha for _, sha, restored, _ in history if since and restored not in known}
    shas = [sha for _, sha, _, _ in history]
    others = relatives(target_id, {*shas, *earlier}) if since else ()
    restores, rolled_back_by = rollbacks_of(shas, earlier=earlier, others=others)
    changed = []
    for index, (id_, _, *links) in enumerate(history):
        restored, undone_by = restores.get(index), rolled_back_by.get(index)
        is_kept = restored == -1 or (since and index == 0)
        right = (links[0] if is_kept else id_at(ids, restored), id_at(ids, undone_by))
        if right != tuple(links):
            changed.append((*right, id_))
    set_links(changed)


def relatives(target_id: int, shas: Collection[str]) -> Collection[str]:
    """The shas of the target that decide what the abbreviations among ``shas`` mean."""
    starts = {sha[:SHORTEST] for sha in shas if is_abbreviation(sha)}
    if not starts:
        return ()
    found = Q()
    if len(starts) <= STARTS_AT_ONCE:
        for start in starts:
            found |= begins_with("sha", start)
    return set(Deploy.succeeded.filter(found, target=target_id).order_by().values_list("sha", flat=True).distinct())


def id_at(ids: Sequence[int], index: int | None) -> int | None:
    return None if index is None else ids[index]


def set_links(links: Iterable[tuple[int | None, int | None, int]]) -> None:
    """Each is what a deploy restores, what rolled it back, and its own id."""
    remaining = iter(links)
    with connection.cursor() as cursor:
        # In pieces, since Django keeps all that it is given until the end.
        while piece := list(islice(remaining, LINKS_AT_ONCE)):
            cursor.executemany(SET_LINKS, piece)


def set_newest_live(target_id: int) -> None:
    newest = Deploy.succeeded.filter(target=target_id).order_by("-deployed_at", "-id").first()
    Target.objects.filter(pk=target_id).update(live_deploy=newest)
