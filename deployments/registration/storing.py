"""The rows of a file as deploys, in bulk and while they are read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

from django.db import connection

from deployments.registration.imported import HistoryRow, as_it_happened
from deployments.registration.near_links import LinkedRow, NewestFirst, OldestFirst
from deployments.registration.placing import batches
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
