"""The rows of a file as deploys, in bulk and while they are read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from deployments.registration.imported import HistoryRow
from deployments.registration.placing import batches
from tokens.statements import as_parameter

# Of a HistoryRow, behind its line.
TOLD = HistoryRow._fields[1:]
NULL = "\\N"


def store_rows(rows: Iterable[HistoryRow], *, same: Mapping[str, Any]) -> int:
    """How many rows it were. ``same`` has the columns that are the same for all of them.

    What ``rows`` raises comes out of here.
    """
    columns = ", ".join((*same, *TOLD))
    store = copy_rows if connection.vendor == "postgresql" else insert_rows
    return store(rows, columns, tuple(same.values()))


def copy_rows(rows: Iterable[HistoryRow], columns: str, same: Sequence[Any]) -> int:
    """PostgreSQL stores what was read while more is read."""
    beginning = "".join(f"{NULL if value is None else value}\t" for value in same)
    count = 0
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY deployments_deploy ({columns}) FROM STDIN") as copy,
    ):
        for batch in batches(rows):
            copy.write("".join([beginning + as_copied(row) for row in batch]))
            count += len(batch)
    return count


def insert_rows(rows: Iterable[HistoryRow], columns: str, same: Sequence[Any]) -> int:
    beginning = tuple(as_parameter(value) if isinstance(value, datetime) else value for value in same)
    places = ", ".join(["%s"] * (len(same) + len(TOLD)))
    insert = f"INSERT INTO deployments_deploy ({columns}) VALUES ({places})"  # noqa: S608 - names of columns
    count = 0
    with connection.cursor() as cursor:
        for batch in batches(rows):
            cursor.executemany(insert, [(*beginning, *as_parameters(row)) for row in batch])
            count += len(batch)
    return count


def as_copied(row: HistoryRow) -> str:
    """The row in the text format of PostgreSQL's COPY: by hand, for psycopg takes five times as long."""
    _, sha, deployed_at, branch, title, author_name, author_email, first_commit_at, lead_time = row
    return (
        f"{as_cell(sha)}\t{deployed_at}\t{as_cell(branch)}\t{as_cell(title)}\t{as_cell(author_name)}\t"
        f"{as_cell(author_email)}\t{first_commit_at or NULL}\t{NULL if lead_time is None else lead_time}\n"
    )


def as_cell(text: str) -> str:
    """By now no text has a tab or a line break but a title or a name."""
    if text.isprintable() and "\\" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\t", " ").replace("\r", " ")


def as_parameters(row: HistoryRow) -> tuple[Any, ...]:
    _, sha, deployed_at, *texts, first_commit_at, lead_time = row
    return (sha, as_parameter(deployed_at), *texts, as_parameter(first_commit_at), lead_time)
