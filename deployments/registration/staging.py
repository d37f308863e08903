"""The rows of a file in the temporary table ``import_row`` of the present transaction, to be looked at.

Their ids are their order in time where they are of the same moment.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count

from django.db import connection

from deployments.registration.imported import HistoryRow, as_it_happened
from deployments.registration.placing import analyze, batches
from deployments.registration.storing import as_cell
from tokens.statements import as_parameter

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
