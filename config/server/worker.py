"""A process that serves: one event loop, and threads for each kind of request."""

import asyncio
import logging
import resource
import signal
import socket
import time

import uvloop
from django.conf import settings

from config.server.answers import Application, Lane
from config.server.connection import Connection
from config.server.limits import BACKLOG, MAX_CONNECTIONS
from config.server.request import Request
from config.views import is_api_path

SECONDS_TO_FINISH = 4.0
# Beyond so many of a kind a request is answered 503 at once.
MOST_WAITING = 1000
# Each takes up to two seconds of a processor.
MOST_WAITING_SIGN_INS = 20
SIGN_IN_PREFIX = "/accounts/"
ISSUER_PREFIX = "/accounts/oidc/"

logger = logging.getLogger(__name__)


class Worker:
    def __init__(self, application: Application) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        threads = settings.WEB_THREADS
        self.api = Lane(application, name="api", threads=threads, waiting=MOST_WAITING)
        self.pages = Lane(application, name="pages", threads=threads, waiting=MOST_WAITING)
        # Passwords take long to check on purpose. One at a time leaves the processors to others.
        self.sign_ins = Lane(application, name="sign-in", threads=1, waiting=MOST_WAITING_SIGN_INS)
        self.connections: set[Connection] = set()
        self.bytes_of_bodies = 0
        self.is_stopping = False
        self.told = asyncio.Event()

    def lane(self, request: Request) -> Lane:
        path = request.path
        if is_api_path(path):
            return self.api
        is_sign_in = request.environ["REQUEST_METHOD"] == "POST" and path.startswith(SIGN_IN_PREFIX)
        # Those of OpenID Connect check no password, but may wait for an issuer that is silent.
        return self.sign_ins if is_sign_in and not path.startswith(ISSUER_PREFIX) else self.pages

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)
        if len(self.connections) > MAX_CONNECTIONS:
            connection.transport.abort()

    def remove(self, connection: Connection) -> None:
        self.connections.discard(connection)

    def count(self, request: Request, size: int) -> None:
        self.bytes_of_bodies += size
        request.counted += size

    def close(self, request: Request) -> None:
        self.bytes_of_bodies -= request.counted
        request.counted = 0
        request.close()

    def sweep(self) -> None:
        now = time.monotonic()
        for connection in [one for one in self.connections if one.is_overdue(now)]:
            connection.end_overdue()
        self.loop.call_later(1.0, self.sweep)

    def serve(self, listener: socket.socket) -> None:
        """Until SIGTERM."""
        raise_file_limit()
        self.loop.add_signal_handler(signal.SIGTERM, self.told.set)
        self.run(listener)

    def run(self, listener: socket.socket) -> None:
        """Until ``told`` is set, by the loop's thread."""
        self.loop.run_until_complete(self.serve_until_told(listener))

    async def serve_until_told(self, listener: socket.socket) -> None:
        # uvloop listens once more.
        server = await self.loop.create_server(lambda: Connection(self), sock=listener, backlog=BACKLOG)
        self.sweep()
        await self.told.wait()
        self.is_stopping = True
        server.close()
        deadline = time.monotonic() + SECONDS_TO_FINISH
        for connection in list(self.connections):
            if connection.current:
                connection.current.keeps_connection = False
            elif connection.coming is None:
                connection.transport.abort()
        while self.connections and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for connection in list(self.connections):
            connection.transport.abort()
        # connection_lost is called by the next turn of the loop.
        await asyncio.sleep(0.01)


def raise_file_limit() -> None:
    """Each connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MAX_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
