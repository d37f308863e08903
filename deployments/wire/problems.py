"""What is wrong with the lines of a file, in one sentence of bounded length."""

MOST_LINES = 20


class WrongLine(Exception):
    """Its message is part of a sentence: ``date is missing``."""


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
        parts = [f"{problem} in {lines_in_words(lines)}" for problem, lines in self.lines.items()]
        if self.unnamed:
            parts.append(f"and {self.unnamed:,} more")
        return "; ".join(parts)


def lines_in_words(lines: list[int]) -> str:
    noun = "line" if len(lines) == 1 else "lines"
    return f"{noun} {', '.join(map(str, lines))}"
