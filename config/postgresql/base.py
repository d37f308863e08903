import select
import time
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from config.postgresql.patience import Patience, WatchedConnection, waiting, watch

SECONDS_FOR_A_SUSPECT = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with three changes.

    There is no just-in-time compilation: it takes seconds for statements that run for milliseconds. The health
    check of each request seldom needs a round trip: if PostgreSQL has closed the connection, there is something to
    read. A silent connection counts as alive. ``SELECT 1`` would prove no more, since a restart may follow it. And
    web processes wait for an answer as long as DATABASE_TIMEOUT says: once they found one connection silent, they ask
    all that are older before they use them.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.__class__ = WatchedConnection
        connection.opened_at = time.monotonic()
        return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self.connection.execute("SET jit = off")
        if Patience.default and not self.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            # So that what nobody waits for any more ends, too.
            milliseconds = settings.DATABASE_TIMEOUT * 1000
            self.connection.execute(f"SET lock_timeout = {milliseconds}")

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        if watch.silent_at > self.connection.opened_at:
            with waiting(SECONDS_FOR_A_SUSPECT):
                is_alive = super().is_usable()
            if is_alive:
                self.connection.opened_at = time.monotonic()
            return is_alive
        if self.errors_occurred:
            return super().is_usable()
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()
