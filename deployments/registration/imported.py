"""A history as a file tells it, row by row."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, groupby, islice, pairwise
from operator import attrgetter
from typing import NamedTuple

# From these first rows of a file it is seen whether it goes back in time.
LOOKED_AT = 1_000


class HistoryRow(NamedTuple):
    """``line`` is where the row begins in its file, from 1. ``lead_time`` is in seconds."""

    line: int
    sha: str
    deployed_at: datetime
    branch: str = ""
    title: str = ""
    author_name: str = ""
    author_email: str = ""
    first_commit_at: datetime | None = None
    lead_time: int | None = None


class History(NamedTuple):
    newest_first: bool
    rows: Iterator[HistoryRow]


def as_it_happened(rows: Iterable[HistoryRow]) -> History:
    """Neighbours of the same moment from bottom to top where the file goes back in time; all else as it is."""
    remaining = iter(rows)
    first = list(islice(remaining, LOOKED_AT))
    steps = sum((b.deployed_at > a.deployed_at) - (b.deployed_at < a.deployed_at) for a, b in pairwise(first))
    told = chain(first, remaining)
    if steps >= 0:
        return History(False, told)
    moments = groupby(told, key=attrgetter("deployed_at"))
    return History(True, (row for _, same in moments for row in reversed(list(same))))
