"""One deploy with everything around it."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deployments.models import Commit, Deploy, PullRequest, Target
from deployments.registration.representation import with_previous_sha
from deployments.timeline.pager import NEWEST_FIRST, OLDEST_FIRST, Key
from orgs.models import Environment

AUTHORS_SHOWN = 12
UNDONE_SHOWN = 10
COMMITS_READ = 1_000


def deploys_for_page(organization_id: int) -> QuerySet[Deploy]:
    """Deleted ones too: their page offers to bring them back."""
    return (
        with_previous_sha(Deploy.all_objects.filter(organization=organization_id))
        .select_related("project", "deployment", "environment", "target", "token", "restores", "rolled_back_by")
        .prefetch_related("tags", "links")
    )


@dataclass(frozen=True, slots=True)
class PathStep:
    """An environment of the deployment's path; ``deploy`` is the latest one of the sha there."""

    environment: Environment
    deploy: Deploy | None
    is_live: bool
    is_here: bool


def path_of(deploy: Deploy) -> list[PathStep]:
    """Where the deploy's sha went, in promotion order."""
    # COALESCE keeps SQLite from reading a target's history in this order instead of looking up the sha.
    newest_first = (Coalesce("deployed_at", "deployed_at").desc(), "-id")
    same_sha = Deploy.objects.filter(target=OuterRef("pk"), sha=deploy.sha).order_by(*newest_first)
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


@dataclass(frozen=True, slots=True)
class Neighbours:
    previous: Deploy | None
    following: Deploy | None


def neighbours_of(deploy: Deploy) -> Neighbours:
    """In the history of its target."""
    key, history = Key.of(deploy), Deploy.objects.filter(target=deploy.target_id)
    return Neighbours(
        history.filter(key.older()).order_by(*NEWEST_FIRST).first(),
        history.filter(key.newer()).order_by(*OLDEST_FIRST).first(),
    )


def undone_by(deploy: Deploy) -> tuple[list[Deploy], int]:
    """The newest of the deploys that a rollback undid, and how many there are."""
    undone = Deploy.objects.filter(rolled_back_by=deploy.pk)
    return list(undone.order_by(*NEWEST_FIRST)[:UNDONE_SHOWN]), undone.count()


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str
    commits: int


def authors_of(deploy: Deploy) -> list[Author]:
    """Who wrote the commits, the busiest first."""
    counted = (
        Commit.objects.filter(deploy=deploy)
        .exclude(author_name="", author_email="", author_username="")
        .order_by()
        .values("author_name", "author_email", "author_username")
        .annotate(commits=Count("id"))
        .order_by("-commits", "author_name", "author_email", "author_username")
    )
    return [
        Author(row["author_name"] or row["author_username"] or row["author_email"], row["author_email"], row["commits"])
        for row in counted[:AUTHORS_SHOWN]
    ]


def paths_in_commits(deploy: Deploy) -> list[str]:
    """The files of a deploy whose caller named them only commit by commit."""
    of_commits = Commit.objects.filter(deploy=deploy).order_by("id").values_list("files", flat=True)
    return sorted({path for paths in of_commits[:COMMITS_READ] for path in paths})


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the way from the first commit to the deploy."""

    name: str
    began: str
    ended: str
    began_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> int:
        return int((self.ended_at - self.began_at).total_seconds())


# What a stage is called by where it begins, and by where it ends where it ends early.
FIRST_COMMIT, OPENED, REVIEWED, MERGED, DEPLOYED = (
    "first commit",
    "pull request opened",
    "first review",
    "merged",
    "deployed",
)
STAGE_NAMES = {FIRST_COMMIT: "Coding", OPENED: "Waiting for review", REVIEWED: "Review", MERGED: "Deploying"}


def stages_of(deploy: Deploy) -> list[Stage]:
    """None where the lead time is unknown. A moment that is missing or out of order is passed over."""
    if deploy.first_commit_at is None or deploy.lead_time is None:
        return []
    moments = PullRequest.objects.filter(deploy=deploy).aggregate(
        opened=Min("opened_at"), reviewed=Min("first_reviewed_at"), merged=Max("merged_at")
    )
    marks: list[tuple[str, datetime]] = [(FIRST_COMMIT, deploy.first_commit_at)]
    for mark, moment in ((OPENED, moments["opened"]), (REVIEWED, moments["reviewed"]), (MERGED, moments["merged"])):
        if moment and marks[-1][1] <= moment <= deploy.deployed_at:
            marks.append((mark, moment))
    marks.append((DEPLOYED, deploy.deployed_at))
    return [stage(*start, *end) for start, end in pairwise(marks)]


def stage(began: str, began_at: datetime, ended: str, ended_at: datetime) -> Stage:
    ends_as_named = {(FIRST_COMMIT, OPENED), (OPENED, REVIEWED), (REVIEWED, MERGED), (MERGED, DEPLOYED)}
    name = STAGE_NAMES[began] if (began, ended) in ends_as_named else f"{began} to {ended}".capitalize()
    return Stage(name, began, ended, began_at, ended_at)
