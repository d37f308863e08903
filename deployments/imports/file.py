"""Bytes of a CSV file → rows of a history, or what is wrong with its lines.

https://help.sleuth.io/sleuth-api/deploy-registration describes the columns sha and date. Its own sample has a blank
after ``date`` in its first line and after cells, short shas and dates without a zone. Other files come from
spreadsheets, with a byte-order mark, other delimiters and empty lines.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import BinaryIO

from django.conf import settings

from deployments.api.dates import EARLIEST, MAX_AHEAD, parse_date, to_microseconds
from deployments.api.fields import EMAIL
from deployments.api.names import NO_BRANCH, NO_COMMIT, PLAIN, find_nameless, plain_branch, what_it_is
from deployments.errors import BadHistory, InvalidField
from deployments.imports.lines import Lines
from deployments.imports.rows import UNKNOWN, Rows, WrongLine, WrongLines
from deployments.models.deploy import (
    MAX_BRANCH_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SHA_LENGTH,
    MAX_TITLE_LENGTH,
    Status,
)
from deployments.registration.statuses import STATUS_FIELDS, read_status
from deployments.shas import folded
from orgs.csv_export import plain_cell
from orgs.text import problem_in_text
from tokens.secrets import without_secrets

REQUIRED = ("sha", "date")
# Other columns are ignored, as Sleuth ignores all but the two.
COLUMNS = (
    *(*REQUIRED, "branch", "title", "author", "email", "first_commit_at", "environment", "deployment"),
    *STATUS_FIELDS,
)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# As Rows has them, with how long each may be.
TEXTS = {
    "branch": MAX_BRANCH_LENGTH,
    "title": MAX_TITLE_LENGTH,
    "author": MAX_NAME_LENGTH,
    "email": MAX_EMAIL_LENGTH,
}
NO_TEXTS = b"\t\t\t"
# Each at the beginning of a line.
PLAIN_SHAS = re.compile(r"((?!0{40})[0-9a-f]{40}\n)*", re.ASCII)
PLAIN_DATES = re.compile(r"((20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ)?\n)*", re.ASCII)
ROWS_AT_ONCE = 1_000
# With these begin cells that a spreadsheet is not to take for a formula or a number.
MARKS = ("'", "=")


class HistoryFile:
    """``fixed`` has the texts, in lower case, that cells in the columns environment and deployment may have, since a
    file of several targets must not all be imported into one.

    ``wrong`` has the lines that :meth:`read` left out. Rows of deploys that did not succeed are left out, too, and only
    counted: a history says what was live.
    """

    def __init__(self, file: BinaryIO, *, fixed: Mapping[str, Sequence[str]]) -> None:
        self.lines = Lines(file)
        self.fixed = fixed
        self.wrong = WrongLines()
        self.now = datetime.now(UTC)

    def read_all(self, on_read: Callable[[int], None] | None = None) -> Rows:
        """Raises BadHistory if any line is wrong or there is no row."""
        rows = self.read(on_read)
        if self.wrong:
            raise BadHistory(f"Nothing was imported: {self.wrong}.")
        if not rows and rows.unsuccessful:
            raise BadHistory("Nothing was imported: none of the deploys in the file succeeded.")
        if not rows:
            raise BadHistory("Nothing was imported: the file has no row below its first line.")
        return rows

    def read(self, on_read: Callable[[int], None] | None = None) -> Rows:
        """``on_read`` is called now and then with the number of rows so far.

        Raises BadHistory if this is no CSV with these columns, or has more than MAX_IMPORT_ROWS rows.
        """
        rows, count = Rows(), 0
        records = self.lines.records()
        columns = read_names(*next(records, (1, [])))
        add = self.row_reader(columns, rows)
        has_succeeded = self.status_reader(columns, rows)
        while lot := list(islice(records, ROWS_AT_ONCE)):
            count += len(lot)
            if count > settings.MAX_IMPORT_ROWS:
                raise BadHistory(
                    f"The file has more than {settings.MAX_IMPORT_ROWS:,} rows: leave out the oldest, "
                    "or ask the operator to raise MAX_IMPORT_ROWS."
                )
            if has_succeeded:
                lot = [record for record in lot if has_succeeded(*record)]
            if not self.add_plain_rows(columns, lot, rows):
                for line, cells in lot:
                    try:
                        add(line, cells)
                    except WrongLine as problem:
                        self.wrong.add(line, str(problem))
            if on_read and len(lot) == ROWS_AT_ONCE:
                on_read(count)
        return rows

    def add_plain_rows(self, columns: Mapping[str, int], lot: Sequence[tuple[int, list[str]]], rows: Rows) -> bool:
        """Add rows in which nothing needs a closer look, a column at a time: that takes a third of the time.

        Returns False, and adds none, if one of them is not written as most programs write it.
        """
        try:
            cells = list(zip(*(cells for _, cells in lot), strict=True))
            column = {name: list(map(str.strip, cells[at])) for name, at in columns.items()}
            deployed_at = plain_dates(column["date"])
            first_commit_at = plain_dates(column["first_commit_at"]) if "first_commit_at" in column else ()
        except (ValueError, IndexError):
            return False
        texts = [column.get(name) or [""] * len(lot) for name in TEXTS]
        if not (
            PLAIN_SHAS.fullmatch(together(column["sha"]))
            and UNKNOWN not in deployed_at
            and max(deployed_at) <= to_microseconds(self.now)
            and all(is_plain_text(cells, longest) for cells, longest in zip(texts, TEXTS.values(), strict=True))
            and all(branch == read_branch(branch) for branch in set(column.get("branch", ())))
            and all(email == "" or EMAIL.fullmatch(email) for email in set(column.get("email", ())))
            and all(
                set(map(str.casefold, column.get(name, ()))) <= {"", *allowed} for name, allowed in self.fixed.items()
            )
        ):
            return False
        rows.extend(
            [line for line, _ in lot],
            column["sha"],
            deployed_at,
            first_commit_at or [UNKNOWN] * len(lot),
            map("\t".join, zip(*texts, strict=True)),
        )
        return True

    def status_reader(self, columns: Mapping[str, int], rows: Rows) -> Callable[[int, list[str]], bool] | None:
        """Whether a row tells of a deploy that succeeded; None if the file has no such column.

        The same few words stand in all rows, so each is read once.
        """
        said = [(name, at) for name, at in columns.items() if name in STATUS_FIELDS]
        known: dict[tuple[str, ...], Status | str] = {}

        def has_succeeded(line: int, cells: list[str]) -> bool:
            words = tuple(cells[at] if at < len(cells) else "" for _, at in said)
            if words not in known:
                known[words] = status_or_problem({name: word for (name, _), word in zip(said, words, strict=True)})
            status = known[words]
            if not isinstance(status, Status):
                self.wrong.add(line, status)
            elif status != Status.SUCCEEDED:
                rows.unsuccessful += 1
            return status == Status.SUCCEEDED

        return has_succeeded if said else None

    def row_reader(self, columns: Mapping[str, int], rows: Rows) -> Callable[[int, list[str]], None]:
        """The columns are looked up once, and not for each row."""
        count = max(columns.values()) + 1
        sha_at, date_at = columns["sha"], columns["date"]
        optional = [(name, at) for name, at in columns.items() if name not in (*REQUIRED, *STATUS_FIELDS)]

        def add(line: int, cells: list[str]) -> None:
            if len(cells) < count:
                cells += [""] * (count - len(cells))
            sha = read_sha(cells[sha_at])
            deployed_at = self.read_past(without_quotes(cells[date_at]))
            first_commit_at, texts = None, NO_TEXTS
            if optional:
                first_commit_at, texts = self.read_optional(
                    {
                        name: plain_cell(cell) if (cell := cells[at].strip())[:1] in MARKS else cell
                        for name, at in optional
                    }
                )
            rows.add(line, sha, deployed_at, first_commit_at, texts)

        return add

    def read_past(self, cell: str) -> datetime:
        if not cell or cell.isspace():
            raise WrongLine("date is missing")
        date = read_moment("date", cell)
        if date < EARLIEST:
            raise WrongLine("date is before 2000, which means no time")
        if date > self.now + MAX_AHEAD:
            raise WrongLine("date is in the future")
        # No deploy is later than its arrival.
        return min(date, self.now)

    def read_optional(self, cells: Mapping[str, str]) -> tuple[datetime | None, bytes]:
        """The moment of the first commit, and the texts as Rows has them."""
        for name, allowed in self.fixed.items():
            if cells.get(name, "") and cells[name].casefold() not in allowed:
                raise WrongLine(f"{name} is not {allowed[0]}")
        text = cells.get("first_commit_at")
        first_commit_at = read_moment("first_commit_at", text) if text else None
        if first_commit_at and first_commit_at < EARLIEST:
            first_commit_at = None
        email = read_text("email", cells.get("email", ""), MAX_EMAIL_LENGTH)
        if email and not EMAIL.fullmatch(email):
            raise WrongLine("email is no e-mail address")
        branch = read_branch(cells.get("branch", ""))
        title = read_prose("title", cells.get("title", ""), MAX_TITLE_LENGTH)
        author = read_prose("author", cells.get("author", ""), MAX_NAME_LENGTH)
        return first_commit_at, f"{branch}\t{title}\t{author}\t{email}".encode()


def status_or_problem(words: Mapping[str, str]) -> Status | str:
    cells = {name: without_quotes(word) for name, word in words.items()}
    try:
        return read_status({name: cell for name, cell in cells.items() if cell})
    except InvalidField as error:
        return str(error).rstrip(".")


# --- Cells that need no closer look ---


def together(cells: Sequence[str]) -> str:
    return "\n".join((*cells, ""))


def plain_dates(cells: Sequence[str]) -> list[int]:
    """In microseconds; an empty cell is UNKNOWN. Raises ValueError for dates that are written otherwise."""
    if not PLAIN_DATES.fullmatch(together(cells)):
        raise ValueError
    return [int(datetime.fromisoformat(cell).timestamp()) * 1_000_000 if cell else UNKNOWN for cell in cells]


def is_plain_text(cells: Sequence[str], longest: int) -> bool:
    text = together(cells)
    return (
        "".join(cells).isprintable()
        and max(map(len, cells)) <= longest
        and not any(f"\n{mark}" in f"\n{text}" for mark in MARKS)
        and without_secrets(text) == text
    )


def check_readable(file: BinaryIO) -> None:
    """Raises BadHistory if the file does not begin as a history."""
    read_names(*next(Lines(file).records(), (1, [])))


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


def without_quotes(cell: str) -> str:
    """Spreadsheets take a cell for text, and not for a number, that begins with an apostrophe."""
    cell = cell.strip()
    return plain_cell(cell).strip("'") if cell[:1] in MARKS else cell


def read_sha(cell: str) -> str:
    sha = read_text("sha", without_quotes(cell), MAX_SHA_LENGTH)
    if not sha:
        raise WrongLine("sha is missing")
    if not PLAIN.fullmatch(sha) and (found := find_nameless(NO_COMMIT, sha)):
        raise WrongLine(what_it_is("sha", found))
    return folded(sha)


# A file names few branches.
@lru_cache(1_000)
def read_branch(cell: str) -> str:
    """Empty if it names none: a history is not lost for that."""
    branch = plain_branch(without_secrets(read_text("branch", cell, MAX_BRANCH_LENGTH)))
    return "" if find_nameless(NO_BRANCH, branch) else branch


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


def fixed_cells(
    *, deployment_slug: str, environment_slug: str, environment_name: str, aliases: Sequence[str] = ()
) -> dict[str, tuple[str, ...]]:
    """What HistoryFile takes as ``fixed`` for a file that is imported there."""
    return {
        "environment": (environment_slug, environment_name.casefold(), *aliases),
        "deployment": (deployment_slug,),
    }
