"""What is wrong with the lines of a file, in one sentence of bounded length."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import BinaryIO

from deployments.api.fields import MAX_AHEAD, parse_date
from deployments.api.schemas import load_schema
from deployments.errors import BadHistory
from deployments.imports.links import HistoryRow
from deployments.models.deploy import (
    MAX_BRANCH_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SHA_LENGTH,
    MAX_TITLE_LENGTH,
)
from deployments.registration.registration import lead_time
from orgs.text import problem_in_text
from tokens.secrets import without_secrets

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


# --- Sleuth's CSV of past deploys: bytes of a file → rows of a history ---
# https://help.sleuth.io/sleuth-api/deploy-registration describes the columns sha and date. Its own sample has a blank
# after ``date`` in its first line and after cells, short shas and dates without a zone; others come from spreadsheets,
# with a byte-order mark, other delimiters and empty lines.

REQUIRED = ("sha", "date")
# Others are ignored, as Sleuth ignores all but the two.
COLUMNS = (*REQUIRED, "branch", "title", "author", "email", "first_commit_at", "environment", "deployment")
DELIMITERS = (",", ";", "\t")
# Of bytes. What is no CSV may be one line, and a quotation mark that is never closed takes in all that follows.
MAX_LINE = 200_000
MAX_ROW = 1_000_000
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
EMAIL = re.compile(load_schema("register_deploy")["properties"]["email"]["pattern"])
BARE_RETURN = re.compile(rb"\r[^\r\n]")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class HistoryFile:
    """``fixed`` has for the columns environment and deployment what a cell there may say, in lower case, since a file
    of several must not all be imported into one.

    ``wrong`` are the lines that :meth:`rows` met and left out.
    """

    def __init__(self, file: BinaryIO, *, fixed: Mapping[str, Sequence[str]]) -> None:
        self.lines = Lines(file)
        self.fixed = fixed
        self.wrong = WrongLines()
        self.latest = datetime.now(UTC) + MAX_AHEAD

    def all_rows(self) -> Iterator[HistoryRow]:
        """Raises BadHistory at the end, where lines are wrong."""
        yield from self.rows()
        if self.wrong:
            raise BadHistory(f"Nothing was imported: {self.wrong}.")

    def rows(self) -> Iterator[HistoryRow]:
        """Raises BadHistory where it is no CSV with these columns."""
        records = self.lines.records()
        line, names = next(records, (1, []))
        columns = read_names(line, names)
        read = self.row_reader(columns)
        for line, cells in records:
            try:
                yield read(line, cells)
            except WrongLine as problem:
                self.wrong.add(line, str(problem))

    def row_reader(self, columns: Mapping[str, int]) -> Callable[[int, list[str]], HistoryRow]:
        """The columns are looked up once, and not for each of a million rows."""
        count = max(columns.values()) + 1
        sha_at, date_at = columns["sha"], columns["date"]
        optional = [name for name in COLUMNS if name not in REQUIRED and name in columns]

        def read(line: int, cells: list[str]) -> HistoryRow:
            if len(cells) < count:
                cells += [""] * (count - len(cells))
            sha = read_text("sha", cells[sha_at], MAX_SHA_LENGTH)
            if not sha:
                raise WrongLine("sha is missing")
            deployed_at = self.read_past(cells[date_at])
            if not optional:
                return HistoryRow(line, sha, deployed_at)
            more = {name: cells[columns[name]].strip() for name in optional}
            return self.detailed_row(line, sha, deployed_at, more)

        return read

    def read_past(self, cell: str) -> datetime:
        if not cell or cell.isspace():
            raise WrongLine("date is missing")
        date = read_moment("date", cell)
        if date > self.latest:
            raise WrongLine("date is in the future")
        return date

    def detailed_row(self, line: int, sha: str, deployed_at: datetime, cells: Mapping[str, str]) -> HistoryRow:
        for name, allowed in self.fixed.items():
            if cells.get(name, "") and cells[name].casefold() not in allowed:
                raise WrongLine(f"{name} is not {allowed[0]}")
        first_commit_at = None
        if text := cells.get("first_commit_at"):
            first_commit_at = read_moment("first_commit_at", text)
        email = read_text("email", cells.get("email", ""), MAX_EMAIL_LENGTH)
        if email and not EMAIL.fullmatch(email):
            raise WrongLine("email is no e-mail address")
        # By position and at once: a name for each, or a second row, would take a tenth of the time of reading.
        return HistoryRow(
            line,
            sha,
            deployed_at,
            read_text("branch", cells.get("branch", ""), MAX_BRANCH_LENGTH),
            read_prose("title", cells.get("title", ""), MAX_TITLE_LENGTH),
            read_prose("author", cells.get("author", ""), MAX_NAME_LENGTH),
            email,
            first_commit_at,
            lead_time(first_commit_at, deployed_at),
        )


class Lines:
    """The file's lines as text, with the number of the one at hand."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.number = 0
        # Of the row at hand: where it begins, and its bytes so far.
        self.start = 1
        self.row_length = 0

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not empty, each with the line where it begins. Raises BadHistory."""
        lines = iter(self)
        try:
            first = self.first_line(lines)
            rows = csv.reader(chain([first], lines), delimiter=delimiter_of(first), skipinitialspace=True)
            for cells in rows:
                if any(cells) and not "".join(cells).isspace():
                    yield self.start, cells
                self.start, self.row_length = self.number + 1, 0
        except csv.Error:
            raise BadHistory(
                f"Line {self.start} is not CSV: write line breaks and commas in quotation marks."
            ) from None

    def first_line(self, lines: Iterator[str]) -> str:
        """The first that is not empty."""
        for line in lines:
            if line.strip():
                return line
            self.start, self.row_length = self.number + 1, 0
        return ""

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(MAX_LINE + 1):
            self.number += 1
            self.row_length += len(line)
            if self.number == 1:
                line = self.without_mark(line)
            if len(line) > MAX_LINE or self.row_length > MAX_ROW:
                raise BadHistory(f"Line {self.number} is too long: end each row, and what is in quotation marks.")
            # What is no UTF-8 matters only where it stands in a column that is read.
            yield line.decode("utf-8", "surrogateescape")
        if self.row_length:
            # Asked for another line within a row.
            raise BadHistory(f"Line {self.start} opens a quotation mark that is not closed.")

    def without_mark(self, line: bytes) -> bytes:
        if line.startswith(UTF_16_MARKS) or b"\0" in line:
            raise BadHistory("The file is not UTF-8 text: save it as CSV in UTF-8.")
        if BARE_RETURN.search(line):
            # Spreadsheets on a Mac offer such files as "CSV (Macintosh)".
            raise BadHistory("The file's lines end with a carriage return alone: save it as CSV for Windows or Unix.")
        return line.removeprefix(b"\xef\xbb\xbf")


def check_readable(file: BinaryIO) -> None:
    """Raises BadHistory where the file does not begin as one."""
    next(HistoryFile(file, fixed={}).rows(), None)


def delimiter_of(first_line: str) -> str:
    """A spreadsheet writes semicolons where the decimal point is a comma."""
    return max(DELIMITERS, key=first_line.count)


def read_names(line: int, cells: Sequence[str]) -> dict[str, int]:
    """The places of the columns that are known, by name. Raises BadHistory."""
    columns: dict[str, int] = {}
    for place, cell in enumerate(cells):
        name = cell.strip().casefold()
        if name not in COLUMNS:
            continue
        if name in columns:
            raise BadHistory(f"Line {line} names the column {name} twice.")
        columns[name] = place
    for name in REQUIRED:
        if name not in columns:
            raise BadHistory(f"Line {line} names no column {name}: the first line must name the columns, as sha,date.")
    return columns


def read_text(name: str, cell: str, longest: int) -> str:
    text = cell.strip()
    if text.isprintable() and len(text) <= longest:
        return text
    check_text(name, text)
    if CONTROL.search(text):
        raise WrongLine(f"{name} has a line break or another control character")
    if len(text) > longest:
        raise WrongLine(f"{name} is longer than {longest} characters")
    return text


def read_prose(name: str, cell: str, longest: int) -> str:
    """The first line, as much of it as is kept."""
    check_text(name, cell)
    text: str = without_secrets(cell.strip().partition("\n")[0])
    return text.rstrip()[:longest]


def check_text(name: str, text: str) -> None:
    if problem_in_text(text):
        raise WrongLine(f"{name} is not UTF-8 text")


def read_moment(name: str, cell: str) -> datetime:
    date = parse_date(cell)
    if date is None:
        raise WrongLine(f"{name} is not in ISO 8601")
    return date


def fixed_cells(*, deployment_slug: str, environment_slug: str, environment_name: str) -> dict[str, tuple[str, ...]]:
    """What the cells of a file may say that is imported there."""
    return {
        "environment": (environment_slug, environment_name.casefold()),
        "deployment": (deployment_slug,),
    }
