import fcntl
import os

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with a queue of those who write in a transaction, of all threads and processes of the machine.

    SQLite has none: who finds it locked asks again later, up to a tenth of a second, and meanwhile others come first.
    With a few writers one in a hundred waited more than ten times as long as most.

    The methods that begin and end a transaction are Django's own, which its stubs leave out.
    """

    queue: int | None = None

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
        if not self.is_in_memory_db():
            # The kernel lets go of it when the process ends, however it does.
            self.queue = os.open(f"{self.settings_dict['NAME']}-queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self.queue, fcntl.LOCK_EX)

    def leave_queue(self) -> None:
        if self.queue is not None:
            os.close(self.queue)
            self.queue = None
