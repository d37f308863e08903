"""``kill -9`` of the real server while clients post: what was answered 200 is stored, and nothing is stored twice."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from tests.imports.histories import START

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 4
ANSWERS_BEFORE_THE_KILL = 100
SECONDS_TO_START = 60
SHAS = "SELECT sha FROM deployments_deploy"
MAKE_WORLD = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.factories import make_deployment, make_organization, make_project, make_token
organization = make_organization("acme")
make_deployment(make_project(organization))
print(make_token(organization)[1])
"""


@dataclass
class Server:
    """The server of ``make run`` on a port of its own, in a process group of its own."""

    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.serve"], cwd=ROOT, env=self.environment, start_new_session=True
        )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            assert time.monotonic() < deadline, "the server did not start"
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
                connection.request("GET", "/readyz", headers={"Host": "localhost"})
                return connection.getresponse().status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL to all its processes at once, which leaves none of them time for anything."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@dataclass
class Poster:
    """A client that posts one sha after another until a call goes unanswered."""

    name: str
    port: int
    secret: str
    answered: list[dict[str, Any]] = field(default_factory=list)
    unanswered: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        """Any call may come again: half of the clients say which by a date, half by an Idempotency-Key."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            while not self.unanswered:
                number = len(self.answered)
                call = {"sha": f"{self.name}-{number}"}
                if self.sends_dates:
                    call["date"] = START.replace(microsecond=number).isoformat()
                try:
                    status = self.post(connection, call)
                except (OSError, http.client.HTTPException):
                    self.unanswered.append(call)
                else:
                    assert status == 200
                    self.answered.append(call)

    @property
    def sends_dates(self) -> bool:
        return self.name.endswith("dates")

    def post(self, connection: http.client.HTTPConnection, call: dict[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        if not self.sends_dates:
            headers["Idempotency-Key"] = call["sha"]
        path = "/api/1/deployments/acme/storefront/register_deploy"
        connection.request("POST", path, json.dumps(call), headers)
        response = connection.getresponse()
        response.read()
        return response.status


@contextmanager
def own_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database of the kind that the suite runs on."""
    url = os.environ.get("DATABASE_URL") or "sqlite:"
    if url.startswith("sqlite:"):
        yield f"sqlite:///{folder / 'gumshoe.sqlite3'}"
        return
    server, _, _ = url.partition("?")[0].rpartition("/")
    name = f"gumshoe_durability_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{server}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def stored_shas(url: str) -> Counter[str]:
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return Counter(sha for (sha,) in connection.execute(SHAS))
    with psycopg.connect(url) as connection:
        return Counter(sha for (sha,) in connection.execute(SHAS))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with own_database(tmp_path) as url:
        yield url


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Server]:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "VAR_DIR": str(tmp_path),
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "API_RATE_LIMIT": "off",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    server = Server(environment, int(environment["PORT"]))
    yield server
    server.kill()


def test_what_was_answered_survives_a_kill_and_nothing_is_stored_twice(server: Server, url: str) -> None:
    made = subprocess.run(
        [sys.executable, "-c", MAKE_WORLD], cwd=ROOT, env=server.environment, check=True, stdout=subprocess.PIPE
    )
    secret = made.stdout.decode().strip()
    posters = [Poster(f"{n}-{'dates' if n % 2 else 'keys'}", server.port, secret) for n in range(CLIENTS)]
    server.start()
    post_until_killed(server, posters)

    answered = {call["sha"] for poster in posters for call in poster.answered}
    unanswered = {call["sha"] for poster in posters for call in poster.unanswered}
    assert len(unanswered) == CLIENTS
    server.start()
    stored = stored_shas(url)
    assert answered <= stored.keys() <= answered | unanswered
    assert set(stored.values()) == {1}

    for poster in posters:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
            for call in [*poster.unanswered, *poster.answered[-3:]]:
                assert poster.post(connection, call) == 200
    assert stored_shas(url) == Counter(answered | unanswered)


def post_until_killed(server: Server, posters: list[Poster]) -> None:
    threads = [Thread(target=poster.run) for poster in posters]
    for thread in threads:
        thread.start()
    while sum(len(poster.answered) for poster in posters) < ANSWERS_BEFORE_THE_KILL:
        assert all(thread.is_alive() for thread in threads)
        time.sleep(0.01)
    server.kill()
    for thread in threads:
        thread.join()
