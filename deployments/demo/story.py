"""The story that acme.yaml tells, and the deploys that follow from it: the same for the same seed and day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

SATURDAY = 5
WORKDAY_BEGINS, WORKDAY_ENDS = 8, 18
# Chance leaves these days to the ending of each story.
DAYS_OF_THE_ENDING = 2

# The fields of a call to register_deploy.
Body = dict[str, Any]


@cache
def read_acme() -> Mapping[str, Any]:
    acme: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("acme.yaml").read_bytes())
    return acme


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One of the ``stories`` of acme.yaml, which explains the keys."""

    deployment: str
    environments: Sequence[str]
    issues: str
    releases: float
    failures: float
    people: Sequence[str]
    subjects: Sequence[str]
    paths: Sequence[str]
    branch: str = "main"
    versions: bool = False
    quiet_days: int = 0
    ends: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """At this time CI sent this body."""

    at: datetime
    deployment: str
    body: Body


def read_stories() -> list[Story]:
    return [Story(**story) for story in read_acme()["stories"]]


def author_of(name: str) -> dict[str, str]:
    words = name.lower().split()
    return {"name": name, "email": f"{'.'.join(words)}@example.com", "username": "-".join(words)}


def make_history(*, seed: str, now: datetime, days: int) -> list[Event]:
    """The calls that registered a deploy, the oldest first."""
    # No secret comes from this randomness.
    teams = [Team(story, Random(f"{seed} {story.deployment}")) for story in read_stories()]  # noqa: S311
    events = [event for team in teams for event in team.work(now, days) if event.at < now]
    return sorted(events, key=lambda event: event.at)


