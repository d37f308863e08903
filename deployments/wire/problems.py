"""What is wrong with the lines of a file, in one sentence of bounded length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_LINES = 10_000
SHOWN_OF_A_PROBLEM = 20


class WrongLine(Exception):
    """Its message is part of a sentence: ``date is missing``."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first lines that have a problem, and how many more do."""

    problem: str
    lines: Sequence[int]
    more: int


class WrongLines:
    """The lines of each problem, in the order of the file; beyond MOST_LINES they are only counted."""

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
            shown = lines[:SHOWN_OF_A_PROBLEM]
            yield Excerpt(problem, shown, len(lines) - len(shown))
