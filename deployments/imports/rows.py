"""The rows of a history in memory, and the lines that are none."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from deployments.api.dates import from_microseconds, to_microseconds

UNKNOWN = -1

MOST_LINES = 10_000
LINES_IN_EXCERPT = 20


class WrongLine(Exception):
    """Its message is part of a sentence: ``date is missing``."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first lines that have a problem, and how many more do."""

    problem: str
    lines: Sequence[int]
    more: int


class WrongLines:
    """The lines of each problem, in the order of the file. Beyond MOST_LINES they are only counted."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: dict[str, list[int]] = {}

    def add(self, line: int, problem: str) -> None:
        self.count += 1
        if self.count <= MOST_LINES:
            self.lines.setdefault(problem, []).append(line)

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def unnamed(self) -> int:
        return max(0, self.count - MOST_LINES)

    def __str__(self) -> str:
        parts = [f"{problem}: {', '.join(f'line {line}' for line in lines)}" for problem, lines in self.lines.items()]
        if self.unnamed:
            parts.append(f"and {self.unnamed:,} more")
        return "; ".join(parts)

    def excerpts(self) -> Iterator[Excerpt]:
        for problem, lines in self.lines.items():
            shown = lines[:LINES_IN_EXCERPT]
            yield Excerpt(problem, shown, len(lines) - len(shown))


class Rows:
    """The rows of a file in its order. There may be hundreds of thousands, so they are columns and not objects, and
    text is UTF-8: about 250 bytes a row.

    ``lines`` says where each row begins in the file, from 1. ``texts`` has branch, title, author's name and author's
    address with tabs between them. Dates are in microseconds since 1970; an unknown first commit is at UNKNOWN.
    ``unsuccessful`` counts the rows that were left out because their deploys did not succeed.
    """

    def __init__(self) -> None:
        self.unsuccessful = 0
        self.lines = array("I")
        self.shas: list[bytes] = []
        self.deployed_at = array("q")
        self.first_commit_at = array("q")
        self.texts: list[bytes] = []

    def __len__(self) -> int:
        return len(self.shas)

    def add(self, line: int, sha: str, deployed_at: datetime, first_commit_at: datetime | None, texts: bytes) -> None:
        self.lines.append(line)
        self.shas.append(sha.encode())
        self.deployed_at.append(to_microseconds(deployed_at))
        self.first_commit_at.append(UNKNOWN if first_commit_at is None else to_microseconds(first_commit_at))
        self.texts.append(texts)

    def extend(
        self,
        lines: Iterable[int],
        shas: Iterable[str],
        deployed_at: Iterable[int],
        first_commit_at: Iterable[int],
        texts: Iterable[str],
    ) -> None:
        """Dates are in microseconds."""
        self.lines.extend(lines)
        self.shas.extend(map(str.encode, shas))
        self.deployed_at.extend(deployed_at)
        self.first_commit_at.extend(first_commit_at)
        self.texts.extend(map(str.encode, texts))

    def dates(self, index: int) -> tuple[datetime, datetime | None]:
        """Of the deploy and of its first commit."""
        first = self.first_commit_at[index]
        first_commit_at = None if first == UNKNOWN else from_microseconds(first)
        return from_microseconds(self.deployed_at[index]), first_commit_at
