import fcntl
import os
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# SQLite's own, where none is configured: https://docs.python.org/3/library/sqlite3.html#sqlite3.connect
DEFAULT_TIMEOUT = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with a queue of the threads and processes that write in a transaction.

    SQLite has none: a writer that finds the database locked tries again after up to a tenth of a second, and others
    overtake it. One in a hundred waited ten times as long as most. A writer that waits longer than ``timeout`` gets
    SQLite's own error.

    The methods that begin and end a transaction are Django's own, which its stubs leave out.
    """

    queue: int | None = None
    # Of the last wait that a thread did for this connection.
    turn: Future[None] | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A new file is for its owner only: it has the hashes of passwords. SQLite's other files get its mode.

        One that is there must not be opened: closing it would take the locks from all connections of this process, and
        others would write meanwhile (https://www.sqlite.org/howtocorrupt.html, section 2.2).
        """
        if not self.is_in_memory_db():
            with suppress(OSError):
                os.close(os.open(str(self.settings_dict["NAME"]), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        return super().get_new_connection(conn_params)

    def _start_transaction_under_autocommit(self) -> None:
        self.enter_queue()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self.leave_queue()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self.leave_queue()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self.leave_queue()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self.leave_queue()

    def enter_queue(self) -> None:
        if self.is_in_memory_db():
            return
        try:
            self.queue = self.wait_in_queue()
        except TimeoutError:
            raise OperationalError("database is locked") from None
        except OSError as error:
            raise OperationalError(f"The queue of writers cannot be used: {error}") from error

    def leave_queue(self) -> None:
        if self.queue is not None:
            os.close(self.queue)
            self.queue = None

    def wait_in_queue(self) -> int:
        """The queue's file, locked; the kernel lets go of it when the process ends, however it does."""
        deadline = monotonic() + self.settings_dict["OPTIONS"].get("timeout", DEFAULT_TIMEOUT)
        if self.turn:
            # A wait that was given up may go on: one thread for each connection is enough.
            self.turn.exception(deadline - monotonic())
        queue = self.open_queue()
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.wait_until_locked(queue, deadline)
        except BaseException:
            os.close(queue)
            raise
        return queue

    def open_queue(self) -> int:
        """A new file gets the mode of the database and, if root creates it, its owner, as SQLite's other files do."""
        database = self.settings_dict["NAME"]
        path, flags = f"{database}-queue", os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            status = Path(database).stat()
        queue = os.open(path, flags | os.O_CREAT, status.st_mode & 0o666)
        try:
            os.fchmod(queue, status.st_mode & 0o666)
            if os.geteuid() == 0:
                os.fchown(queue, status.st_uid, status.st_gid)
        except BaseException:
            os.close(queue)
            raise
        return queue

    def wait_until_locked(self, queue: int, deadline: float) -> None:
        """Closes ``queue`` if it raises. The kernel's queue is fair but has no deadline, so a thread waits in it."""
        turn: Future[None] = Future()

        def wait() -> None:
            try:
                fcntl.flock(queue, fcntl.LOCK_EX)
            except OSError as error:
                turn.set_exception(error)
            else:
                turn.set_result(None)

        Thread(target=wait, name="sqlite-queue", daemon=True).start()
        self.turn = turn
        try:
            turn.result(deadline - monotonic())
        except BaseException:
            turn.add_done_callback(lambda _: os.close(queue))
            raise
