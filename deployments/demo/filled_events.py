"""Where a filled organization deploys to: projects of fifty deployments, each through the same environments."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from django.conf import settings

from deployments.demo.calls import made_up_call
from deployments.demo.history import Author
from deployments.demo.stories import STORIES
from deployments.models import Call, Deployment, Target
from deployments.models.call import Outcome
from deployments.registration.registration import Registration
from deployments.setup.services import create_deployment
from orgs.models import Organization
from orgs.services import NewEnvironment, create_project
from tokens.models import AccessToken

DEPLOYMENTS_IN_A_PROJECT = 50
# In promotion order; the number says which are left out first where there are to be fewer.
ENVIRONMENTS = {
    "Development": 4,
    "Integration": 6,
    "Testing": 3,
    "Acceptance": 5,
    "Staging": 2,
    "Pre-production": 8,
    "Canary": 7,
    "Production": 1,
}
AREAS = (
    *("Shop", "Payments", "Accounts", "Search", "Shipping", "Billing", "Catalogue", "Support", "Marketing", "Platform"),
    *("Identity", "Analytics", "Pricing", "Returns", "Warehouse", "Partners", "Mobile", "Content", "Reporting", "News"),
)
KINDS = (
    *("API", "Worker", "Web", "Gateway", "Jobs", "Admin", "Mailer", "Importer", "Exporter", "Cache", "Indexer", "Sync"),
    *("Scheduler", "Webhooks", "Reports", "Ledger", "Router", "Resizer", "Notifier", "Proxy", "Archive", "Events"),
    *("Rules", "Audit", "Tools"),
)


@dataclass(frozen=True, slots=True)
class Lane:
    """A deployment in an environment: where one history goes."""

    deployment: Deployment
    environment_slug: str
    target: Target


def make_lanes(organization: Organization, *, deployments: int, environments: int) -> list[list[Lane]]:
    """For each new deployment its lanes in promotion order."""
    made = []
    for number, begin in enumerate(range(0, deployments, DEPLOYMENTS_IN_A_PROJECT)):
        area = numbered(AREAS, number)
        project = create_project(
            organization=organization, name=area, environments=list(new_environments(environments))
        )
        path = list(project.environments.order_by("position", "id"))
        for place in range(min(DEPLOYMENTS_IN_A_PROJECT, deployments - begin)):
            deployment = create_deployment(project=project, name=f"{area} {numbered(KINDS, place)}")
            targets = Target.objects.bulk_create(
                Target(deployment=deployment, environment=environment) for environment in path
            )
            made.append(
                [Lane(deployment, environment.slug, target) for environment, target in zip(path, targets, strict=True)]
            )
    return made


def new_environments(count: int) -> Iterator[NewEnvironment]:
    for name, rank in ENVIRONMENTS.items():
        if rank <= count:
            yield NewEnvironment(name=name, is_default=rank == 1)


def numbered(names: Sequence[str], number: int) -> str:
    again, place = divmod(number, len(names))
    return f"{names[place]} {again + 1}" if again else names[place]


# --- A year of made-up deploys of many deployments, in the order they happened: the same for the same seed and day ---
# A release goes through the environments of its deployment, not always to the last one; a few fail there and are rolled
# back. A few deployments are deployed often and most of them seldom, on workdays.

DAYS = 365
SATURDAY = 5
WORKDAY_BEGINS, WORKDAY_ENDS = 8, 18
# Together shorter than from the end of a workday to midnight.
MOST_HOURS_OF_PROMOTION = 4.5
MINUTES_TO_ROLLBACK = 6, 45
DEPLOYS_AT_ONCE = 10_000
SHARE_STOPPED_ON_THE_WAY = 0.3
SHARE_WITH_COMMITS = 0.05
SHARE_TAGGED = 0.15
TAGS = ("feature", "fix", "config", "experiment", "security")
TAG_WEIGHTS = (50, 40, 8, 1.9, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """The n-th deployment gets releases in proportion to n to the power of ``skew``; those after the first
    ``deployed_again``, if that is said, get a single one. ``share_rejected_before`` is of the calls in the log."""

    skew: float = -0.7
    deployed_again: int | None = None
    share_failed: float = 0.04
    share_rejected_before: float = 0.02


HABITS = Habits()


@dataclass(slots=True, eq=False)
class Event:
    """One deploy of a deployment in an environment, both by number. ``id`` is for whoever stores it."""

    at: datetime
    deployment: int
    environment: int
    registration: Registration
    restores: "Event | None" = None
    rolled_back_by: "Event | None" = None
    id: int = 0

    def forget(self) -> None:
        """Drop what was before and after, so that a long history is not kept in memory."""
        self.restores = self.rolled_back_by = None


@dataclass(slots=True)
class Standing:
    """What a deployment in an environment runs, and what that can be rolled back to."""

    now: Event | None = None
    before: Event | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """``stops`` is to how many environments it goes; ``fails`` whether there is one deploy more after the last."""

    at: datetime
    deployment: int
    stops: int
    fails: bool = False

    @property
    def deploys(self) -> int:
        return self.stops + self.fails


class Company:
    """Tells what all deployments did until a day began."""

    def __init__(self, *, seed: str, deployments: int, environments: int, habits: Habits, today: datetime) -> None:
        # No secret comes from this randomness.
        self.random = Random(seed)  # noqa: S311
        self.deployments = deployments
        self.environments = environments
        self.habits = habits
        self.workdays = [day for day in days_before(today) if day.weekday() < SATURDAY]
        self.weights = list(accumulate(n**habits.skew for n in range(1, deployments + 1)))[: habits.deployed_again]
        self.authors = [Author(story, self.random) for story in STORIES]
        self.standing = [[Standing() for _ in range(environments)] for _ in range(deployments)]
        self.versions = [0] * deployments
        # Each goes everywhere once, if there are deploys enough.
        self.first = self.random.sample(range(deployments), deployments)

    def tell(self, deploys: int) -> Iterator[list[Event]]:
        """All of them, some thousands at a time; those belong together that undo each other."""
        parts = -(-deploys // DEPLOYS_AT_ONCE)
        left = deploys
        for part in range(parts):
            later = deploys - deploys * (part + 1) // parts
            releases = []
            while left > later:
                first_are_due = len(self.first) > self.deployments * (parts - part - 1) // parts
                release = self.plan(
                    self.moment((part + self.random.random()) / parts), left, first_are_due=first_are_due
                )
                releases.append(release)
                left -= release.deploys
            releases.sort(key=lambda release: release.at)
            events = [event for release in releases for event in self.deploy(release)]
            yield sorted(events, key=lambda event: event.at)

    def plan(self, at: datetime, left: int, *, first_are_due: bool) -> Release:
        """The first release of a deployment or any other, with enough of the deploys that are left for those first."""
        spare = left - len(self.first) * self.environments
        if self.first and (first_are_due or spare <= 0):
            return Release(at, self.first.pop(), min(self.environments, left))
        (deployment,) = self.random.choices(range(len(self.weights)), cum_weights=self.weights)
        stops = self.environments
        if self.random.random() < SHARE_STOPPED_ON_THE_WAY:
            stops = self.random.randint(1, stops)
        stops = min(stops, spare)
        return Release(at, deployment, stops, stops < spare and self.random.random() < self.habits.share_failed)

    def moment(self, part: float) -> datetime:
        """In working hours, after ``part`` of them all."""
        days = part * len(self.workdays)
        hours = WORKDAY_BEGINS + days % 1 * (WORKDAY_ENDS - WORKDAY_BEGINS)
        return self.workdays[min(int(days), len(self.workdays) - 1)] + timedelta(hours=hours)

    def deploy(self, release: Release) -> Iterator[Event]:
        registration = self.registration(release)
        at = release.at
        for environment in range(release.stops):
            at += timedelta(hours=self.random.uniform(0.02, MOST_HOURS_OF_PROMOTION / self.environments))
            yield self.promote(at, release.deployment, environment, registration)
        if release.fails:
            yield self.fail(at, release)

    def promote(self, at: datetime, deployment: int, environment: int, registration: Registration) -> Event:
        standing = self.standing[deployment][environment]
        if standing.now:
            at = max(at, standing.now.at)
        standing.before, standing.now = standing.now, Event(at, deployment, environment, registration)
        return standing.now

    def fail(self, at: datetime, release: Release) -> Event:
        """Back to what ran before, or a hotfix where that is not known."""
        environment = release.stops - 1
        standing = self.standing[release.deployment][environment]
        failed, restored = standing.now, standing.before
        at += timedelta(minutes=self.random.uniform(*MINUTES_TO_ROLLBACK))
        if failed is None or restored is None:
            return self.promote(at, release.deployment, environment, self.registration(release, tags=("hotfix",)))
        again = Registration(
            sha=restored.registration.sha,
            version=restored.registration.version,
            branch=restored.registration.branch,
            author_email=failed.registration.author_email,
        )
        rollback = Event(max(at, failed.at), release.deployment, environment, again, restores=restored)
        failed.rolled_back_by = rollback
        standing.before, standing.now = None, rollback
        return rollback

    def registration(self, release: Release, *, tags: tuple[str, ...] | None = None) -> Registration:
        """What the CI of a deployment says of a new sha."""
        author = self.authors[release.deployment % len(self.authors)]
        story = author.story
        self.versions[release.deployment] += 1
        version = f"v1.{self.versions[release.deployment]}.0" if story.versions else ""
        email = self.random.choice(story.people).email
        if self.random.random() < SHARE_WITH_COMMITS:
            brought = author.branch(release.at)
            return Registration(
                sha=version or brought.sha,
                version=version,
                branch=story.branch,
                tags=tags,
                author_email=email,
                links=(("build", f"https://ci.example.com/{release.deployment}/{release.at:%Y%m%d%H%M%S}"),),
                commits=brought.commits,
                files=brought.files,
                pull_requests=brought.pull_requests,
            )
        if tags is None and self.random.random() < SHARE_TAGGED:
            tags = tuple(self.random.choices(TAGS, TAG_WEIGHTS))
        sha = version or self.random.randbytes(20).hex()
        return Registration(sha=sha, version=version, branch=story.branch, tags=tags, author_email=email)


def days_before(today: datetime) -> Iterator[datetime]:
    for number in range(DAYS, 0, -1):
        yield today - timedelta(days=number)


# --- What the request log would have of made-up deploys ---

MISSPELT = "prod"


class CallLog:
    """Made-up lines, as many as the real log would have: not for ever, and not more than so many a day."""

    def __init__(
        self,
        token: AccessToken,
        lanes: Sequence[Sequence[Lane]],
        *,
        share_rejected_before: float,
        now: datetime,
    ) -> None:
        self.token = token
        self.lanes = lanes
        self.share_rejected_before = share_rejected_before
        self.since = now - timedelta(days=settings.REQUEST_LOG_DAYS)
        self.kept: Counter[date] = Counter()
        self.random = Random(token.organization.slug)  # noqa: S311 - no secret comes from it

    def calls_of(self, event: Event) -> Iterator[Call]:
        """The call that registered a deploy; now and then a rejected one before it."""
        day = event.at.date()
        if event.at < self.since or self.kept[day] >= settings.REQUEST_LOG_PER_DAY:
            return
        self.kept[day] += 1
        lanes = self.lanes[event.deployment]
        if self.random.random() < self.share_rejected_before:
            slugs = ", ".join(lane.environment_slug for lane in lanes)
            project = lanes[0].deployment.project.slug
            yield self.call(
                event,
                MISSPELT,
                created_at=event.at - timedelta(minutes=1),
                status=400,
                outcome=Outcome.REJECTED,
                answer=f"No environment '{MISSPELT}' in project {project}: it has {slugs}.",
            )
        yield self.call(
            event,
            lanes[event.environment].environment_slug,
            created_at=event.at,
            status=200,
            outcome=Outcome.ACCEPTED,
            answer="Success",
            deploy_id=event.id,
        )

    def call(self, event: Event, environment: str, **answer: Any) -> Call:
        deployment = self.lanes[event.deployment][0].deployment
        said = event.registration
        fields = {"sha": said.sha, "environment": environment, "email": said.author_email}
        return made_up_call(self.token, deployment, fields, self.random, **answer)
