"""Reading what the page of a deploy shows."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deployments.models import Commit, Deploy, PullRequest, Target
from deployments.registration.representation import with_previous_sha
from deployments.shas import HASH, SHORTEST, begins_with, names_among
from deployments.timeline.pager import Key, in_order
from orgs.models import Environment

AUTHORS_SHOWN = 12
UNDONE_SHOWN = 10
COMMITS_READ = 1_000


def deploys_for_page(organization_id: int) -> QuerySet[Deploy]:
    """Includes deleted deploys, because their page offers to restore them."""
    return (
        with_previous_sha(Deploy.all_objects.filter(organization=organization_id))
        .select_related("project", "deployment", "environment", "target", "token", "restores", "rolled_back_by")
        .prefetch_related("tags", "links")
    )


@dataclass(frozen=True, slots=True)
class PathStep:
    """An environment of the promotion path; ``deploy`` is the latest deploy of the sha there."""

    environment: Environment
    deploy: Deploy | None
    is_live: bool
    is_here: bool


def path_of(deploy: Deploy) -> list[PathStep]:
    """Where the deploy's sha was deployed, in promotion order."""
    # COALESCE makes SQLite look up the sha instead of reading the target's history in order of time.
    newest_first = (Coalesce("deployed_at", "deployed_at").desc(), "-id")
    names = {deploy.sha}
    if HASH.fullmatch(deploy.sha):
        alike = Deploy.succeeded.filter(begins_with("sha", deploy.sha[:SHORTEST]), organization=deploy.organization_id)
        others = alike.filter(deployment=deploy.deployment_id).order_by().values_list("sha", flat=True).distinct()
        names = names_among(others, deploy.sha)
    same_sha = Deploy.succeeded.filter(target=OuterRef("pk"), sha__in=names).order_by(*newest_first)
    targets = {
        target.environment_id: target
        for target in Target.objects.filter(deployment=deploy.deployment_id).annotate(
            latest=Subquery(same_sha.values("pk")[:1])
        )
    }
    latest = Deploy.objects.in_bulk([target.latest for target in targets.values() if target.latest])
    environments = Environment.objects.filter(project=deploy.environment.project_id).order_by("position", "id")
    steps = []
    for environment in environments:
        target = targets.get(environment.pk)
        found = latest.get(target.latest) if target else None
        is_live = found is not None and target is not None and target.live_deploy_id == found.pk
        steps.append(PathStep(environment, found, is_live, environment.pk == deploy.environment_id))
    return steps


def neighbours_of(deploy: Deploy) -> tuple[Deploy | None, Deploy | None]:
    """The previous and the next deploy in the history of its target."""
    key, history = Key.of(deploy), Deploy.objects.filter(target=deploy.target_id)
    return (
        history.filter(key.beyond()).order_by(*in_order()).first(),
        history.filter(key.beyond(newest_first=False)).order_by(*in_order(newest_first=False)).first(),
    )


def undone_deploys(deploy: Deploy) -> tuple[list[Deploy], int]:
    """The newest deploys that a rollback undid, and how many it undid."""
    undone = Deploy.objects.filter(rolled_back_by=deploy.pk)
    return list(undone.order_by(*in_order())[:UNDONE_SHOWN]), undone.count()


def authors_of(deploy: Deploy) -> list[dict[str, Any]]:
    """The authors of the commits, starting with the one who wrote most of them."""
    names = ("author_name", "author_email", "author_username")
    commits = Commit.objects.filter(deploy=deploy).exclude(**dict.fromkeys(names, "")).order_by()
    counted = commits.values(*names).annotate(commits=Count("id")).order_by("-commits", *names)
    return [
        {**row, "name": row["author_name"] or row["author_username"] or row["author_email"]}
        for row in counted[:AUTHORS_SHOWN]
    ]


def paths_in_commits(deploy: Deploy) -> list[str]:
    """The files of a deploy whose caller sent them only with the commits."""
    files = Commit.objects.filter(deploy=deploy).order_by("id").values_list("files", flat=True)
    return sorted({path for paths in files[:COMMITS_READ] for path in paths})


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the lead time."""

    name: str
    ended: str
    began_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> int:
        return int((self.ended_at - self.began_at).total_seconds())


STAGE_NAMES = {
    ("first commit", "pull request opened"): "Coding",
    ("pull request opened", "first review"): "Waiting for review",
    ("first review", "merged"): "Review",
    ("merged", "deployed"): "Deploying",
}


def stages_of(deploy: Deploy) -> list[Stage]:
    """Empty if the lead time is unknown. Ignores a moment that is missing or out of order."""
    if deploy.lead_time is None:
        return []
    moments = PullRequest.objects.filter(deploy=deploy).aggregate(
        opened=Min("opened_at"), reviewed=Min("first_reviewed_at"), merged=Max("merged_at")
    )
    first_commit = deploy.first_commit_at or deploy.deployed_at
    milestones: list[tuple[str, datetime]] = []
    if moments["opened"] is None or first_commit <= moments["opened"]:
        milestones.append(("first commit", first_commit))
    for milestone, name in (("pull request opened", "opened"), ("first review", "reviewed"), ("merged", "merged")):
        moment, latest = moments[name], milestones[-1][1] if milestones else moments[name]
        if moment and latest <= moment <= deploy.deployed_at:
            milestones.append((milestone, moment))
    milestones.append(("deployed", deploy.deployed_at))
    return [
        Stage(STAGE_NAMES.get((began, ended), f"{began} to {ended}".capitalize()), ended, began_at, ended_at)
        for (began, began_at), (ended, ended_at) in pairwise(milestones)
    ]
