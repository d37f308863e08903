"""The production web server: ``python -m config.serve``, for ``make run``, the image and the benchmark.

``python -m config.serve check`` fails with one line if the server could not start or has no database.
``python -m config.serve wait [COMMAND …]`` waits until the server answers and then runs ``COMMAND`` in its place.
"""

import gc
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from config.orphans import end_with_parent
from config.postgresql.patience import Patience
from config.server.supervisor import open_port, supervise

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

SECONDS_TO_START = 300


def serve() -> None:
    address = check()
    # In a process of its own, since this one does without Django's models.
    subprocess.run([sys.executable, "-m", "config.readiness"], check=False)
    # For the workers. With an arena for each thread, glibc would keep a tenth more memory.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    # Nor give back what an import took: by itself it raises this with the first large block that is freed.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(128 * 1024))
    supervise(address, settings.PORT, workers=settings.WEB_WORKERS)


def work(listener: socket.socket) -> None:
    """A worker process. It ends with the main process, or it would keep the port for ever."""
    end_with_parent()
    # A terminal sends Ctrl-C to all its processes; the main one tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Patience.default = settings.DATABASE_TIMEOUT
    application = load_application()
    from config.server.worker import Worker

    Worker(application).serve(listener)


def load_application() -> Callable[..., Any]:
    from config.wsgi import application

    # Load all pages and endpoints now. Otherwise the first request would wait a second for that.
    import_module(settings.ROOT_URLCONF)
    # What is loaded now is never garbage. Collections that look through it take a twentieth of a registration.
    gc.collect()
    gc.freeze()
    return application


def check() -> str:
    """The IP address to listen at. Raises SystemExit if the port is taken."""
    try:
        with open_port(settings.HOST, settings.PORT) as listener:
            return str(listener.getsockname()[0])
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        raise SystemExit(
            f"gumshoe: cannot listen on {settings.HOST} port {settings.PORT}: {reason}. Set PORT or HOST to a free one."
        ) from None


def check_database() -> None:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        raise SystemExit(f"gumshoe: the database of DATABASE_URL cannot be used: {reason}") from None


def wait(command: list[str]) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)  # noqa: S104 - compared, not bound
    request = urllib.request.Request(f"http://{host}:{settings.PORT}/readyz", headers={"Host": "localhost"})
    deadline = time.monotonic() + SECONDS_TO_START
    while not answers(request):
        if time.monotonic() > deadline:
            raise SystemExit(f"gumshoe: {request.full_url} did not answer within {SECONDS_TO_START} seconds.")
        time.sleep(0.1)
    if command:
        os.execvp(command[0], command)  # noqa: S606 - the caller's own command


def answers(request: urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError as error:
        # The server prints itself what it lacks.
        error.close()
        return True
    except (urllib.error.URLError, OSError):
        return False


def main(arguments: list[str]) -> None:
    match arguments:
        case []:
            serve()
        case ["check"]:
            check()
            check_database()
        case ["worker", descriptor]:
            work(socket.socket(fileno=int(descriptor)))
        case ["wait", *command]:
            wait(command)
        case _:
            raise SystemExit("usage: python -m config.serve [check | wait [COMMAND …]]")


if __name__ == "__main__":
    main(sys.argv[1:])
