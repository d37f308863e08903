import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, without just-in-time compilation, which takes seconds for statements that run for milliseconds, and
    whose health check before each request's first statement mostly needs no round trip here.

    A connection that PostgreSQL has ended has its end to be read. A silent one is taken to be alive, as it is after
    ``SELECT 1``, which a restart may follow as well.
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
