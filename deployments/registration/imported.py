"""A history as a file tells it, row by row."""

from datetime import datetime
from typing import NamedTuple


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
