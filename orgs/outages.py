"""What is wrong around us when a database or a disk fails: one sentence, to be answered with 503."""

import errno

from django.db import InterfaceError, InternalError, OperationalError

NO_DATABASE = "The database does not answer: try again."
READ_ONLY = "The database takes no changes now, it is read-only: try again."
DISK_IS_FULL = "The disk of the server is full, so nothing can be stored: try again later."
READ_ONLY_STATES = ("25006",)
DISK_STATES = ("53100", "53000")


def outage(error: BaseException) -> str | None:
    """None if ``error`` is a mistake of ours or of the caller."""
    if isinstance(error, OSError):
        return DISK_IS_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return None
    state = getattr(error.__cause__, "sqlstate", None)
    text = str(error)
    # SQLite knows no states: https://www.sqlite.org/rescode.html
    if state in READ_ONLY_STATES or "readonly database" in text:
        return READ_ONLY
    if state in DISK_STATES or "disk is full" in text or "No space left" in text:
        return DISK_IS_FULL
    return None if isinstance(error, InternalError) else NO_DATABASE
