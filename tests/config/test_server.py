"""The web server with an application of a few lines: what it makes of requests, and of clients that stall."""

import errno
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import override_settings

from config.server import connection as connections
from config.server import limits
from config.server import request as requests
from config.server.rejections import NOT_HTTP
from config.server.request import Request
from config.server.supervisor import open_port
from config.server.worker import Worker

SECONDS = 10
OUTAGES = {"/outage": OperationalError("gone"), "/full": OSError(errno.ENOSPC, "full")}


def fail(error: Exception) -> Iterator[bytes]:
    yield b"begun"
    raise error


class Served:
    """``bodies`` are those that reached the application as a whole, and ``environs`` all of its requests."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.environs: list[dict[str, Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.worker = Worker(self.application)
        self.listener = open_port("127.0.0.1", 0)
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.worker.run, args=(self.listener,), daemon=True)
        self.thread.start()

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.environs.append(environ)
        if environ["PATH_INFO"].startswith(("/slow", "/accounts/")):
            assert self.may_answer.wait(SECONDS)
        if environ["PATH_INFO"] == "/rejected":
            start_response("401 Unauthorized", [])
            return [b"rejected"]
        if environ["PATH_INFO"] == "/broken":
            raise ValueError
        if environ["PATH_INFO"] in OUTAGES:
            start_response("200 OK", [])
            return fail(OUTAGES[environ["PATH_INFO"]])
        if environ["PATH_INFO"] == "/export":
            start_response("200 OK", [])
            return (b"x" * 100_000 for _ in range(200))
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > limits.body_limit(environ["PATH_INFO"]):
            start_response("413 Content Too Large", [])
            return [b"too large"]
        body = environ["wsgi.input"].read(length)
        self.bodies.append(body)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"got ", body]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def raw(self, sent: bytes) -> bytes:
        """All that is answered on a connection that sends this and no more."""
        with self.connect() as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            return read_all(client)

    def stop(self) -> None:
        self.may_answer.set()
        self.worker.loop.call_soon_threadsafe(self.worker.told.set)
        self.thread.join(SECONDS)
        self.worker.loop.close()
        self.listener.close()


def read_all(client: socket.socket) -> bytes:
    answer = b""
    while data := client.recv(65536):
        answer += data
    return answer


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()
    assert not served.thread.is_alive()
    assert served.worker.bytes_of_bodies == 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become tenths."""
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)


