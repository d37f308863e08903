"""A history on its way into a target: temporary tables of the present transaction, so that no file fills our memory.

``import_row`` has the file's rows, ``import_place`` those that are deploys in their order, and ``import_undone`` which
of these was undone by which rollback. Apart from how they are filled the same statements serve SQLite and PostgreSQL.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

from deployments.registration.imported import HistoryRow
from deployments.registration.rollback_spans import Rollback, spans_undone
from tokens.statements import as_parameter

BATCH = 5_000
MOST_PLACES = 2**31 - 1

TABLES = {
    # Comparing texts by code points takes a fifth of the time that PostgreSQL takes to compare them in a language.
    "import_row": """(
        line integer NOT NULL, sha text {by_code_points} NOT NULL, deployed_at timestamp with time zone NOT NULL,
        branch text NOT NULL, title text NOT NULL, author_name text NOT NULL, author_email text NOT NULL,
        first_commit_at timestamp with time zone, lead_time bigint
    )""",
    "import_place": """(
        place integer NOT NULL, id bigint NOT NULL, line integer NOT NULL, restores integer, restores_id bigint
    )""",
    "import_undone": "(place integer PRIMARY KEY, undone_by bigint NOT NULL)",
}
# Sorting a quarter of a million rows where they are takes half the time of sorting them on disk.
MEMORY_FOR_SORTING = "SET LOCAL work_mem = '64MB'"

# Of equal rows the first is kept, and of neighbours with the same sha the earlier. The latest earlier deploy of the
# same sha is what a rollback restores: two never stand side by side. Ids are given in the order of places.
PLACE_ROWS = """
INSERT INTO import_place (place, id, line, restores, restores_id)
WITH once AS (
    SELECT line, sha, deployed_at, row_number() OVER (PARTITION BY sha, deployed_at ORDER BY line) AS copy
    FROM import_row
), compared AS (
    SELECT line, sha, deployed_at, lag(sha) OVER (ORDER BY deployed_at, line * {direction}) AS before
    FROM once WHERE copy = 1
), placed AS (
    SELECT line, sha, row_number() OVER (ORDER BY deployed_at, line * {direction}) AS place
    FROM compared WHERE before IS NULL OR before <> sha
), named AS (
    SELECT line, sha, place, {id} AS id FROM placed
)
SELECT place, id, line, lag(place) OVER same_sha, lag(id) OVER same_sha FROM named
WINDOW same_sha AS (PARTITION BY sha ORDER BY place)
"""
INDEX_ROLLBACKS = "CREATE INDEX import_rollback ON import_place (place) WHERE restores IS NOT NULL"
READ_ROLLBACKS = """
SELECT place, restores, id FROM import_place WHERE restores IS NOT NULL AND place < %s ORDER BY place DESC LIMIT %s
"""


@contextmanager
def staging_tables() -> Iterator[None]:
    """Inside a transaction. Where it is to be rolled back, that takes them away."""
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for name, columns in TABLES.items():
            by_code_points = 'COLLATE "C"' if is_postgresql else ""
            cursor.execute(f"CREATE TEMPORARY TABLE {name} {columns.format(by_code_points=by_code_points)}")
        if is_postgresql:
            cursor.execute(MEMORY_FOR_SORTING)
    yield
    with connection.cursor() as cursor:
        for name in TABLES:
            cursor.execute(f"DROP TABLE {name}")


class Staged:
    """The rows of a file in ``import_row``; what ``rows`` raises comes out of here."""

    def __init__(self, rows: Iterable[HistoryRow]) -> None:
        self.steps = 0
        self.row_count = fill_rows(self.watched(rows))
        analyze("import_row")

    def watched(self, rows: Iterable[HistoryRow]) -> Iterator[HistoryRow]:
        before: datetime | None = None
        for row in rows:
            if before is not None and row.deployed_at != before:
                self.steps += 1 if row.deployed_at > before else -1
            before = row.deployed_at
            yield row

    def place(self, *, id_of_place: str, parameters: Sequence[Any] = ()) -> int:
        """Put them in order and give the number of deploys that they are. ``id_of_place`` is SQL.

        Rows of the same moment follow each other as in the file; from bottom to top where the file goes back in time.
        """
        direction = -1 if self.steps < 0 else 1
        with connection.cursor() as cursor:
            cursor.execute(PLACE_ROWS.format(direction=direction, id=id_of_place), parameters)
            deploy_count: int = cursor.rowcount
            cursor.execute(INDEX_ROLLBACKS)
        analyze("import_place")
        fill_undone()
        analyze("import_undone")
        return deploy_count


def analyze(table: str) -> None:
    """Tell PostgreSQL's planner how large it is; nobody else does that for a temporary table."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table}")


def fill_rows(rows: Iterable[HistoryRow]) -> int:
    """How many rows it were."""
    count = 0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = ", ".join(HistoryRow._fields)
            with connection.wrap_database_errors, cursor.copy(f"COPY import_row ({columns}) FROM STDIN") as copy:
                for batch in batches(rows):
                    copy.write("".join(map(as_copied, batch)))
                    count += len(batch)
        else:
            insert = "INSERT INTO import_row VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            for batch in batches(rows):
                cursor.executemany(insert, [as_parameters(row) for row in batch])
                count += len(batch)
    return count


def batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def as_copied(row: HistoryRow) -> str:
    """The row in the text format of PostgreSQL's COPY: by hand, for psycopg takes five times as long."""
    line, sha, deployed_at, *texts, first_commit_at, lead_time = row
    sha = sha.replace("\\", "\\\\")
    if not any(texts) and first_commit_at is None:
        return f"{line}\t{sha}\t{deployed_at}\t\t\t\t\t\\N\t\\N\n"
    # No text has a tab or a line break by now but a title or a name.
    cells = "\t".join(" ".join(text.replace("\\", "\\\\").split("\t")).replace("\r", " ") for text in texts)
    seconds = NULL if lead_time is None else lead_time
    return f"{line}\t{sha}\t{deployed_at}\t{cells}\t{first_commit_at or NULL}\t{seconds}\n"


NULL = "\\N"


def as_parameters(row: HistoryRow) -> Sequence[Any]:
    return (row[0], row[1], as_parameter(row[2]), *row[3:7], as_parameter(row[7]), row[8])


def fill_undone() -> None:
    insert = "INSERT INTO import_undone (place, undone_by) VALUES (%s, %s)"
    for batch in batches(undone_places()):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with connection.wrap_database_errors, cursor.copy("COPY import_undone FROM STDIN") as copy:
                    copy.write("".join(f"{place}\t{by}\n" for place, by in batch))
            else:
                cursor.executemany(insert, batch)


def undone_places() -> Iterator[tuple[int, int]]:
    """Each place that a rollback undid, and that rollback's id."""
    for span in spans_undone(rollbacks()):
        for place in range(span.first, span.last + 1):
            yield place, span.by


def rollbacks() -> Iterator[Rollback]:
    """The newest first, in batches, since other statements run in between."""
    before = MOST_PLACES
    while True:
        with connection.cursor() as cursor:
            cursor.execute(READ_ROLLBACKS, [before, BATCH])
            batch = [Rollback(*row) for row in cursor.fetchall()]
        yield from batch
        if len(batch) < BATCH:
            return
        before = batch[-1].place
