"""The web server and the worker together, until Ctrl-C: ``python -m config.run [demo | dev]``.

What ends by itself is started again, after growing waits. When all is ready, a line says where, or with ``demo`` and
``dev`` how to sign in to the demo. With ``dev`` the server reloads changed code.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

SERVER = [sys.executable, "-m", "config.serve"]
WORKER = [sys.executable, "-m", "celery", "--quiet", "--app", "config", "worker", "--beat"]
WORKER += ["--without-gossip", "--without-mingle"]
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_STOP = 8
# How long the first wait before a restart is, and the longest. One that ran for so long begins with the first again.
FIRST_WAIT, LONGEST_WAIT = 1, 60


@dataclass
class Program:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] = field(init=False)
    started_at: float = 0
    wait: float = FIRST_WAIT
    restart_at: float | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self.command)  # noqa: S603 - one of ours
        self.started_at, self.restart_at = time.monotonic(), None

    def keep_up(self) -> None:
        now = time.monotonic()
        if self.restart_at is None:
            if self.process.poll() is None:
                return
            if now - self.started_at > LONGEST_WAIT:
                self.wait = FIRST_WAIT
            sys.stderr.write(f"gumshoe: the {self.name} has ended, and starts again in {self.wait} s.\n")
            self.restart_at = now + self.wait
            self.wait = min(self.wait * 2, LONGEST_WAIT)
        elif now >= self.restart_at:
            self.start()


def run(programs: list[Program], *, say: list[str]) -> int:
    """Until a signal comes. ``say`` is run when the server is ready. Returns the status to end with."""
    caught: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: caught.append(number))
    # Ctrl-C in a terminal reaches all its processes. Those that start here are deaf to it, and are told to end.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    for program in programs:
        program.start()
    closing = subprocess.Popen([*SERVER, "wait", *say])  # noqa: S603 - one of ours
    while not caught:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        time.sleep(SECONDS_BETWEEN_LOOKS)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        closing.poll()
        for program in programs:
            program.keep_up()
    stop([closing, *(program.process for program in programs)])
    return 128 + caught[0]


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + SECONDS_TO_STOP
    for process in processes:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()


def main(arguments: list[str]) -> int:
    server, say = SERVER, [sys.executable, "manage.py", "demo", "--show"]
    match arguments:
        case []:
            say = ["echo", f"gumshoe: ready at {settings.SITE_URL}"]
        case ["demo"]:
            pass
        case ["dev"]:
            server = [sys.executable, "manage.py", "runserver", f"{settings.HOST}:{settings.PORT}"]
        case _:
            raise SystemExit("usage: python -m config.run [demo | dev]")
    return run([Program("server", server), Program("worker", WORKER)], say=say)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
