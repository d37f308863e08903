import sqlite3
from time import monotonic

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# SQLite's own default: https://docs.python.org/3/library/sqlite3.html#sqlite3.connect
DEFAULT_TIMEOUT = 5.0
MILLISECONDS_BETWEEN_TRIES = 1


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, except that a transaction asks for the write lock every millisecond while another one has it.

    SQLite by itself waits longer after each try, up to a tenth of a second, and meanwhile newcomers overtake: with
    four writers the p99 of a registration was two to five times as long.
    """

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        """Raises OperationalError if a transaction cannot begin within the option ``timeout``, in seconds."""
        if autocommit or not force_begin_transaction_with_broken_autocommit:
            super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
            return
        timeout = self.settings_dict["OPTIONS"].get("timeout", DEFAULT_TIMEOUT)
        deadline = monotonic() + timeout
        self.ensure_connection()
        self.connection.execute(f"PRAGMA busy_timeout = {MILLISECONDS_BETWEEN_TRIES}")
        try:
            while not self.begin():
                if monotonic() > deadline:
                    raise OperationalError("database is locked")
        finally:
            # Writes outside of transactions wait as SQLite does.
            self.connection.execute(f"PRAGMA busy_timeout = {timeout * 1000:.0f}")

    def begin(self) -> bool:
        """Whether the transaction has begun, and not waited for another one in vain."""
        try:
            super().set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        except OperationalError as error:
            # The lowest byte is the primary code: https://www.sqlite.org/rescode.html
            if getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise
        return True
