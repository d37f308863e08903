"""Which commit a text means: its whole sha, the beginning of it, or the name of a version."""

import re
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from deployments.models import Commit, Deploy
from deployments.queries.timeline import HASH, begins_with

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
