"""What a caller said, normalised: the same for every wire format."""

from dataclasses import dataclass
from datetime import datetime


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
class Registration:
    """``environment`` is a slug or name, empty for the default; ``deployed_at`` none for now; ``tags`` (without #) none
    for those that the changed files give. ``title`` and ``author_name`` are empty where the commits tell them.
    ``names_branch`` is false where the client cannot name one: then it is not held against the environment's."""

    sha: str
    version: str = ""
    environment: str = ""
    deployed_at: datetime | None = None
    branch: str = ""
    names_branch: bool = True
    tags: tuple[str, ...] | None = None
    ignore_if_duplicate: bool = False
    title: str = ""
    author_name: str = ""
    author_email: str = ""
    links: tuple[tuple[str, str], ...] = ()
    commits: tuple[NewCommit, ...] = ()
    files: tuple[NewFile, ...] = ()
    pull_requests: tuple[NewPullRequest, ...] = ()

    @property
    def head(self) -> NewCommit | None:
        """The commit being deployed: the one of this sha, else the newest. The sha may be a tag, or not among them."""
        for commit in self.commits:
            if commit.revision == self.sha:
                return commit
        dated = [commit for commit in self.commits if commit.committed_at]
        return max(dated, key=lambda c: c.committed_at, default=self.commits[0] if self.commits else None)

    @property
    def first_commit_at(self) -> datetime | None:
        return min((commit.committed_at for commit in self.commits if commit.committed_at), default=None)

    def changed_paths(self) -> set[str]:
        paths = {file.path for file in self.files}
        for commit in self.commits:
            paths.update(commit.files)
        return paths
