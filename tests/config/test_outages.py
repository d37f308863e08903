"""A database that takes no changes, has a full disk, or does not answer."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import OperationalError, connection
from django.test import Client

from config.postgresql import base
from config.postgresql.patience import waiting, watch
from deployments.models import Deploy
from orgs.outages import DISK_IS_FULL, NO_DATABASE, READ_ONLY, outage
from orgs.roles import Role
from tests.conftest import World, make_world
from tests.factories import make_member, make_token
from tokens.scopes import Scope

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="is about PostgreSQL's connections")
SILENCE = 1.0


@pytest.fixture
def world() -> World:
    return make_world("acme")


@contextmanager
def read_only() -> Iterator[None]:
    """As after a failover."""
    on, off = {
        "postgresql": (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        ),
        "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(on)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(off)


def test_a_registration_on_a_read_only_database(world: World) -> None:
    with read_only():
        response = world.register(sha="1" * 40)
        assert (response.status_code, response.content.decode()) == (503, READ_ONLY)
        assert response["Retry-After"] == "5"
    assert not Deploy.objects.exists()
    assert world.register(sha="1" * 40).status_code == 200


def test_reading_needs_no_writing(world: World, client: Client) -> None:
    """Not even the first time that a token is used."""
    _, secret = make_token(world.organization, Scope.READ)
    with read_only():
        path = "/api/1/organizations/acme/deploys"
        assert client.get(path, headers={"Authorization": f"Bearer {secret}"}).status_code == 200
        assert client.get("/accounts/login/").status_code == 200


def test_a_page_says_what_is_wrong(world: World) -> None:
    admin = Client(raise_request_exception=False)
    admin.force_login(make_member(world.organization, Role.ADMIN))
    with read_only():
        response = admin.post("/acme/new-project", {"name": "Backend", "environments": "Production"})
    assert READ_ONLY in response.content.decode()
    assert response.status_code == 503


def test_a_read_only_database_is_not_ready(client: Client) -> None:
    with read_only():
        response = client.get("/readyz")
        assert (response.status_code, response.content.decode()) == (503, READ_ONLY)
        assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OperationalError("database or disk is full"), DISK_IS_FULL),
        (OSError(errno.ENOSPC, "No space left on device"), DISK_IS_FULL),
        (OperationalError("attempt to write a readonly database"), READ_ONLY),
        (OperationalError("server closed the connection unexpectedly"), NO_DATABASE),
        (OSError(errno.ENOENT, "No such file"), None),
        (ValueError("disk is full"), None),
    ],
)
def test_what_an_error_says(error: Exception, sentence: str | None) -> None:
    assert outage(error) == sentence


class Proxy:
    """Passes bytes to PostgreSQL until it falls silent: then it takes them and passes none."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.silent: list[threading.Event] = []
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                silent = threading.Event()
                self.silent.append(silent)
                self.sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self.pump, args=(source, sink, silent), daemon=True).start()

    def pump(self, source: socket.socket, sink: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not silent.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def fall_silent(self) -> None:
        """The connections that there are."""
        for silent in self.silent:
            silent.set()

    def close(self) -> None:
        for one in (self.listener, *self.sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    settings = connection.settings_dict
    proxy = Proxy(settings["HOST"] or "127.0.0.1", int(settings["PORT"] or 5432))
    yield proxy
    proxy.close()


@on_postgresql
def test_silent_connections_end_a_call_and_are_replaced(proxy: Proxy) -> None:
    settings = {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": str(proxy.port)}
    first, second = base.DatabaseWrapper(settings), base.DatabaseWrapper(settings)
    for one in (first, second):
        one.cursor().execute("SELECT 1")
    silent_before = watch.silent_at
    proxy.fall_silent()

    began = time.monotonic()
    with waiting(SILENCE), pytest.raises(OperationalError):
        first.cursor().execute("SELECT 1")
    assert SILENCE <= time.monotonic() - began < SILENCE + 2
    assert watch.silent_at > silent_before

    began = time.monotonic()
    # What a request begins with. The other connection has not been used meanwhile, and is found out without a call.
    for one in (first, second):
        one.settings_dict["CONN_HEALTH_CHECKS"] = True
        one.close_if_unusable_or_obsolete()
        with one.cursor() as cursor:
            cursor.execute("SELECT 2")
            assert cursor.fetchone() == (2,)
        one.close()
    assert time.monotonic() - began < 5


@on_postgresql
def test_whoever_may_wait_waits(proxy: Proxy) -> None:
    with waiting(SILENCE), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.5)")
    with waiting(0), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.5)")
