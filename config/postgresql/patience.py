"""How long a thread waits for PostgreSQL.

A connection may fall silent: a firewall forgets it, a machine dies, a proxy hangs. libpq waits for ever, whatever
time-outs the server has, and TCP's own do not help if something on the way confirms what was sent.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

SECONDS_BETWEEN_LOOKS = 0.25


class Watch:
    """Cuts connections that are waited for too long. Their waits end with an OperationalError."""

    def __init__(self) -> None:
        # Of each wait: until when, and the connection's file.
        self.waits: dict[int, tuple[float, int]] = {}
        self.lock = threading.Lock()
        self.has_thread = False
        # When a connection was last found silent. Those that are older are suspects.
        self.silent_at = 0.0

    @contextmanager
    def over(self, file: int, seconds: float) -> Iterator[None]:
        if not self.has_thread:
            self.start()
        me = threading.get_ident()
        self.waits[me] = (time.monotonic() + seconds, file)
        try:
            yield
        finally:
            # Under the lock, so that the file is not closed and opened as another while it is being cut.
            with self.lock:
                self.waits.pop(me, None)

    def start(self) -> None:
        with self.lock:
            if not self.has_thread:
                self.has_thread = True
                threading.Thread(target=self.look, name="database-watch", daemon=True).start()

    def look(self) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            now = time.monotonic()
            with self.lock:
                for me, (until, file) in list(self.waits.items()):
                    if now > until:
                        self.silent_at = now
                        self.waits.pop(me, None)
                        cut(file)


def cut(file: int) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(file)) as connection:
        connection.shutdown(socket.SHUT_RDWR)


watch = Watch()


class Patience(threading.local):
    """Seconds that this thread waits for one answer of the database; 0 is for ever."""

    # Of threads that have none of their own. The web server sets it; the worker and manage.py wait.
    default = 0.0
    seconds: float | None = None


patience = Patience()


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    before, patience.seconds = patience.seconds, seconds
    try:
        yield
    finally:
        patience.seconds = before


class WatchedConnection(psycopg.Connection[Any]):
    opened_at = 0.0

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        seconds = Patience.default if patience.seconds is None else patience.seconds
        if not seconds:
            return super().wait(*args, **kwargs)
        with watch.over(self.pgconn.socket, seconds):
            return super().wait(*args, **kwargs)
