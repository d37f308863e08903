"""``kill -9`` of the real server while clients post: what was answered 200 is stored, and nothing is stored twice."""

import http.client
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from tests.imports.histories import START
from tests.serving import Server, own_database, serve_from

CLIENTS = 4
ANSWERS_BEFORE_THE_KILL = 100
SHAS = "SELECT sha FROM deployments_deploy"


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


def stored_shas(url: str) -> Counter[str]:
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return Counter(sha for (sha,) in connection.execute(SHAS))
    with psycopg.connect(url) as connection:
        return Counter(sha for (sha,) in connection.execute(SHAS))


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with own_database(tmp_path) as url:
        yield url


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Server]:
    server = serve_from(url, tmp_path, API_RATE_LIMIT="off")
    yield server
    server.kill()


def test_what_was_answered_survives_a_kill_and_nothing_is_stored_twice(server: Server, url: str) -> None:
    (secret,) = server.make_world()
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
