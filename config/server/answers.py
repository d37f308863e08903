"""Threads that run the application, and what it answers as bytes of HTTP."""

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from http import HTTPStatus
from queue import SimpleQueue
from tempfile import SpooledTemporaryFile
from threading import Lock, Thread
from time import time
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from wsgiref.handlers import format_date_time

from config.postgresql.patience import patience
from config.server.limits import MAX_BYTES_IN_MEMORY, folder_of_bodies, is_import
from config.server.rejections import RETRY
from config.server.request import BodyAwaited, Request
from orgs.outages import outage

if TYPE_CHECKING:
    from config.server.connection import Connection

Application = Callable[..., Iterable[bytes]]
STATUS_LINES = {int(status): f"HTTP/1.1 {int(status)} {status.phrase}\r\n".encode() for status in HTTPStatus}
# That the database may take for one step of an import.
SECONDS_FOR_IMPORTS = 120.0
FAILED = "Something went wrong on our side: try again."
WITHOUT_BODY = frozenset({204, 304})

logger = logging.getLogger(__name__)


class Answer:
    """``file`` is what does not stand in ``data``: a long body. Close it."""

    def __init__(self, data: bytes, *, keeps_connection: bool, file: BinaryIO | None = None, size: int = 0) -> None:
        self.data = data
        self.keeps_connection = keeps_connection
        self.file = file
        self.size = size or len(data)


class Lane:
    """Requests of one kind, their threads, and at most ``waiting`` that have none yet.

    Each kind has threads of its own, so that a slow one does not hold up the others: people who sign in, whose
    passwords take long to check on purpose, must not hold up deploys.
    """

    def __init__(self, application: Application, *, name: str, threads: int, waiting: int) -> None:
        self.application = application
        self.most = threads + waiting
        self.jobs: SimpleQueue[tuple[Connection, Request]] = SimpleQueue()
        self.lock = Lock()
        self.taken = 0
        for number in range(threads):
            Thread(target=self.work, name=f"{name}-{number + 1}", daemon=True).start()

    def put(self, connection: "Connection", request: Request) -> bool:
        """False if too many wait already."""
        with self.lock:
            if self.taken >= self.most:
                return False
            self.taken += 1
        self.jobs.put((connection, request))
        return True

    def work(self) -> None:
        while True:
            connection, request = self.jobs.get()
            answer: Answer | None
            patience.seconds = SECONDS_FOR_IMPORTS if is_import(request.path) else None
            try:
                answer = run(self.application, request)
            except BaseException as error:
                logger.exception("A request failed.")
                if reason := outage(error):
                    answer = plain_answer(503, reason, RETRY, request=request)
                else:
                    answer = plain_answer(500, FAILED, request=request)
            with self.lock:
                self.taken -= 1
            connection.worker.loop.call_soon_threadsafe(connection.take, request, answer)
            # Nothing may hold the last request's body until the next one comes.
            del connection, request, answer


def run(application: Application, request: Request) -> Answer | None:
    """None if the application wants to see the body first."""
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        head[:] = status, headers

    try:
        chunks = application(request.take_environ(), start_response)
    except BodyAwaited:
        return None
    try:
        body: bytes | BinaryIO = b"".join(chunks) if isinstance(chunks, list) else put_aside(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    # The body of a first look is not coming.
    keeps = request.keeps_connection and not request.is_first_look
    return make_answer(int(head[0][:3]), head[1], body, keeps_connection=keeps, request=request)


def put_aside(chunks: Iterable[bytes]) -> bytes | BinaryIO:
    """All of an answer before any of it is sent: neither its thread nor a database cursor waits for a slow reader, and
    one that fails in its middle does not look whole."""
    with ExitStack() as stack:
        file = stack.enter_context(SpooledTemporaryFile(MAX_BYTES_IN_MEMORY, dir=folder_of_bodies()))
        for chunk in chunks:
            file.write(chunk)
        if file.tell() > MAX_BYTES_IN_MEMORY:
            stack.pop_all()
            return cast("BinaryIO", file)
        file.seek(0)
        return file.read()


def make_answer(
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes | BinaryIO,
    *,
    keeps_connection: bool,
    request: Request | None = None,
) -> Answer:
    size = len(body) if isinstance(body, bytes) else body.tell()
    lines = [STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
    has_length = False
    for name, value in headers:
        has_length = has_length or name.lower() == "content-length"
        lines.append(f"{name}: {value}\r\n".encode("latin-1"))
    if not has_length and status not in WITHOUT_BODY:
        lines.append(b"Content-Length: %d\r\n" % size)
    lines.append(f"Date: {format_date_time(time())}\r\n".encode())
    if not keeps_connection:
        lines.append(b"Connection: close\r\n")
    elif request and request.environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        lines.append(b"Connection: keep-alive\r\n")
    lines.append(b"\r\n")
    if status in WITHOUT_BODY or (request and request.environ["REQUEST_METHOD"] == "HEAD"):
        if not isinstance(body, bytes):
            body.close()
        return Answer(b"".join(lines), keeps_connection=keeps_connection)
    if isinstance(body, bytes):
        lines.append(body)
        return Answer(b"".join(lines), keeps_connection=keeps_connection)
    body.seek(0)
    return Answer(b"".join(lines), keeps_connection=keeps_connection, file=body, size=size)


def plain_answer(
    status: int,
    text: str,
    headers: Iterable[tuple[str, str]] = (),
    *,
    keeps_connection: bool = False,
    request: Request | None = None,
) -> Answer:
    """``text`` is ASCII."""
    label = ("Content-Type", "text/plain; charset=utf-8")
    return make_answer(status, [label, *headers], text.encode(), keeps_connection=keeps_connection, request=request)
