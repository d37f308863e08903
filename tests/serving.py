"""The real server in a process of its own, with a database of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_START = 60
MAKE_WORLD = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.factories import make_deployment, make_organization, make_project, make_token
organization = make_organization("acme")
make_deployment(make_project(organization))
from tokens.scopes import Scope
print(make_token(organization, Scope.ALL)[1])
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
                connection.request("GET", "/healthz", headers={"Host": "localhost"})
                return connection.getresponse().status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL to all its processes at once, which leaves none of them time for anything."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def make_world(self, more: str = "") -> list[str]:
        """Tables, Acme and its storefront. Gives the secret of a token with every scope, and what ``more`` prints."""
        made = subprocess.run(
            [sys.executable, "-c", MAKE_WORLD + more],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
        )
        return made.stdout.decode().split()


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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def serve_from(url: str, folder: Path, **settings: str) -> Server:
    """A server that is not started yet."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        # Otherwise it would not be ready before static files are collected.
        "DEBUG": "true",
        "VAR_DIR": str(folder),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **settings,
    }
    return Server(environment, port)