def post(path: str = "/", *headers: str, body: bytes = b"") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def test_a_body_reaches_the_application_whole(served: Served) -> None:
    answer = served.raw(post("/a%20b?c=d", "Content-Length: 5", "X-Two: 1", "X-Two: 2", body=b"sha=1"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\ngot sha=1")
    environ = served.environs[0]
    assert environ["PATH_INFO"] == "/a b"
    assert environ["QUERY_STRING"] == "c=d"
    assert environ["HTTP_X_TWO"] == "1,2"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize("target", ["//api/1/x", "/api/1/x", "http://other.example/api/1/x"])
def test_paths_are_as_they_were_sent(served: Served, target: str) -> None:
    served.raw(post(target, "Content-Length: 0"))
    assert served.environs[0]["PATH_INFO"] == target.removeprefix("http://other.example")


def test_a_header_with_an_underscore_does_not_pass_for_another(served: Served) -> None:
    served.raw(post("/", "X_Forwarded_For: 192.0.2.1", "X-Real-Name: y", "Content-Length: 0"))
    assert "HTTP_X_FORWARDED_FOR" not in served.environs[0]
    assert served.environs[0]["HTTP_X_REAL_NAME"] == "y"


def test_chunks_are_put_together(served: Served) -> None:
    served.raw(post("/", "Transfer-Encoding: chunked", body=b"3\r\nsha\r\n2\r\n=1\r\n0\r\nX-Trailer: 1\r\n\r\n"))
    assert served.bodies == [b"sha=1"]
    assert served.environs[0]["CONTENT_LENGTH"] == "5"
    assert "HTTP_X_TRAILER" not in served.environs[0]


@pytest.mark.parametrize(
    "half",
    [
        post("/", "Transfer-Encoding: chunked", body=b"5\r\nsha=1"),
        post("/", "Transfer-Encoding: chunked", body=b"5\r\nsha=1\r\n"),
        post("/", "Transfer-Encoding: chunked", body=b"5\r\nsha=1\r\n0\r\n"),
        post("/", "Content-Length: 9", body=b"sha=1"),
        post("/", "Content-Length: 9", "Expect: 100-continue", body=b"sha=1"),
        b"POST / HTTP/1.1\r\nHost: x\r\n",
    ],
)
@pytest.mark.parametrize("how", ["reset", "closed", "half closed"])
def test_half_a_body_is_no_request(served: Served, half: bytes, how: str) -> None:
    client = served.connect()
    client.sendall(half)
    time.sleep(0.05)
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "half closed":
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) in (b"", connections.CONTINUE)
    client.close()
    # The next request is answered, so the one before has been seen to its end.
    assert served.raw(post("/", "Content-Length: 3", body=b"all")).endswith(b"got all")
    assert served.bodies == [b"all"]


def test_a_client_that_closes_its_sending_half_gets_its_answer(served: Served) -> None:
    served.may_answer.clear()
    with served.connect() as client:
        client.sendall(post("/slow", "Content-Length: 5", body=b"sha=1"))
        client.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        served.may_answer.set()
        assert read_all(client).endswith(b"got sha=1")


def test_requests_that_come_at_once_are_answered_in_order(served: Served) -> None:
    answers = served.raw(b"".join(post("/", "Content-Length: 1", body=b"%d" % number) for number in range(9)) * 3)
    assert answers.count(b"HTTP/1.1 200 OK") == 27
    assert served.bodies == [b"%d" % number for number in range(9)] * 3


def test_requests_that_come_at_once_have_a_bound(served: Served) -> None:
    served.may_answer.clear()
    with served.connect() as client:
        client.sendall(post("/slow", "Content-Length: 0") + post("/", "Content-Length: 0") * 1000)
        time.sleep(0.2)
        waiting = [len(one.ready) for one in served.worker.connections]
        served.may_answer.set()
        answers = read_all(client)
    assert waiting == [limits.MAX_PIPELINED + 1]
    assert answers.count(b"HTTP/1.1 200 OK") == limits.MAX_PIPELINED + 2


def test_answers_that_need_no_thread_are_not_nested(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_PIPELINED", 2000)
    healthy = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    assert served.raw(post("/", "Content-Length: 0") + healthy * 1000).count(b"HTTP/1.1 200 OK") == 1001


def test_a_half_received_call_is_answered_after_sigterm(served: Served) -> None:
    with served.connect() as half, served.connect() as idle, served.connect() as busy:
        served.may_answer.clear()
        half.sendall(post("/", "Content-Length: 5", body=b"sha"))
        busy.sendall(post("/slow", "Content-Length: 0"))
        time.sleep(0.2)
        served.worker.loop.call_soon_threadsafe(served.worker.told.set)
        assert read_all_or_reset(idle) == b""
        half.sendall(b"=1")
        served.may_answer.set()
        for client, body in ((half, b"got sha=1"), (busy, b"got ")):
            answer = read_all(client)
            assert answer.endswith(body)
            assert b"\r\nConnection: close\r\n" in answer
    served.thread.join(SECONDS)


def test_all_addresses_of_ipv6_are_those_of_ipv4_too() -> None:
    with open_port("::", 0) as listener:
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, listener.getsockname()[1]), timeout=SECONDS).close()


