"""Clients without a token that stall in every way at once. ``make soak`` sends SOAK of them, the suite a few."""

import http.client
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from tests.serving import Server, own_database, serve_from


@dataclass(frozen=True)
class Scale:
    half_bodies: int
    slow_readers: int
    sign_ins: int
    calls: int
    # Medians, in seconds.
    health: float
    registration: float


SOAK = bool(os.environ.get("SOAK"))
# Other tests run beside the short form.
SCALE = Scale(500, 50, 20, 40, 0.05, 0.5) if SOAK else Scale(60, 10, 6, 8, 0.25, 2.0)
SECONDS = 120
# Without anybody there is no form to sign in.
SOMEBODY = """
from orgs.roles import Role
from tests.factories import make_member
make_member(organization, Role.ADMIN)
"""
LOGIN = "/accounts/login/"
REGISTER = "/api/1/deployments/acme/storefront/register_deploy"


@pytest.fixture
def silent_mail_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def served(tmp_path: Path, silent_mail_server: int) -> Iterator[tuple[Server, str]]:
    (tmp_path / "static").mkdir()
    with own_database(tmp_path) as url:
        # DEBUG needs no collected files.
        mail = f"smtp://127.0.0.1:{silent_mail_server}"
        server = serve_from(url, tmp_path, EMAIL_URL=mail, WEB_WORKERS="2", DEBUG="true", LOG_LEVEL="ERROR")
        (secret,) = server.make_world(SOMEBODY)
        server.start()
        try:
            yield server, secret
        finally:
            server.kill()


def workers_of(server: Server) -> list[int]:
    assert server.process
    main = server.process.pid
    return [int(child) for child in Path(f"/proc/{main}/task/{main}/children").read_text().split()]


def resources(server: Server) -> list[tuple[int, int, float]]:
    """Threads, files and megabytes of each worker."""
    found = []
    for worker in workers_of(server):
        status = Path(f"/proc/{worker}/status").read_text()
        threads, kilobytes = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) for name in ("Threads", "VmRSS"))
        found.append((threads, len(list(Path(f"/proc/{worker}/fd").iterdir())), kilobytes / 1024))
    return found


def ask(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, float]:
    began = time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        connection.request(method, path, body, headers={"Host": "localhost", **headers})
        response = connection.getresponse()
        text = response.read().decode()
    return response.status, text, time.monotonic() - began


def register(port: int, secret: str, number: int) -> float:
    headers = {"Authorization": f"Bearer {secret}"}
    status, text, seconds = ask(port, "POST", REGISTER, f'{{"sha": "{number:040x}"}}', **headers)
    assert (status, text) == (200, "Success")
    return seconds


def fail_to_sign_in(port: int) -> None:
    with suppress(OSError, http.client.HTTPException):
        ask_as_person(port, LOGIN, "login=nobody%40example.com&password=wrong-wrong-wrong")


def forget_password(port: int) -> None:
    with suppress(OSError, http.client.HTTPException):
        ask_as_person(port, "/accounts/password/reset/", "email=nobody%40example.com")


def ask_as_person(port: int, path: str, form: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        connection.request("GET", path, headers={"Host": "localhost"})
        page = connection.getresponse()
        cookie = (page.headers["Set-Cookie"] or "").partition(";")[0]
        text = page.read().decode()
        assert page.status == 200, text[:2000]
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)[0]
        headers = {"Host": "localhost", "Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, f"{form}&csrfmiddlewaretoken={token}", headers=headers)
        connection.getresponse().read()


class Crowd:
    """Connections that stall, and threads of people who try to sign in."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sockets: list[socket.socket] = []
        self.people: list[threading.Thread] = []

    def come(self) -> None:
        for number in range(SCALE.half_bodies):
            head = f"POST {REGISTER} HTTP/1.1\r\nHost: localhost\r\n"
            rest = "Content-Length: 1000\r\n\r\nsha=1" if number % 2 else "Transfer-Encoding: chunked\r\n\r\n5\r\nsha"
            self.send(head + rest)
        for _ in range(SCALE.slow_readers):
            reader = self.send("GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", receive_buffer=4096)
            reader.recv(1)
        for number in range(SCALE.sign_ins):
            what = forget_password if number % 5 == 4 else fail_to_sign_in
            person = threading.Thread(target=what, args=(self.port,), daemon=True)
            person.start()
            self.people.append(person)

    def send(self, text: str, *, receive_buffer: int = 0) -> socket.socket:
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(SECONDS)
        client.connect(("127.0.0.1", self.port))
        client.sendall(text.encode())
        self.sockets.append(client)
        return client

    def read_a_byte_each(self) -> None:
        for reader in self.sockets[SCALE.half_bodies :]:
            with suppress(OSError):
                reader.recv(1)

    def go(self) -> None:
        for client in self.sockets:
            client.close()
        for person in self.people:
            person.join(SECONDS)


def test_clients_that_stall_hold_up_nobody(served: tuple[Server, str]) -> None:
    server, secret = served
    for number in range(8):
        register(server.port, secret, number + 1)
    fail_to_sign_in(server.port)
    before = resources(server)

    crowd = Crowd(server.port)
    try:
        crowd.come()
        health, registration = [], []
        for number in range(SCALE.calls):
            status, text, seconds = ask(server.port, "GET", "/healthz")
            assert (status, text) == (200, "ok")
            health.append(seconds)
            registration.append(register(server.port, secret, number + 100))
            crowd.read_a_byte_each()
    finally:
        crowd.go()
    assert median(health) < SCALE.health, health
    assert median(registration) < SCALE.registration, registration

    deadline = time.monotonic() + SECONDS
    while not is_as_before(before, resources(server)):
        assert time.monotonic() < deadline, (before, resources(server))
        time.sleep(0.5)
    assert register(server.port, secret, 99_999) < SECONDS


def is_as_before(before: list[tuple[int, int, float]], after: list[tuple[int, int, float]]) -> bool:
    """But for a thread that sends mail, one that watches the database, and the connections to the database, each of up
    to three files, of threads that had nothing to do before."""
    return len(before) == len(after) and all(
        now[0] <= then[0] + 3 and now[1] <= then[1] + 20 and now[2] <= then[2] + 24
        for then, now in zip(before, after, strict=True)
    )
