"""One connection: what comes is parsed, what the threads answer is sent, and nothing may take for ever."""

import asyncio
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import httptools

from config.server.answers import Answer, plain_answer
from config.server.limits import (
    HEAD_SECONDS,
    IDLE_SECONDS,
    LINGER_SECONDS,
    MAX_BYTES_BEYOND,
    MAX_BYTES_IN_MEMORY,
    MAX_BYTES_OF_BODIES,
    MAX_HEAD_BYTES,
    MAX_PIPELINED,
    seconds_for,
)
from config.server.rejections import (
    BODY_IS_LATE,
    HEAD_IS_TOO_LARGE,
    NOT_HTTP,
    RETRY,
    TOO_BUSY,
    TooManyBodies,
    TooManyRequests,
    rejection_for,
)
from config.server.request import Request

if TYPE_CHECKING:
    from config.server.worker import Worker

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER = float("inf")


class Connection(asyncio.Protocol):
    """``coming`` is being received and ``current`` answered, which is the same request if the answer did not need its
    body; ``ready`` are whole and wait for their turn."""

    transport: asyncio.Transport

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.parser = httptools.HttpRequestParser(self)
        self.addresses: tuple[tuple[Any, ...], tuple[Any, ...]] = ((), ())
        self.coming: Request | None = None
        self.current: Request | None = None
        self.ready: deque[Request] = deque()
        self.answer: Answer | None = None
        self.file: BinaryIO | None = None
        # Of the answer: what was handed to the transport, and since when.
        self.written = 0
        self.answered_at = 0.0
        self.has_unsent = False
        # Nothing more is read from the client.
        self.ends = False
        self.is_repeating_head = False
        self.dropped = 0
        # Since the last request.
        self.head_bytes = 0
        self.deadline = monotonic() + HEAD_SECONDS

    # --- What the loop calls ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        # Then resume_writing is called when all has been sent.
        self.transport.set_write_buffer_limits(0)
        self.addresses = (transport.get_extra_info("peername") or (), transport.get_extra_info("sockname") or ("", 0))
        self.worker.add(self)

    def data_received(self, data: bytes) -> None:
        if self.ends:
            self.dropped += len(data)
            if self.dropped > MAX_BYTES_BEYOND:
                self.transport.abort()
            return
        try:
            self.feed(data)
        except httptools.HttpParserCallbackError as error:
            self.end_with(*rejection_for(error.__context__))
            return
        except httptools.HttpParserError:
            self.end_with(400, NOT_HTTP)
            return
        if self.coming is None or self.coming.head_is_whole:
            self.head_bytes = 0
        else:
            # The parser keeps a header to itself until it has all of it.
            self.head_bytes += len(data)
            if self.head_bytes > 2 * MAX_HEAD_BYTES:
                self.end_with(431, HEAD_IS_TOO_LARGE)

    def feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            # Java's HttpClient offers HTTP/2. We do not take it up, but the parser stops before the body.
            self.parser = httptools.HttpRequestParser(self)
            if self.coming:
                self.is_repeating_head = True
                self.parser.feed_data(self.coming.head_of_body())
                self.is_repeating_head = False
            if rest := data[offer.args[0] :]:
                self.feed(rest)

    def eof_received(self) -> bool:
        """A client may close its sending half and wait for its answer. Half a body never becomes a request."""
        self.ends = True
        if self.coming and self.coming is not self.current:
            self.worker.close(self.coming)
        self.coming = None
        if self.current and self.current.is_answered:
            self.end_request()
        return self.current is not None

    def pause_writing(self) -> None:
        self.has_unsent = True

    def resume_writing(self) -> None:
        self.has_unsent = False
        if self.answer:
            self.send_more()

    def connection_lost(self, error: Exception | None) -> None:
        self.ends = True
        self.worker.remove(self)
        if self.file:
            self.file.close()
        # What a thread has goes on, and is closed when it comes back.
        for request in (self.coming, *self.ready):
            if request and request is not self.current:
                self.worker.close(request)
        if self.current and (self.answer or self.current.is_answered):
            self.worker.close(self.current)
        self.coming = self.current = self.answer = self.file = None
        self.ready.clear()

    # --- What the parser calls --------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.is_repeating_head:
            return
        self.coming = Request(*self.addresses)
        if self.current is None:
            self.deadline = monotonic() + HEAD_SECONDS

    def on_url(self, part: bytes) -> None:
        self.received.on_url(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.received.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.is_repeating_head:
            return
        self.received.end_head(self.parser)
        if self.current is None:
            self.await_body(self.received)

    def await_body(self, request: Request) -> None:
        request.began_at = monotonic()
        self.deadline = request.began_at + seconds_for(request.body_bytes)
        if request.drops_body or request.announced > request.limit:
            self.drop_body(request)
        elif request.expects_continue:
            # Whether the body is wanted at all is found out before it travels.
            request.is_first_look = True
            self.start(request)

    def on_body(self, part: bytes) -> None:
        request = self.received
        if request.drops_body:
            self.dropped += len(part)
            if self.dropped > request.limit + MAX_BYTES_BEYOND:
                self.ends = True
                self.transport.abort()
            return
        self.worker.count(request, len(part))
        request.add(part)
        # Small ones are always taken, or a few clients with large ones could keep deploys out.
        if self.worker.bytes_of_bodies > MAX_BYTES_OF_BODIES and request.body_bytes > MAX_BYTES_IN_MEMORY:
            raise TooManyBodies
        if request.body_bytes > request.limit and request is not self.current:
            self.drop_body(request)
        if self.current is None:
            self.deadline = request.began_at + seconds_for(request.body_bytes)

    def on_message_complete(self) -> None:
        request = self.received
        if self.parser.should_upgrade() and request.has_body:
            return
        request.is_whole = True
        request.keeps_connection = request.keeps_connection and not request.drops_body
        self.coming = None
        if request is self.current:
            if request.is_answered:
                self.end_request()
        elif self.current is None:
            self.start(request)
        else:
            self.ready.append(request)
            self.transport.pause_reading()
            # The parser may have hold of more that came in the same piece.
            if len(self.ready) > MAX_PIPELINED:
                raise TooManyRequests

    @property
    def received(self) -> Request:
        assert self.coming is not None  # noqa: S101 - on_message_begin comes first
        return self.coming

    # --- Answering --------------------------------------------------------------------------------

    def drop_body(self, request: Request) -> None:
        """It is over its limit, which the application is told at once."""
        request.drops_body = True
        request.keeps_connection = False
        if self.current is None:
            self.start(request)

    def start(self, request: Request) -> None:
        self.current = request
        self.deadline = NEVER
        request.keeps_connection = request.keeps_connection and not self.worker.is_stopping
        if request.path == "/healthz":
            # Here, so that it says whether the server lives, however busy its threads are, and to whatever name.
            self.send(plain_answer(200, "ok", request=request, keeps_connection=request.keeps_connection))
        elif not self.worker.lane(request).put(self, request):
            self.send(plain_answer(503, TOO_BUSY, RETRY, request=request, keeps_connection=False))

    def start_next(self, request: Request) -> None:
        if self.current is request:
            self.start(request)
        else:  # the client has gone
            self.worker.close(request)

    def take(self, request: Request, answer: Answer | None) -> None:
        """From a thread; ``answer`` is None if the application wants to have the body first."""
        if self.current is not request:  # the client has gone
            self.worker.close(request)
            if answer and answer.file:
                answer.file.close()
        elif answer is None:
            self.ask_for_body(request)
        else:
            request.drops_body = request.drops_body or not request.is_whole
            self.send(answer)

    def ask_for_body(self, request: Request) -> None:
        request.is_first_look = False
        self.current = None
        if request.is_whole:
            self.start(request)
        elif self.ends:
            self.worker.close(request)
            self.transport.close()
        else:
            if not request.body_bytes:
                self.transport.write(CONTINUE)
            request.began_at = monotonic()
            self.deadline = request.began_at + seconds_for(request.body_bytes)

    def send(self, answer: Answer) -> None:
        self.answer = answer
        self.file = answer.file
        self.written = len(answer.data)
        self.answered_at = monotonic()
        self.transport.write(answer.data)
        if not self.has_unsent:
            self.send_more()

    def send_more(self) -> None:
        while self.file and not self.has_unsent:
            if data := self.file.read(MAX_BYTES_IN_MEMORY):
                self.written += len(data)
                self.transport.write(data)
            else:
                self.file.close()
                self.file = None
        if not self.file and not self.has_unsent:
            self.end_answer()

    def end_answer(self) -> None:
        answer, request = self.answer, self.current
        self.answer = None
        if request is None:  # it was to nothing that could be read
            self.close_after_a_while()
            return
        request.is_answered = True
        request.keeps_connection = bool(answer and answer.keeps_connection)
        if request.is_whole or self.ends:
            self.end_request()
        elif request.expects_continue:
            self.close_after_a_while()
        else:
            # Clients send all of a body before they look for the answer.
            self.deadline = monotonic() + seconds_for(request.announced or MAX_BYTES_BEYOND)

    def end_request(self) -> None:
        request, self.current = self.current, None
        if request:
            self.worker.close(request)
        if not (request and request.keeps_connection) or (self.ends and not self.ready) or self.worker.is_stopping:
            self.transport.close()
            self.deadline = monotonic() + LINGER_SECONDS
        elif self.ready:
            self.current = self.ready.popleft()
            self.deadline = NEVER
            if not self.ready:
                self.transport.resume_reading()
            # Not at once: each would be started from within the one before.
            self.worker.loop.call_soon(self.start_next, self.current)
        elif self.coming and self.coming.head_is_whole:
            self.await_body(self.coming)
        else:
            self.deadline = monotonic() + (HEAD_SECONDS if self.coming else IDLE_SECONDS)

    # --- Ending -----------------------------------------------------------------------------------

    def end_with(self, status: int, text: str, headers: list[tuple[str, str]] | None = None) -> None:
        """Answer what cannot become a request, if no other one is being answered, and read no more."""
        self.ends = True
        if self.coming and self.coming is not self.current:
            self.worker.close(self.coming)
            self.coming = None
        if self.current is None:
            self.send(plain_answer(status, text, headers or [], keeps_connection=False))

    def close_after_a_while(self) -> None:
        """To close at once with something unread would make the client lose the answer."""
        self.ends = True
        self.transport.write_eof()
        self.deadline = monotonic() + LINGER_SECONDS

    def is_overdue(self, now: float) -> bool:
        if self.answer:
            return now > self.answered_at + seconds_for(self.written - self.transport.get_write_buffer_size())
        return now > self.deadline

    def end_overdue(self) -> None:
        if self.coming and self.coming.head_is_whole and self.current is None and not self.ends:
            self.end_with(408, BODY_IS_LATE)
        else:
            self.transport.abort()
