"""A company with many deployments, and a year of their deploys: the same for the same seed and day.

A release goes through the environments of its deployment, but not always to the last one. A few releases fail in the
last one they reach, and are rolled back. A few deployments are deployed often and most of them seldom, on workdays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import yaml

from deployments.demo.story import SATURDAY, WORKDAY_BEGINS, WORKDAY_ENDS, Body, Team, read_stories
from deployments.models import Deployment, Target
from deployments.registration.registration import Registration
from deployments.registration.sleuth import read_registration
from deployments.setup.services import create_deployment
from orgs.models import Environment, Organization
from orgs.services import NewEnvironment, create_project

DAYS = 365
# Altogether shorter than the time from the end of a workday to midnight.
MOST_HOURS_OF_PROMOTION = 4.5
MINUTES_TO_ROLLBACK = 6, 45
DEPLOYS_AT_ONCE = 10_000
SHARE_STOPPED_ON_THE_WAY = 0.3
SHARE_WITH_COMMITS = 0.05
SHARE_TAGGED = 0.15
DEPLOYMENTS_IN_A_PROJECT = 50
NAMES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("company.yaml").read_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """The n-th deployment gets releases in proportion to n to the power of ``skew``. Those after the first
    ``deployed_again``, if given, get a single one. ``share_rejected_before`` is of the calls in the request log."""

    skew: float = -0.7
    deployed_again: int | None = None
    share_failed: float = 0.04
    share_rejected_before: float = 0.02


HABITS = Habits()


@dataclass(slots=True, eq=False)
class FilledDeploy:
    """A made-up deploy in a lane. Its id is set when it is stored."""

    at: datetime
    lane: "Lane"
    body: Body
    registration: Registration
    restores: "FilledDeploy | None" = None
    rolled_back_by: "FilledDeploy | None" = None
    id: int = 0


@dataclass(slots=True, eq=False)
class Lane:
    """A deployment in an environment: what runs there, and what that can be rolled back to."""

    deployment: Deployment
    environment: Environment
    target: Target
    live: FilledDeploy | None = None
    before: FilledDeploy | None = None


def make_lanes(organization: Organization, *, deployments: int, environments: int) -> list[list[Lane]]:
    """The lanes of each new deployment in promotion order."""
    made = []
    for number, begin in enumerate(range(0, deployments, DEPLOYMENTS_IN_A_PROJECT)):
        area = numbered_name(NAMES["areas"], number)
        ranks = NAMES["environments"].items()
        new = [NewEnvironment(name=name, is_default=rank == 1) for name, rank in ranks if rank <= environments]
        project = create_project(organization=organization, name=area, environments=new)
        path = list(project.environments.order_by("position", "id"))
        for kind in range(min(DEPLOYMENTS_IN_A_PROJECT, deployments - begin)):
            deployment = create_deployment(project=project, name=f"{area} {numbered_name(NAMES['kinds'], kind)}")
            targets = Target.objects.bulk_create(Target(deployment=deployment, environment=step) for step in path)
            made.append([Lane(deployment, step, target) for step, target in zip(path, targets, strict=True)])
    return made


def numbered_name(names: Sequence[str], number: int) -> str:
    again, index = divmod(number, len(names))
    return f"{names[index]} {again + 1}" if again else names[index]


class Company:
    """The history of all lanes until the beginning of ``today``."""

    def __init__(self, lanes: Sequence[Sequence[Lane]], *, seed: str, habits: Habits, today: datetime) -> None:
        # No secret comes from this randomness.
        self.random = Random(seed)  # noqa: S311
        self.lanes = lanes
        self.environments = len(lanes[0])
        self.habits = habits
        days = [today - timedelta(days=number) for number in range(DAYS, 0, -1)]
        self.workdays = [day for day in days if day.weekday() < SATURDAY]
        weights = accumulate(n**habits.skew for n in range(1, len(lanes) + 1))
        self.weights = list(weights)[: habits.deployed_again]
        self.teams = [Team(story, self.random) for story in read_stories()]
        self.versions = [0] * len(lanes)
        # The first release of a deployment goes everywhere, if there are enough deploys.
        self.first = self.random.sample(range(len(lanes)), len(lanes))

    def make_deploys(self, count: int) -> Iterator[list[FilledDeploy]]:
        """``count`` deploys in the order of time, in batches. A rollback comes together with what it undoes."""
        left, made = count, list[FilledDeploy]()
        while left:
            # Not evenly, but never much before the release that was made last.
            done = count - left + self.random.uniform(0, 2 * self.environments)
            release = list(self.release(self.moment(done / count), left))
            left -= len(release)
            made += release
            if len(made) >= DEPLOYS_AT_ONCE or not left:
                yield sorted(made, key=lambda deploy: deploy.at)
                made.clear()

    def moment(self, part: float) -> datetime:
        """In working hours, after this part of all of them."""
        days = min(part, 1) * len(self.workdays)
        hours = WORKDAY_BEGINS + days % 1 * (WORKDAY_ENDS - WORKDAY_BEGINS)
        return self.workdays[min(int(days), len(self.workdays) - 1)] + timedelta(hours=hours)

    def release(self, at: datetime, left: int) -> Iterator[FilledDeploy]:
        """At most ``left`` deploys, so that enough are left for the first releases that are still to come."""
        kept = len(self.first) * self.environments
        fails = False
        if self.random.random() * left < kept:
            deployment, stops = self.first.pop(), min(self.environments, left)
        else:
            (deployment,) = self.random.choices(range(len(self.weights)), cum_weights=self.weights)
            stops = self.environments
            if self.random.random() < SHARE_STOPPED_ON_THE_WAY:
                stops = self.random.randint(1, stops)
            stops = min(stops, left - kept)
            fails = stops < left - kept and self.random.random() < self.habits.share_failed
        body = self.new_body(deployment, at)
        registration = read_registration(body)
        lanes = self.lanes[deployment][:stops]
        for lane in lanes:
            at += timedelta(hours=self.random.uniform(0.02, MOST_HOURS_OF_PROMOTION / self.environments))
            yield deploy_in(lane, at, body, registration)
        if fails:
            at += timedelta(minutes=self.random.uniform(*MINUTES_TO_ROLLBACK))
            yield self.follow_failure(deployment, lanes[-1], at)

    def follow_failure(self, deployment: int, lane: Lane, at: datetime) -> FilledDeploy:
        """A rollback, or a hotfix if there is nothing to go back to."""
        failed, restored = lane.live, lane.before
        if failed is None or restored is None:
            body = self.new_body(deployment, at, tags=["#hotfix"])
            return deploy_in(lane, at, body, read_registration(body))
        body = {key: restored.body[key] for key in ("sha", "branch")} | {"email": failed.body["email"]}
        rollback = FilledDeploy(max(at, failed.at), lane, body, read_registration(body), restores=restored)
        failed.rolled_back_by = rollback
        lane.live, lane.before = rollback, None
        return rollback

    def new_body(self, deployment: int, at: datetime, **tags: Any) -> Body:
        """What CI says about a new sha."""
        team = self.teams[deployment % len(self.teams)]
        brought: Body = {}
        if self.random.random() < SHARE_WITH_COMMITS:
            build = f"https://ci.example.com/{deployment}/{at:%Y%m%d%H%M%S}"
            brought = team.make_release(at) | {"links": {"build": build}}
        elif not tags and self.random.random() < SHARE_TAGGED:
            tags = {"tags": self.random.choices(list(NAMES["tags"]), list(NAMES["tags"].values()))}
        self.versions[deployment] += 1
        sha = f"v1.{self.versions[deployment]}.0" if team.story.versions else self.random.randbytes(20).hex()
        return {"sha": sha} | brought | team.origin() | tags


def deploy_in(lane: Lane, at: datetime, body: Body, registration: Registration) -> FilledDeploy:
    if lane.live:
        at = max(at, lane.live.at)
    lane.before, lane.live = lane.live, FilledDeploy(at, lane, body, registration)
    return lane.live