def test_a_connection_is_kept_and_closed_as_the_client_wishes(served: Served) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=SECONDS)) as client:
        for _ in range(2):
            client.request("POST", "/", body=b"x")
            assert client.getresponse().read() == b"got x"
    old = served.raw(b"GET / HTTP/1.0\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in old
    assert b"\r\nConnection: keep-alive\r\n" in served.raw(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")


def test_an_answer_to_head_has_a_length_and_no_body(served: Served) -> None:
    answer = served.raw(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"\r\nContent-Length: 4\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_an_offer_of_another_protocol_is_left_aside(served: Served) -> None:
    """Java's HttpClient offers HTTP/2 with its first request."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
    sent = post("/", *offer, "Content-Length: 5", body=b"sha=1") + post("/", "Content-Length: 1", body=b"2")
    assert served.raw(sent).count(b"HTTP/1.1 200 OK") == 2
    assert served.bodies == [b"sha=1", b"2"]


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        post("/", "Content-Length: x"),
        post("/", "Content-Length: 3", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
        post("/", "Content-Length: 3", "Content-Length: 4", body=b"abcd"),
        post("/", "Transfer-Encoding: chunked", body=b"nonsense"),
    ],
)
def test_what_is_no_request_gets_one_sentence(served: Served, sent: bytes) -> None:
    answer = served.raw(sent)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(NOT_HTTP.encode())
    assert served.bodies == []


@pytest.mark.parametrize(
    "head",
    [
        post("/" + "x" * 70_000),
        post("/", f"X-Long: {'x' * 70_000}"),
        post("/", *(f"X-{number}: x" for number in range(101))),
        post("/", *(f"X-Part-{number}: {'x' * 7000}" for number in range(10))),
    ],
)
def test_a_head_over_the_limit(served: Served, head: bytes) -> None:
    assert served.raw(head).startswith(b"HTTP/1.1 431 ")
    assert served.environs == []


def test_a_head_without_an_end_is_no_load_for_ever(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 300_000)
        assert client.recv(1000).startswith(b"HTTP/1.1 431 ")


def test_a_head_within_the_limit(served: Served) -> None:
    assert served.raw(post("/", f"X-Long: {'x' * 60_000}", "Content-Length: 0")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "headers", [("Content-Length: 30",), ("Transfer-Encoding: chunked",), ("Content-Length: 30", "Connection: close")]
)
def test_a_body_over_the_limit(served: Served, headers: tuple[str, ...]) -> None:
    """A client that sends all of it before it looks for the answer finds the answer."""
    body = b"x" * 30 if "Content-Length: 30" in headers else b"1e\r\n" + b"x" * 30 + b"\r\n0\r\n\r\n"
    with override_settings(MAX_BODY_BYTES=20), served.connect() as client:
        client.sendall(post("/", *headers))
        time.sleep(0.05)
        client.sendall(body)
        assert read_all(client).startswith(b"HTTP/1.1 413 ")
    assert served.bodies == []


def test_large_bodies_wait_in_our_folder(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_BYTES_IN_MEMORY", 10)
    chunks = b"a\r\n" + b"x" * 10 + b"\r\n"
    sent = post("/", "Transfer-Encoding: chunked", body=chunks * 2 + b"0\r\n\r\n")
    for folder in (tmp_path, tmp_path / "missing"):
        with override_settings(VAR_DIR=folder):
            assert served.raw(sent).endswith(b"got " + b"x" * 20)


def test_an_import_has_a_limit_of_its_own(served: Served) -> None:
    with override_settings(MAX_BODY_BYTES=20, MAX_IMPORT_BYTES=40):
        path = "/api/1/deployments/acme/storefront/import_deploys"
        assert served.raw(post(path, "Content-Length: 30", body=b"x" * 30)).startswith(b"HTTP/1.1 200 ")
        for other in (
            "/import_deploys",
            "/api/1/import_deploys",
            "/x/api/1/deployments/acme/storefront/import_deploys",
        ):
            answer = served.raw(post(other, "Content-Length: 30", body=b"x" * 30))
            assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_without_end_is_not_read_for_ever(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_BYTES_BEYOND", 100_000)
    with override_settings(MAX_BODY_BYTES=20), served.connect() as client:
        client.sendall(post("/", "Transfer-Encoding: chunked"))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            client.sendall((b"fff\r\n" + b"x" * 0xFFF + b"\r\n") * 10_000)


@pytest.mark.parametrize("how", ["closed", "half closed"])
def test_a_client_that_leaves_a_body_over_the_limit_leaves_nothing_behind(served: Served, how: str) -> None:
    """The fixture looks whether any of it still counts."""
    with override_settings(MAX_BODY_BYTES=20), served.connect() as client:
        client.sendall(post("/", "Transfer-Encoding: chunked", body=b"10\r\n" + b"x" * 16 + b"\r\n10\r\n" + b"x" * 16))
        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")
        if how == "half closed":
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""
    served.raw(post("/", "Content-Length: 1", body=b"1"))


def test_bodies_on_their_way_have_a_limit_together(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_BYTES_OF_BODIES", 1000)
    monkeypatch.setattr(connections, "MAX_BYTES_IN_MEMORY", 300)
    with served.connect() as first:
        first.sendall(post("/", "Content-Length: 900", body=b"x" * 800))
        time.sleep(0.1)
        rejected = served.raw(post("/", "Content-Length: 400", body=b"x" * 400))
        assert rejected.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 5\r\n" in rejected
        assert served.raw(post("/", "Content-Length: 300", body=b"x" * 300)).startswith(b"HTTP/1.1 200 ")
        first.sendall(b"x" * 100)
        assert first.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_is_waited_for_is_asked_for(served: Served) -> None:
    with served.connect() as client:
        client.sendall(post("/", "Content-Length: 5", "Expect: 100-continue"))
        assert client.recv(1000) == connections.CONTINUE
        assert served.bodies == []
        client.sendall(b"sha=1")
        assert client.recv(1000).endswith(b"got sha=1")
        client.sendall(post("/", "Content-Length: 1", body=b"2"))
        assert client.recv(1000).endswith(b"got 2")


def test_the_body_of_a_second_request_is_asked_for(served: Served) -> None:
    served.may_answer.clear()
    with served.connect() as client:
        waits = post("/", "Content-Length: 5", "Expect: 100-continue")
        client.sendall(post("/slow", "Content-Length: 0") + waits)
        time.sleep(0.1)
        served.may_answer.set()
        answers = b""
        while connections.CONTINUE not in answers:
            answers += client.recv(1000)
        client.sendall(b"sha=1")
        assert client.recv(1000).endswith(b"got sha=1")


def test_a_body_that_did_not_wait_to_be_asked_for(served: Served) -> None:
    answers = served.raw(post("/", "Content-Length: 5", "Expect: 100-continue", body=b"sha=1"))
    assert answers.endswith(b"got sha=1")
    assert served.bodies == [b"sha=1"]


@pytest.mark.parametrize(("path", "length", "status"), [("/rejected", 5, 401), ("/", 50_000_000, 413)])
def test_a_body_that_is_not_wanted_is_not_asked_for(served: Served, path: str, length: int, status: int) -> None:
    with served.connect() as client:
        client.sendall(post(path, f"Content-Length: {length}", "Expect: 100-continue"))
        assert read_all(client).startswith(b"HTTP/1.1 %d " % status)


def test_clients_that_stall_hold_no_thread_and_are_ended(served: Served, impatient: None) -> None:
    stalled = [served.connect() for _ in range(40)]
    for number, client in enumerate(stalled):
        client.sendall(post("/", "Content-Length: 9", body=b"half") if number % 2 else b"POST / HTT")
    assert served.raw(post("/", "Content-Length: 1", body=b"1")).endswith(b"got 1")
    for number, client in enumerate(stalled):
        answer = read_all_or_reset(client)
        assert answer.startswith(b"HTTP/1.1 408 ") if number % 2 else not answer
        client.close()
    assert served.bodies == [b"1"]


def read_all_or_reset(client: socket.socket) -> bytes:
    try:
        return read_all(client)
    except ConnectionResetError:
        return b""


def test_a_slow_body_that_goes_on_is_taken(served: Served, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BYTES_A_SECOND", 10)
    with served.connect() as client:
        client.sendall(post("/", "Content-Length: 30"))
        for _ in range(6):
            client.sendall(b"xxxxx")
            time.sleep(0.3)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_slow_readers_hold_no_thread_and_are_ended(
    served: Served, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BYTES_A_SECOND", 1_000_000)
    readers = [served.connect() for _ in range(20)]
    for client in readers:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /export HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(1)
    assert served.raw(post("/", "Content-Length: 1", body=b"1")).endswith(b"got 1")
    deadline = time.monotonic() + SECONDS
    while served.worker.connections:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for client in readers:
        client.close()


def test_a_long_answer_comes_whole_to_who_reads_it(served: Served) -> None:
    answer = served.raw(b"GET /export HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: 20000000" in head
    assert body == b"x" * 20_000_000


def test_health_is_answered_while_all_threads_are_busy_and_to_any_host(served: Served) -> None:
    served.may_answer.clear()
    busy = [served.connect() for _ in range(10)]
    for client in busy:
        client.sendall(post("/slow", "Content-Length: 0"))
    began = time.monotonic()
    answer = served.raw(b"GET /healthz HTTP/1.1\r\nHost: foreign.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nok")
    assert time.monotonic() - began < 1
    served.may_answer.set()
    for client in busy:
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        client.close()


def test_sign_ins_hold_up_nobody_else_and_have_a_bound(served: Served) -> None:
    served.may_answer.clear()
    waiting = [served.connect() for _ in range(30)]
    try:
        slow = post("/accounts/login/", "Content-Length: 0")
        for client in waiting:
            client.sendall(slow)
        assert served.raw(post("/api/1/x", "Content-Length: 1", body=b"1")).endswith(b"got 1")
        assert served.raw(post("/page", "Content-Length: 1", body=b"2")).endswith(b"got 2")
    finally:
        served.may_answer.set()
        answers = [client.recv(1000) for client in waiting]
        for client in waiting:
            client.close()
    assert sum(answer.startswith(b"HTTP/1.1 503 ") for answer in answers) == 9
    assert sum(answer.startswith(b"HTTP/1.1 200 ") for answer in answers) == 21


def test_a_page_to_sign_in_and_an_issuer_do_not_wait_for_passwords(served: Served) -> None:
    def request(path: str, method: str) -> Request:
        made = Request((), ())
        made.path, made.environ = path, {"REQUEST_METHOD": method}
        return made

    worker = served.worker
    assert worker.lane(request("/accounts/login/", "POST")) is worker.sign_ins
    assert worker.lane(request("/accounts/login/", "GET")) is worker.pages
    assert worker.lane(request("/accounts/oidc/callback/", "POST")) is worker.pages


@pytest.mark.parametrize("path", ["/outage", "/full"])
def test_an_answer_that_fails_in_its_middle_for_an_outage(served: Served, path: str) -> None:
    answer = served.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 5\r\n" in answer


def test_an_error_of_the_application_is_an_answer(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    assert served.raw(b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 500 ")
    assert "A request failed." in caplog.text
