"""Bytes of a CSV file → rows of a history, or what is wrong with its lines.

https://help.sleuth.io/sleuth-api/deploy-registration describes the columns sha and date. Its own sample has a blank
after ``date`` in its first line and after cells, short shas and dates without a zone. Other files come from
spreadsheets, with a byte-order mark, other delimiters and empty lines.
"""

import csv
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import BinaryIO

from django.conf import settings

from deployments.api.fields import EMAIL, MAX_AHEAD, from_microseconds, parse_date, to_microseconds
from deployments.errors import BadHistory
from deployments.models.deploy import (
    MAX_BRANCH_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SHA_LENGTH,
    MAX_TITLE_LENGTH,
)
from orgs.text import problem_in_text
from tokens.secrets import without_secrets

REQUIRED = ("sha", "date")
# Other columns are ignored, as Sleuth ignores all but the two.
COLUMNS = (*REQUIRED, "branch", "title", "author", "email", "first_commit_at", "environment", "deployment")
DELIMITERS = (",", ";", "\t")
# In bytes. A file that is not CSV may be one line, and a quotation mark that is never closed takes in all that follows.
MAX_LINE = 200_000
MAX_ROW = 1_000_000
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BARE_RETURN = re.compile(rb"\r[^\r\n]")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
NO_TEXTS = b"\t\t\t"
REPORT_EACH = 1_000
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
    """

    def __init__(self) -> None:
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

    def dates(self, index: int) -> tuple[datetime, datetime | None]:
        """Of the deploy and of its first commit."""
        first = self.first_commit_at[index]
        first_commit_at = None if first == UNKNOWN else from_microseconds(first)
        return from_microseconds(self.deployed_at[index]), first_commit_at


class HistoryFile:
    """``fixed`` has the texts, in lower case, that cells in the columns environment and deployment may have, since a
    file of several targets must not all be imported into one.

    ``wrong`` has the lines that :meth:`read` left out.
    """

    def __init__(self, file: BinaryIO, *, fixed: Mapping[str, Sequence[str]]) -> None:
        self.lines = Lines(file)
        self.fixed = fixed
        self.wrong = WrongLines()
        self.latest = datetime.now(UTC) + MAX_AHEAD

    def read_all(self, on_read: Callable[[int], None] | None = None) -> Rows:
        """Raises BadHistory if any line is wrong or there is no row."""
        rows = self.read(on_read)
        if self.wrong:
            raise BadHistory(f"Nothing was imported: {self.wrong}.")
        if not rows:
            raise BadHistory("Nothing was imported: the file has no row below its first line.")
        return rows

    def read(self, on_read: Callable[[int], None] | None = None) -> Rows:
        """``on_read`` is called now and then with the number of rows so far.

        Raises BadHistory if this is no CSV with these columns, or has more than MAX_IMPORT_ROWS rows.
        """
        rows = Rows()
        records = self.lines.records()
        add = self.row_reader(read_names(*next(records, (1, []))), rows)
        for number, (line, cells) in enumerate(records, 1):
            if number > settings.MAX_IMPORT_ROWS:
                raise BadHistory(
                    f"The file has more than {settings.MAX_IMPORT_ROWS:,} rows: leave out the oldest, "
                    "or ask the operator to raise MAX_IMPORT_ROWS."
                )
            try:
                add(line, cells)
            except WrongLine as problem:
                self.wrong.add(line, str(problem))
            if on_read and number % REPORT_EACH == 0:
                on_read(number)
        return rows

    def row_reader(self, columns: Mapping[str, int], rows: Rows) -> Callable[[int, list[str]], None]:
        """The columns are looked up once, and not for each row."""
        count = max(columns.values()) + 1
        sha_at, date_at = columns["sha"], columns["date"]
        optional = [(name, at) for name, at in columns.items() if name not in REQUIRED]

        def add(line: int, cells: list[str]) -> None:
            if len(cells) < count:
                cells += [""] * (count - len(cells))
            sha = read_text("sha", cells[sha_at], MAX_SHA_LENGTH)
            if not sha:
                raise WrongLine("sha is missing")
            deployed_at = self.read_past(cells[date_at])
            first_commit_at, texts = None, NO_TEXTS
            if optional:
                first_commit_at, texts = self.read_optional({name: cells[at].strip() for name, at in optional})
            rows.add(line, sha, deployed_at, first_commit_at, texts)

        return add

    def read_past(self, cell: str) -> datetime:
        if not cell or cell.isspace():
            raise WrongLine("date is missing")
        date = read_moment("date", cell)
        if date > self.latest:
            raise WrongLine("date is in the future")
        return date

    def read_optional(self, cells: Mapping[str, str]) -> tuple[datetime | None, bytes]:
        """The moment of the first commit, and the texts as Rows has them."""
        for name, allowed in self.fixed.items():
            if cells.get(name, "") and cells[name].casefold() not in allowed:
                raise WrongLine(f"{name} is not {allowed[0]}")
        text = cells.get("first_commit_at")
        first_commit_at = read_moment("first_commit_at", text) if text else None
        email = read_text("email", cells.get("email", ""), MAX_EMAIL_LENGTH)
        if email and not EMAIL.fullmatch(email):
            raise WrongLine("email is no e-mail address")
        branch = read_text("branch", cells.get("branch", ""), MAX_BRANCH_LENGTH)
        title = read_prose("title", cells.get("title", ""), MAX_TITLE_LENGTH)
        author = read_prose("author", cells.get("author", ""), MAX_NAME_LENGTH)
        return first_commit_at, f"{branch}\t{title}\t{author}\t{email}".encode()


class Lines:
    """The file's lines as text, with the number of the current one."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.number = 0
        # Where the current row begins, and its bytes so far.
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
                line = self.checked_first_line(line)
            if len(line) > MAX_LINE or self.row_length > MAX_ROW:
                raise BadHistory(f"Line {self.number} is too long: end each row, and what is in quotation marks.")
            # Bytes that are not UTF-8 matter only in a column that is read.
            yield line.decode("utf-8", "surrogateescape")
        if self.row_length:
            # The CSV reader asked for another line within a row.
            raise BadHistory(f"Line {self.start} opens a quotation mark that is not closed.")

    def checked_first_line(self, line: bytes) -> bytes:
        if line.startswith(UTF_16_MARKS) or b"\0" in line:
            raise BadHistory("The file is not UTF-8 text: save it as CSV in UTF-8.")
        if BARE_RETURN.search(line):
            # Spreadsheets on a Mac offer such files as "CSV (Macintosh)".
            raise BadHistory("The file's lines end with a carriage return alone: save it as CSV for Windows or Unix.")
        return line.removeprefix(b"\xef\xbb\xbf")


def check_readable(file: BinaryIO) -> None:
    """Raises BadHistory if the file does not begin as a history."""
    read_names(*next(Lines(file).records(), (1, [])))


def delimiter_of(first_line: str) -> str:
    """A spreadsheet writes semicolons where the decimal point is a comma."""
    return max(DELIMITERS, key=first_line.count)


def read_names(line: int, cells: Sequence[str]) -> dict[str, int]:
    """The positions of the columns that are known, by name. Raises BadHistory."""
    columns: dict[str, int] = {}
    for position, cell in enumerate(cells):
        name = cell.strip().casefold()
        if name not in COLUMNS:
            continue
        if name in columns:
            raise BadHistory(f"Line {line} names the column {name} twice.")
        columns[name] = position
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
    """The first line, as much of it as is kept, without tabs."""
    check_text(name, cell)
    text: str = without_secrets(cell.strip().partition("\n")[0])
    if not text.isprintable():
        text = text.replace("\t", " ").replace("\r", " ")
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
    """What HistoryFile takes as ``fixed`` for a file that is imported there."""
    return {
        "environment": (environment_slug, environment_name.casefold()),
        "deployment": (deployment_slug,),
    }
