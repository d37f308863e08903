"""What a caller said, in the same terms for every wire format."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployments.api.dropped import Dropped
from deployments.models import Provider, Status
from deployments.models.deploy import MAX_NAME_LENGTH, MAX_TITLE_LENGTH
from deployments.shas import IN_CAPITALS, folded, is_same_commit

# Of a deployment or an environment.
LONGEST_NAME = 100
# How many of a deploy's changes are kept.
MAX_COMMITS = 5_000
MAX_FILES = 50_000
MAX_PULL_REQUESTS = 5_000
UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommit:
    revision: str
    message: str = ""
    author_name: str = ""
    author_email: str = ""
    author_username: str = ""
    committed_at: datetime | None = None
    url: str = ""
    files: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        lines = self.message.strip().splitlines()
        return lines[0].rstrip() if lines else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    path: str
    additions: int = 0
    deletions: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPullRequest:
    number: str
    title: str = ""
    url: str = ""
    branch: str = ""
    author: str = ""
    opened_at: datetime | None = None
    first_reviewed_at: datetime | None = None
    merged_at: datetime | None = None
    issue_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A deployment, by name or slug, and what to create it with if it is missing."""

    name: str
    repository_provider: Provider
    repository_url: str = ""
    path_includes: tuple[str, ...] = ()


def name_that_fits(name: str, most: int = LONGEST_NAME) -> str:
    """``name`` as it is stored. Long names that differ stay different."""
    if len(name) <= most:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: most - 1 - len(digest)]}-{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """``environment`` is a slug or name, or empty for the default one. Without ``deployed_at`` it happened now.
    ``tags`` have no #. Without them the changed files decide; without ``title`` and ``author_name`` the commits do.

    All changes count, and the newest are kept: ``kept_commits`` and the like. ``dropped`` says what the reader changed.

    ``names_branch`` is false for a client that cannot name one: its calls may go to any environment. ``application`` is
    set by formats that name the deployment in the body and create it. ``may_come_twice`` is set if the caller itself
    says so: the same bytes are then no rollback for a while. ``external_id`` is what the caller calls this deploy, so
    that a later call moves it on from ``started``.
    """

    sha: str
    status: Status = Status.SUCCEEDED
    external_id: str = ""
    application: Application | None = None
    version: str = ""
    environment: str = ""
    deployed_at: datetime | None = None
    branch: str = ""
    names_branch: bool = True
    tags: tuple[str, ...] | None = None
    ignore_if_duplicate: bool = False
    may_come_twice: bool = False
    title: str = ""
    author_name: str = ""
    author_email: str = ""
    links: tuple[tuple[str, str], ...] = ()
    commits: tuple[NewCommit, ...] = ()
    files: tuple[NewFile, ...] = ()
    pull_requests: tuple[NewPullRequest, ...] = ()
    dropped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if IN_CAPITALS.fullmatch(self.sha):
            object.__setattr__(self, "sha", folded(self.sha))

    @property
    def has_succeeded(self) -> bool:
        return self.status == Status.SUCCEEDED

    @property
    def branch_to_check(self) -> str | None:
        return self.branch if self.names_branch else None

    @property
    def head(self) -> NewCommit | None:
        """The commit being deployed: the one with this sha, or the newest if the sha is a tag or not among them."""
        for commit in self.commits:
            if is_same_commit(commit.revision, self.sha):
                return commit
        dated = [commit for commit in self.commits if commit.committed_at]
        return max(dated, key=lambda c: c.committed_at, default=self.commits[0] if self.commits else None)

    @property
    def first_commit_at(self) -> datetime | None:
        return min((commit.committed_at for commit in self.commits if commit.committed_at), default=None)

    @property
    def began_at(self) -> datetime | None:
        """When the first commit was made or the first pull request opened: a squash leaves no other commit's date."""
        opened = min((pull.opened_at for pull in self.pull_requests if pull.opened_at), default=None)
        return min(filter(None, (self.first_commit_at, opened)), default=None)

    @property
    def author(self) -> tuple[str, str]:
        """Name and e-mail address: those that the call names, completed by a commit of the same person; else those of
        the newest commit."""
        name, email = self.author_name, self.author_email
        if not (name or email):
            return (self.head.author_name, self.head.author_email) if self.head else ("", "")
        if email and not name:
            folded = email.casefold()
            name = next((c.author_name for c in self.commits if c.author_email.casefold() == folded), "")
        return name, email

    @property
    def brings_changes(self) -> bool:
        return bool(self.commits or self.files or self.pull_requests)

    @property
    def kept_commits(self) -> tuple[NewCommit, ...]:
        """The newest, in the order in which they were sent. Those without a date are taken for the oldest."""
        if len(self.commits) <= MAX_COMMITS:
            return self.commits
        dates = [commit.committed_at or UNDATED for commit in self.commits]
        newest = sorted(range(len(dates)), key=dates.__getitem__, reverse=True)
        return tuple(self.commits[index] for index in sorted(newest[:MAX_COMMITS]))

    @property
    def kept_files(self) -> tuple[NewFile, ...]:
        return self.files[:MAX_FILES]

    @property
    def kept_pull_requests(self) -> tuple[NewPullRequest, ...]:
        return self.pull_requests[:MAX_PULL_REQUESTS]

    def tell_what_is_not_kept(self, dropped: Dropped) -> None:
        if len(self.commits) > MAX_COMMITS:
            dropped.cut_list("commits", len(self.commits), MAX_COMMITS, "the newest ")
        if len(self.files) > MAX_FILES:
            dropped.cut_list("files", len(self.files), MAX_FILES)
        if len(self.pull_requests) > MAX_PULL_REQUESTS:
            dropped.cut_list("pull_requests", len(self.pull_requests), MAX_PULL_REQUESTS)

    def changed_paths(self) -> set[str]:
        paths = {file.path for file in self.files}
        for commit in self.commits:
            paths.update(commit.files)
        return paths

    def columns(self, deployed_at: datetime) -> dict[str, Any]:
        """The columns of the deploy that the call decides."""
        head, (author_name, author_email) = self.head, self.author
        title = self.title or (head.title if head else next((pull.title for pull in self.pull_requests), ""))
        return {
            "sha": self.sha,
            "status": self.status.value,
            "external_id": self.external_id,
            "version": self.version,
            "branch": self.branch,
            "deployed_at": deployed_at,
            "title": title[:MAX_TITLE_LENGTH],
            "author_name": author_name[:MAX_NAME_LENGTH],
            "author_email": author_email,
            "first_commit_at": self.first_commit_at,
            "lead_time": lead_time(self.began_at, deployed_at) if self.has_succeeded else None,
            "commit_count": len(self.commits),
            "file_count": len(self.files) or len(self.changed_paths()),
            "pull_request_count": len(self.pull_requests),
            "additions": sum(file.additions for file in self.files),
            "deletions": sum(file.deletions for file in self.files),
        }


def lead_time(first_commit_at: datetime | None, deployed_at: datetime) -> int | None:
    """Whole seconds. None if the commit is dated after its deploy, as after a rebase or by a wrong clock."""
    if first_commit_at is None or first_commit_at > deployed_at:
        return None
    return int((deployed_at - first_commit_at).total_seconds())