class Team:
    """The people who work on one deployment."""

    def __init__(self, story: Story, random: Random) -> None:
        self.story = story
        self.random = random
        self.number = 100
        self.last_at: dict[str, datetime] = {}
        self.subjects: list[str] = []
        # The shas that production ran, and the releases that wait to go there.
        self.live: list[str] = []
        self.waiting: list[Body] = []

    def work(self, now: datetime, days: int) -> Iterator[Event]:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        last_day = self.story.quiet_days or DAYS_OF_THE_ENDING
        for days_ago in range(days, last_day - 1, -1):
            day = midnight - timedelta(days=days_ago)
            if day.weekday() < SATURDAY:
                count = int(self.story.releases + self.random.random())
                hours = sorted(self.random.uniform(WORKDAY_BEGINS, WORKDAY_ENDS - 2) for _ in range(count))
                for hour in hours:
                    ready_at = day + timedelta(hours=hour)
                    yield from self.promote(ready_at, self.make_release(ready_at))
            elif self.random.random() < self.story.failures:
                yield from self.hotfix(day + timedelta(hours=self.random.uniform(0, 23)))

        if not self.story.quiet_days:
            yield from self.end(now)

    def end(self, now: datetime) -> Iterator[Event]:
        """What is live afterwards is in the state that the story's ``ends`` names."""
        yield from self.release_everywhere(now - timedelta(hours=20))
        at = now - timedelta(hours=5)
        if self.story.ends == "behind":
            first, *_, production = self.story.environments
            for hours in (0, 2):
                released_at = at + timedelta(hours=hours)
                release = self.make_release(released_at)
                yield self.event(released_at, first, release)
            yield self.event(at + timedelta(hours=3), production, release | {"status": "failed"})
            yield self.event(at + timedelta(hours=3, minutes=20), production, release | {"status": "started"})
        elif self.story.ends == "differs":
            yield from self.hotfix(at)
        else:
            yield from self.release_everywhere(at)
        if self.story.ends == "rolled-back":
            yield self.event(at + timedelta(hours=3), self.story.environments[-1], {"sha": self.live[-2]})

    def release_everywhere(self, at: datetime) -> Iterator[Event]:
        release = self.make_release(at)
        self.waiting.append(release)
        *earlier, production = self.story.environments
        for environment in earlier:
            yield self.event(at, environment, release)
            at += timedelta(minutes=self.random.uniform(10, 40))
        yield self.event(at, production, self.merge_waiting())

    def promote(self, at: datetime, release: Body) -> Iterator[Event]:
        """Production may wait for the next release, and may be rolled back."""
        self.waiting.append(release)
        *earlier, production = self.story.environments
        for environment in earlier:
            at += timedelta(minutes=self.random.uniform(4, 40))
            yield self.event(at, environment, release)
        if self.random.random() < 0.2:
            return
        at += timedelta(minutes=self.random.uniform(20, 200))
        yield self.event(at, production, self.merge_waiting())
        if len(self.live) > 1 and self.random.random() < self.story.failures:
            yield from self.fail(self.last_at[production])

    def fail(self, at: datetime) -> Iterator[Event]:
        """Roll back to what production ran before, and deploy a hotfix when the cause is found."""
        at += timedelta(minutes=self.random.uniform(6, 45))
        self.live.append(self.live[-2])
        yield self.event(at, self.story.environments[-1], {"sha": self.live[-1]})
        yield from self.hotfix(at + timedelta(minutes=self.random.uniform(30, 150)))

    def hotfix(self, at: datetime) -> Iterator[Event]:
        """A hotfix goes straight to production."""
        self.waiting.append(self.build_release(at, size=1, hours=self.random.uniform(0.2, 1)))
        yield self.event(at, self.story.environments[-1], self.merge_waiting() | {"tags": ["#hotfix"]})

    def event(self, at: datetime, environment: str, release: Body) -> Event:
        """A deploy begins after the one before it in its environment has ended."""
        if last_at := self.last_at.get(environment):
            at = max(at, last_at + timedelta(minutes=5))
        self.last_at[environment] = at
        build = f"https://ci.example.com/acme/{self.story.deployment}/{at:%Y%m%d%H%M}"
        where = {"environment": environment, "links": {"build": build}}
        return Event(at, self.story.deployment, release | self.origin() | where)

    def origin(self) -> Body:
        return {"branch": self.story.branch, "email": author_of(self.random.choice(self.story.people))["email"]}

    def merge_waiting(self) -> Body:
        """One release of all that wait for production."""
        commits = [commit for release in self.waiting for commit in release["commits"]]
        merged = {
            "sha": self.waiting[-1]["sha"],
            "commits": commits,
            "files": self.files_of(commits),
            "pull_requests": [pull for release in self.waiting for pull in release["pull_requests"]],
        }
        self.waiting.clear()
        self.live.append(merged["sha"])
        return merged

    def make_release(self, ready_at: datetime) -> Body:
        """Now and then its branch was open for weeks."""
        if self.random.random() < 0.02:
            return self.build_release(ready_at, size=self.random.randint(25, 40), hours=self.random.uniform(200, 500))
        return self.build_release(ready_at, size=self.random.randint(1, 5), hours=self.random.uniform(1, 60))

    def build_release(self, ready_at: datetime, *, size: int, hours: float) -> Body:
        """``hours`` is how long its branch was open."""

        def moment(part: float) -> str:
            return (ready_at - timedelta(hours=hours * (1 - part))).isoformat(timespec="seconds")

        commits = [self.commit(moment(0.05 + 0.75 * number / size)) for number in range(size)]
        self.number += 1
        title, author = commits[-1]["message"], commits[-1]["author"]["username"]
        pull_request = {
            "number": self.number,
            "title": title,
            "url": f"https://git.example.com/acme/{self.story.deployment}/pulls/{self.number}",
            "branch": title.lower().replace(" ", "-"),
            "author": author,
            "created_at": moment(0.3),
            "first_review_at": moment(self.random.uniform(0.4, 0.8)),
            "merged_at": moment(0.9),
            "issue_keys": [f"{self.story.issues}-{self.random.randint(200, 900)}"],
        }
        return {
            "sha": f"v1.{self.number}.0" if self.story.versions else commits[-1]["revision"],
            "commits": commits,
            "files": self.files_of(commits),
            "pull_requests": [pull_request],
        }

    def commit(self, date: str) -> Body:
        # Each subject is used once before any is used again.
        self.subjects = self.subjects or self.random.sample(self.story.subjects, len(self.story.subjects))
        return {
            "revision": self.random.randbytes(20).hex(),
            "message": self.subjects.pop(),
            "author": author_of(self.random.choice(self.story.people)),
            "date": date,
            "files": self.random.sample(self.story.paths, self.random.randint(1, 3)),
        }

    def files_of(self, commits: Sequence[Body]) -> list[Body]:
        paths = sorted({path for commit in commits for path in commit["files"]})
        return [
            {"path": path, "additions": self.random.randint(1, 120), "deletions": self.random.randint(0, 60)}
            for path in paths
        ]
