"""A request as it arrives: its head as WSGI's environ, and its body."""

import sys
from io import BytesIO
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import Any, BinaryIO, cast
from urllib.parse import unquote_to_bytes

import httptools

from config.server.limits import MAX_BYTES_IN_MEMORY, MAX_HEAD_BYTES, MAX_HEADERS, body_limit, folder_of_bodies

ENVIRON = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
BARE_NAMES = {"CONTENT_TYPE", "CONTENT_LENGTH"}
IPV4_IN_IPV6 = "::ffff:"


class HeadTooLarge(Exception):
    pass


class BodyAwaited(BaseException):
    """Raised into the application, past its handlers of errors, when it reads a body that has not been sent yet."""


class AwaitedBody:
    """Stands for the body of a client that waits for ``100 Continue`` before it sends one."""

    def read(self, *_: int) -> bytes:
        raise BodyAwaited

    readline = read


def put_aside() -> SpooledTemporaryFile[bytes]:
    return SpooledTemporaryFile(MAX_BYTES_IN_MEMORY, dir=folder_of_bodies())


class Request:
    """``on_…`` are called by the parser of the connection, in order."""

    def __init__(self, peer: tuple[Any, ...], local: tuple[Any, ...]) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.head_bytes = 0
        self.head_is_whole = False
        self.path = ""
        self.limit = 0
        self.began_at = 0.0
        self.environ: dict[str, Any] = {}
        self.body: BinaryIO | None = None
        self.body_bytes = 0
        # Of those, what the worker counts for its limit.
        self.counted = 0
        self.is_whole = False
        # What still comes counts for nothing: the body is over its limit, or the answer did not need it.
        self.drops_body = False
        # The application has not seen the body, which is not to be sent before it asks for it.
        self.is_first_look = False
        self.is_answered = False
        self.keeps_connection = False
        self.announced = 0
        self.expects_continue = False
        self.peer = peer
        self.local = local

    def on_url(self, part: bytes) -> None:
        if self.head_is_whole:
            return
        self.url += part
        self.count_head(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_is_whole:  # a trailer of a chunked body
            return
        self.count_head(len(name) + len(value) + 4)
        if len(self.headers) >= MAX_HEADERS:
            raise HeadTooLarge
        if b"_" in name:
            # WSGI writes - as _, so this would pass for another header, one that a proxy sets. nginx drops it, too.
            return
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in BARE_NAMES:
            key = f"HTTP_{key}"
        text = value.decode("latin-1").strip()
        if key in self.headers:
            text = f"{self.headers[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        self.headers[key] = text

    def count_head(self, size: int) -> None:
        self.head_bytes += size
        if self.head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLarge

    def end_head(self, parser: httptools.HttpRequestParser) -> None:
        url = self.url
        if not url.startswith(b"/"):
            # http://host/path, as to a proxy; or * of OPTIONS.
            parsed = httptools.parse_url(url) if b"://" in url else None
            url = ((parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")) if parsed else b"/"
        path, _, query = url.partition(b"#")[0].partition(b"?")
        version = parser.get_http_version()
        address = str(self.peer[0]) if self.peer else ""
        self.environ = {
            **ENVIRON,
            **self.headers,
            "REQUEST_METHOD": parser.get_method().decode(),
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_PROTOCOL": f"HTTP/{version}",
            "SERVER_NAME": str(self.local[0]),
            "SERVER_PORT": str(self.local[1]),
            "REMOTE_ADDR": address.removeprefix(IPV4_IN_IPV6) if "." in address else address,
        }
        self.path = self.environ["PATH_INFO"]
        self.head_is_whole = True
        self.began_at = monotonic()
        self.limit = body_limit(self.path)
        self.keeps_connection = parser.should_keep_alive()
        self.announced = int(length) if (length := self.headers.get("CONTENT_LENGTH", "")).isdigit() else 0
        self.expects_continue = self.headers.get("HTTP_EXPECT", "").lower() == "100-continue"

    @property
    def has_body(self) -> bool:
        return bool(self.announced) or "HTTP_TRANSFER_ENCODING" in self.headers

    def head_of_body(self) -> bytes:
        """What another parser needs to know to go on after the head."""
        length = f"Content-Length: {self.announced}" if self.announced else "Transfer-Encoding: chunked"
        kept = "keep-alive" if self.keeps_connection else "close"
        return f"POST / HTTP/1.1\r\nConnection: {kept}\r\n{length}\r\n\r\n".encode()

    def add(self, part: bytes) -> None:
        """Raises OSError if the disk is full."""
        self.body_bytes += len(part)
        if self.body_bytes > self.limit:
            return
        if self.body is None:
            # Most bodies come in one part.
            self.body = BytesIO() if self.announced == len(part) else cast("BinaryIO", put_aside())
        self.body.write(part)

    def take_environ(self) -> dict[str, Any]:
        """For the application: with the whole body; of one over the limit only with a length that says so."""
        environ = dict(self.environ)
        if self.is_first_look:
            environ["wsgi.input"] = AwaitedBody()
            return environ
        if self.drops_body:
            environ["CONTENT_LENGTH"] = str(max(self.announced, self.limit + 1))
        elif self.body_bytes:
            environ["CONTENT_LENGTH"] = str(self.body_bytes)
        if self.body is None:
            self.body = BytesIO()
        self.body.seek(0)
        environ["wsgi.input"] = self.body
        return environ

    def close(self) -> None:
        if self.body is not None:
            self.body.close()
            self.body = None
