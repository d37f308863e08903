"""Weeks of made-up deploys: the same for the same seed and day, as Registrations in the order they happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from deployments.demo.stories import STORIES, Story
from deployments.registration.registration import NewCommit, NewFile, NewPullRequest, Registration

SATURDAY = 5
WORKDAY_BEGINS, WORKDAY_ENDS = 8, 18


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    deployment: str
    registration: Registration


@dataclass(frozen=True, slots=True)
class Release:
    sha: str
    commits: tuple[NewCommit, ...] = ()
    files: tuple[NewFile, ...] = ()
    pull_requests: tuple[NewPullRequest, ...] = ()


def make_history(*, seed: str, now: datetime, days: int) -> list[Event]:
    # No secret comes from this randomness.
    authors = [Author(story, Random(f"{seed} {story.deployment}")) for story in STORIES]  # noqa: S311
    events = [event for author in authors for event in author.tell(now, days) if event.at < now]
    return sorted(events, key=lambda event: event.at)


class Author:
    """Tells the story of one deployment."""

    def __init__(self, story: Story, random: Random) -> None:
        self.story = story
        self.random = random
        self.number = 100
        self.last_at: dict[str, datetime] = {}
        self.subjects: list[str] = []
        # What production ran, and what is waiting to go there.
        self.live: list[str] = []
        self.waiting: list[Release] = []

    def tell(self, now: datetime, days: int) -> Iterator[Event]:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for days_ago in range(days, self.story.quiet_days - 1, -1):
            day = midnight - timedelta(days=days_ago)
            if day.weekday() >= SATURDAY:
                if self.random.random() < self.story.failures:
                    yield from self.hotfix(day + timedelta(hours=self.random.uniform(0, 23)))
                continue
            for moment in self.moments(day):
                yield from self.promote(moment, self.branch(moment))

    def moments(self, day: datetime) -> list[datetime]:
        """When releases of a workday are ready."""
        count = int(self.story.releases + self.random.random())
        hours = sorted(self.random.uniform(WORKDAY_BEGINS, WORKDAY_ENDS - 2) for _ in range(count))
        return [day + timedelta(hours=hour) for hour in hours]

    def branch(self, ready_at: datetime) -> Release:
        """Now and then one that was open for weeks."""
        if self.random.random() < 0.02:
            return self.release(ready_at, size=self.random.randint(25, 40), hours=self.random.uniform(200, 500))
        return self.release(ready_at, size=self.random.randint(1, 5), hours=self.random.uniform(1, 60))

    def release(self, ready_at: datetime, *, size: int, hours: float) -> Release:
        begun_at = ready_at - timedelta(hours=hours)
        commits = tuple(
            self.commit(begun_at + (ready_at - begun_at) * (0.05 + 0.75 * number / size)) for number in range(size)
        )
        pull_request = self.pull_request(commits[-1], begun_at, ready_at)
        return Release(
            sha=f"v1.{self.number}.0" if self.story.versions else commits[-1].revision,
            commits=commits,
            files=self.files(commits),
            pull_requests=(pull_request,),
        )

    def commit(self, at: datetime) -> NewCommit:
        person = self.random.choice(self.story.people)
        return NewCommit(
            revision=self.random.randbytes(20).hex(),
            message=self.subject(),
            author_name=person.name,
            author_email=person.email,
            author_username=person.username,
            committed_at=at,
            files=tuple(self.random.sample(self.story.paths, self.random.randint(1, 3))),
        )

    def subject(self) -> str:
        """Each of the story's once before any comes again."""
        if not self.subjects:
            self.subjects = self.random.sample(self.story.subjects, len(self.story.subjects))
        return self.subjects.pop()

    def files(self, commits: tuple[NewCommit, ...]) -> tuple[NewFile, ...]:
        paths = sorted({path for commit in commits for path in commit.files})
        return tuple(
            NewFile(path=path, additions=self.random.randint(1, 120), deletions=self.random.randint(0, 60))
            for path in paths
        )

    def pull_request(self, last: NewCommit, begun_at: datetime, ready_at: datetime) -> NewPullRequest:
        self.number += 1
        between = ready_at - begun_at
        return NewPullRequest(
            number=str(self.number),
            title=last.title,
            url=f"https://git.example.com/acme/{self.story.deployment}/pulls/{self.number}",
            branch=last.title.lower().replace(" ", "-"),
            author=last.author_username,
            opened_at=begun_at + between * 0.3,
            first_reviewed_at=begun_at + between * self.random.uniform(0.4, 0.8),
            merged_at=begun_at + between * 0.9,
            issue_keys=(f"{self.story.issues}-{self.random.randint(200, 900)}",),
        )

    def promote(self, at: datetime, release: Release) -> Iterator[Event]:
        """Through the environments; production may wait for the next release, and may have to go back."""
        self.waiting.append(release)
        *earlier, production = self.story.environments
        for environment in earlier:
            at += timedelta(minutes=self.random.uniform(4, 40))
            yield self.event(at, environment, release)
        if self.random.random() < 0.2:
            return
        at += timedelta(minutes=self.random.uniform(20, 200))
        yield self.event(at, production, self.merged())
        if len(self.live) > 1 and self.random.random() < self.story.failures:
            yield from self.fail(self.last_at[production])

    def merged(self) -> Release:
        """One release of all that are waiting for production."""
        commits = tuple(commit for release in self.waiting for commit in release.commits)
        merged = Release(
            sha=self.waiting[-1].sha,
            commits=commits,
            files=self.files(commits),
            pull_requests=tuple(pull for release in self.waiting for pull in release.pull_requests),
        )
        self.waiting.clear()
        self.live.append(merged.sha)
        return merged

    def fail(self, at: datetime) -> Iterator[Event]:
        """Back to what ran before, and a hotfix on top of it when the cause is found."""
        at += timedelta(minutes=self.random.uniform(6, 45))
        self.live.append(self.live[-2])
        yield self.event(at, self.story.environments[-1], Release(sha=self.live[-1]))
        yield from self.hotfix(at + timedelta(minutes=self.random.uniform(30, 150)))

    def hotfix(self, at: datetime) -> Iterator[Event]:
        """Straight to production."""
        self.waiting.append(self.release(at, size=1, hours=self.random.uniform(0.2, 1)))
        yield self.event(at, self.story.environments[-1], self.merged(), tags=("hotfix",))

    def event(self, at: datetime, environment: str, release: Release, *, tags: tuple[str, ...] | None = None) -> Event:
        """At ``at``, or once the deploy before it there is over."""
        if last_at := self.last_at.get(environment):
            at = max(at, last_at + timedelta(minutes=5))
        self.last_at[environment] = at
        build = f"https://ci.example.com/acme/{self.story.deployment}/{at:%Y%m%d%H%M}"
        registration = Registration(
            sha=release.sha,
            environment=environment,
            deployed_at=at,
            branch=self.story.branch,
            tags=tags,
            author_email=self.random.choice(self.story.people).email,
            links=(("build", build),),
            commits=release.commits,
            files=release.files,
            pull_requests=release.pull_requests,
        )
        return Event(at, self.story.deployment, registration)
