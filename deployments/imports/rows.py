"""The rows of a file as deploys, in bulk and while they are read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, count, islice, repeat
from typing import Any, NamedTuple

from django.db import connection

from deployments.imports.links import HistoryRow, LinkedRow, NewestFirst, OldestFirst, as_it_happened
from deployments.imports.placing import analyze, batches
from tokens.statements import as_parameter

# Of a HistoryRow, behind its line.
TOLD = HistoryRow._fields[1:]
# Of a LinkedRow beside.
OWN = ("id", "restores_id", "rolled_back_by_id")
NULL = "\\N"
# Rows that are written at once: so few that PostgreSQL need not wait for them.
PIECE = 250
# How many ids are taken at a time: few at first, since a short file leaves most of them unused.
FIRST_IDS = (100, 400, 1_600, 6_400)
MOST_IDS = 25_600
# The sequence is looked up once, and not for each id.
TAKE_IDS = """
SELECT array_agg(nextval((SELECT pg_get_serial_sequence('deployments_deploy', 'id')::regclass)))
FROM generate_series(1, %s)
"""


class Stored(NamedTuple):
    """Where ``links_may_be_wrong``, some deploys may be linked to others than they should be."""

    row_count: int
    links_may_be_wrong: bool


def store_rows(rows: Iterable[HistoryRow], *, same: Mapping[str, Any]) -> Stored:
    """``same`` has the columns that are the same for all of them. Raises what ``rows`` raises."""
    store = copy_rows if connection.vendor == "postgresql" else insert_rows
    return store(rows, tuple(same), tuple(same.values()))


def copy_rows(rows: Iterable[HistoryRow], names: Sequence[str], same: Sequence[Any]) -> Stored:
    """PostgreSQL stores what was read while more is read, with the links of near rollbacks.

    For these, rows need their ids first, which no statement can take while another one copies: so there is a COPY for
    as many as were taken.
    """
    newest_first, reading = as_it_happened(rows)
    links = NewestFirst() if newest_first else OldestFirst()
    copy_columns = f"COPY deployments_deploy ({', '.join((*names, *TOLD, *OWN))}) FROM STDIN"
    beginning = "".join(f"{NULL if value is None else value}\t" for value in same)
    with connection.cursor() as cursor, connection.wrap_database_errors:

        def store(leaving: Iterator[LinkedRow]) -> None:
            lines = (beginning + as_copied(linked) for linked in leaving)
            with cursor.copy(copy_columns) as copy:
                while piece := "".join(islice(lines, PIECE)):
                    copy.write(piece)

        for count in chain(FIRST_IDS, repeat(MOST_IDS)):
            cursor.execute(TAKE_IDS, [count])
            ids = iter(cursor.fetchone()[0])
            store(links.link(zip(ids, reading, strict=False)))
            if next(ids, None) is not None:
                break
        store(links.rest())
    return Stored(links.passed, links_may_be_wrong=not links.in_order)


def insert_rows(rows: Iterable[HistoryRow], names: Sequence[str], same: Sequence[Any]) -> Stored:
    beginning = tuple(as_parameter(value) if isinstance(value, datetime) else value for value in same)
    columns = (*names, *TOLD)
    places = ", ".join(["%s"] * len(columns))
    insert = f"INSERT INTO deployments_deploy ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - names of columns
    count = 0
    with connection.cursor() as cursor:
        for batch in batches(as_it_happened(rows).rows):
            cursor.executemany(insert, [(*beginning, *as_parameters(row)) for row in batch])
            count += len(batch)
    return Stored(count, links_may_be_wrong=False)


def as_copied(linked: LinkedRow) -> str:
    """The row in the text format of PostgreSQL's COPY: by hand, for psycopg takes five times as long."""
    _, sha, deployed_at, branch, title, author_name, author_email, first_commit_at, lead_time = linked.row
    return (
        f"{as_cell(sha)}\t{deployed_at}\t{as_cell(branch)}\t{as_cell(title)}\t{as_cell(author_name)}\t"
        f"{as_cell(author_email)}\t{first_commit_at or NULL}\t{NULL if lead_time is None else lead_time}\t"
        f"{linked.id}\t{linked.restores_id or NULL}\t{linked.rolled_back_by_id or NULL}\n"
    )


def as_cell(text: str) -> str:
    """By now no text has a tab or a line break but a title or a name."""
    if text.isprintable() and "\\" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\t", " ").replace("\r", " ")


def as_parameters(row: HistoryRow) -> tuple[Any, ...]:
    _, sha, deployed_at, *texts, first_commit_at, lead_time = row
    return (sha, as_parameter(deployed_at), *texts, as_parameter(first_commit_at), lead_time)


# --- The rows of a file in the temporary table import_row of the present transaction, to be looked at ---
# Their ids are their order in time where they are of the same moment.

CREATE_ROWS = """
CREATE TEMPORARY TABLE import_row (
    id integer NOT NULL, line integer NOT NULL, sha text NOT NULL, deployed_at timestamp with time zone NOT NULL
)
"""
INSERT_ROW = "INSERT INTO import_row VALUES (%s, %s, %s, %s)"


@contextmanager
def staged(rows: Iterable[HistoryRow]) -> Iterator[int]:
    """Gives how many rows it were. What ``rows`` raises comes out of here."""
    with connection.cursor() as cursor:
        cursor.execute(CREATE_ROWS)
    number = fill_rows(as_it_happened(rows).rows)
    analyze("import_row")
    yield number
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE import_row")


def fill_rows(rows: Iterable[HistoryRow]) -> int:
    ids = count(1)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy("COPY import_row FROM STDIN") as copy:
                for batch in batches(rows):
                    lines = (f"{next(ids)}\t{row.line}\t{as_cell(row.sha)}\t{row.deployed_at}\n" for row in batch)
                    copy.write("".join(lines))
        else:
            for batch in batches(rows):
                cursor.executemany(
                    INSERT_ROW, [(next(ids), row.line, row.sha, as_parameter(row.deployed_at)) for row in batch]
                )
    return next(ids) - 1
