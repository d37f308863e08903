"""Finding a commit by its sha, the beginning of its sha or a version, and finding the environments that have it."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from deployments.models import Commit, Deploy, Status
from deployments.shas import BEGINNING, commits_of, folded, is_whole, named_like


class Ambiguous(Exception):
    """The text may mean several commits. ``revisions`` lists them in order."""

    def __init__(self, revisions: list[str]) -> None:
        super().__init__()
        self.revisions = revisions


def find_carriers(deploys: QuerySet[Deploy], text: str) -> tuple[str, list[Deploy]] | None:
    """The sha that ``text`` means, and those of ``deploys`` that have it as their own sha or among their commits.

    Reads only the position of the deploys in the history. Raises Ambiguous.
    """
    text = folded(text)
    positions = (
        deploys.select_related(None).prefetch_related(None).only("target_id", "deployed_at", "sha", "restores_id")
    )
    found: dict[str, dict[int, Deploy]] = defaultdict(dict)
    for deploy in positions.filter(condition("sha", text)):
        found[deploy.sha][deploy.pk] = deploy
    # Does not join the deploys: few commits match, but a database might start with the many deploys.
    commits = list(Commit.objects.filter(condition("revision", text)).order_by().values_list("revision", "deploy_id"))
    visible = positions.in_bulk(list({deploy_id for _, deploy_id in commits}))
    for revision, deploy_id in commits:
        if deploy_id in visible:
            found[revision][deploy_id] = visible[deploy_id]
    if not found:
        return None
    spellings = choose(set(found), text)
    return spellings[0], list({pk: deploy for sha in spellings for pk, deploy in found[sha].items()}.values())


def condition(column: str, text: str) -> Q:
    """A condition for an index. It includes the abbreviations that callers may have registered."""
    beginning = text.lower()
    return named_like(column, beginning) if BEGINNING.fullmatch(beginning) else Q((column, text))


def choose(candidates: set[str], text: str) -> list[str]:
    """The one commit that ``text`` means, followed by its abbreviations. Raises Ambiguous.

    2024 and 20241 may be two versions.
    """
    commits = commits_of(candidates)
    if is_whole(text) and text not in candidates:
        # Nobody registered the whole sha, so its longest abbreviation stands for it.
        return sorted(candidates, key=len, reverse=True)
    meant = {commits.get(text, text)} if text in candidates else {commits.get(name, name) for name in candidates}
    if len(meant) > 1:
        raise Ambiguous(sorted(candidates))
    return sorted((name for name in candidates if commits.get(name, name) in meant), key=len, reverse=True)


# --- The environments that have a commit ---

# A position in a target's history, by date and id.
Position = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class CommitLocation:
    """The commit is in the environment of ``deploy`` since then, and until ``rolled_back_by`` if that is set."""

    deploy: Deploy
    rolled_back_by: Deploy | None = None


def find_commit(deploys: QuerySet[Deploy], text: str) -> tuple[str, list[CommitLocation]] | None:
    """The complete sha of the commit whose sha is or begins with ``text``, and its latest location in each target,
    sorted by project, environment and deployment. Raises Ambiguous."""
    active = deploys.filter(
        status=Status.SUCCEEDED,
        deployment__deleted_at=None,
        environment__deleted_at=None,
        project__deleted_at=None,
    )
    found = find_carriers(active, text)
    if found is None:
        return None
    sha, carrying = found
    carriers: dict[int, list[Deploy]] = defaultdict(list)
    for deploy in carrying:
        carriers[deploy.target_id].append(deploy)
    first_at = min(deploy.deployed_at for deploy in carrying)
    later = Deploy.succeeded.filter(target__in=carriers, deployed_at__gte=first_at, restores__isnull=False)
    rollbacks: dict[int, list[Deploy]] = defaultdict(list)
    for rollback in later.select_related("restores").only("target_id", "deployed_at", "restores__deployed_at"):
        rollbacks[rollback.target_id].append(rollback)
    spans = [latest_span(brought, rollbacks[target]) for target, brought in carriers.items()]
    complete = active.in_bulk([pk for span in spans for pk in span if pk])
    locations = [CommitLocation(complete[began], complete.get(ended) if ended else None) for began, ended in spans]
    return sha, sorted(locations, key=display_order)


def latest_span(carriers: Sequence[Deploy], rollbacks: Sequence[Deploy]) -> tuple[int, int | None]:
    """The ids of the deploy that last brought the commit to a target, and of the rollback that removed it, if any.

    After a rollback, the target has the commit if it had the commit after the deploy that the rollback restores.
    """
    carrier_ids = {deploy.pk for deploy in carriers}
    history = {position_of(deploy): deploy for deploy in (*rollbacks, *carriers)}
    positions = sorted(history)
    present: list[bool] = []
    began = ended = 0
    for position in positions:
        deploy = history[position]
        is_present = deploy.pk in carrier_ids or was_present(positions, present, deploy.restores)
        if is_present and not (present and present[-1]):
            began = deploy.pk
        elif present and present[-1] and not is_present:
            ended = deploy.pk
        present.append(is_present)
    return began, None if present[-1] else ended


def was_present(positions: Sequence[Position], present: Sequence[bool], restored: Deploy | None) -> bool:
    """Whether the commit was present after the deploy ``restored``, which is older than all that is not yet known."""
    index = bisect_right(positions, position_of(restored)) if restored else 0
    return index > 0 and present[index - 1]


def position_of(deploy: Deploy) -> Position:
    return deploy.deployed_at, deploy.pk


def display_order(location: CommitLocation) -> tuple[str, int, int, str]:
    deploy = location.deploy
    return deploy.project.slug, deploy.environment.position, deploy.environment_id, deploy.deployment.slug
