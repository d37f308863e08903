import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with two changes.

    There is no just-in-time compilation: it takes seconds for statements that run for milliseconds. And the health
    check of each request seldom needs a round trip: if PostgreSQL has closed the connection, there is something to
    read. A silent connection counts as alive. ``SELECT 1`` would prove no more, since a restart may follow it.
    """

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self.connection.execute("SET jit = off")

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred:
            return super().is_usable()
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()
