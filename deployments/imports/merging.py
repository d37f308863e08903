"""Which deploys of a file are missing in a history that both systems wrote for a while."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from heapq import merge
from typing import NamedTuple

from deployments.api.dates import to_microseconds
from deployments.imports.file_history import History
from deployments.models import Deploy
from deployments.shas import commits_of

# Two systems that got the same call at once date it by their own clocks, and CI jobs call one after the other.
SAME_DEPLOY_WITHIN = timedelta(minutes=10)


class Moment(NamedTuple):
    """A deploy in order; ``commit`` is the longest name that its sha has. ``row`` is its index in the file, or -1 if it
    is stored already."""

    at: int
    is_new: bool
    commit: str
    row: int = -1


def missing_from(target_id: int, new: History) -> History:
    """Those deploys of ``new`` that the target does not have. The others count as duplicates.

    A deploy is there if one of its commit was stored for about that moment, each for one of them, or if it repeats the
    commit that is live before or after it.
    """
    rows = new.rows
    stored = list(read_present(target_id, new))
    shas = {index: rows.shas[index].decode() for index in new.deploys}
    names = commits_of({*shas.values(), *(sha for _, sha in stored)})
    present = [Moment(at, False, names.get(sha, sha)) for at, sha in stored]
    sent = [Moment(rows.deployed_at[index], True, names.get(sha, sha), index) for index, sha in shas.items()]
    merged = merge(present, without_matches(present, sent))
    moments = merged if new.records_redeploys else without_repetitions(merged)
    missing = [moment.row for moment in moments if moment.is_new]
    kept = set(missing)
    dropped = [index for index in new.deploys if index not in kept]
    return replace(new, deploys=missing, duplicates=[*new.duplicates, *dropped])


def read_present(target_id: int, new: History) -> Iterator[tuple[int, str]]:
    """The moments and shas that are stored in the time of the file, with one deploy before and one after it."""
    if not new.deploys:
        return
    begin = new.rows.dates(new.deploys[0])[0] - SAME_DEPLOY_WITHIN
    end = new.rows.dates(new.deploys[-1])[0] + SAME_DEPLOY_WITHIN
    succeeded = Deploy.succeeded.filter(target=target_id)
    stored = succeeded.order_by("deployed_at", "id").values_list("deployed_at", "sha")
    for deploys in (
        stored.filter(deployed_at__lt=begin).order_by("-deployed_at", "-id")[:1],
        stored.filter(deployed_at__range=(begin, end)),
        stored.filter(deployed_at__gt=end)[:1],
    ):
        for at, sha in deploys.iterator():
            yield to_microseconds(at), sha


def without_matches(present: Iterable[Moment], sent: Iterable[Moment]) -> Iterator[Moment]:
    """Those of ``sent`` that no stored deploy of their commit is near to."""
    within = SAME_DEPLOY_WITHIN // timedelta(microseconds=1)
    moments: dict[str, list[int]] = defaultdict(list)
    for moment in present:
        moments[moment.commit].append(moment.at)
    for moment in sent:
        same = moments.get(moment.commit, [])
        position = bisect_left(same, moment.at)
        near = min(same[max(0, position - 1) : position + 1], key=lambda at: abs(at - moment.at), default=None)
        if near is not None and abs(near - moment.at) <= within:
            same.remove(near)
        else:
            yield moment


def without_repetitions(moments: Iterable[Moment]) -> list[Moment]:
    """Of neighbours of the same commit, the one that is stored already; of two new ones, the earlier."""
    kept: list[Moment] = []
    for moment in moments:
        if kept and kept[-1].commit == moment.commit:
            if moment.is_new:
                continue
            if kept[-1].is_new:
                kept.pop()
        kept.append(moment)
    return kept
