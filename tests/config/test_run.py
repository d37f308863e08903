"""What ``make run`` runs: a server and a worker that are started again, and end together."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def children(process_id: int) -> dict[str, int]:
    """The ids of the server and of the worker."""
    listed = subprocess.run(["ps", "-eo", "ppid=,pid=,args="], capture_output=True, text=True, check=True).stdout
    found = re.findall(rf"^ *{process_id} +(\d+) .* -m (config\.serve|celery)(?: --quiet.*)?$", listed, re.MULTILINE)
    return {name: int(child) for child, name in found}


def test_what_died_is_started_again_and_all_ends_together(tmp_path: Path, migrated: Path) -> None:
    """In one test, since a server and a worker take seconds to start."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    shutil.copy(migrated, tmp_path / "gumshoe.sqlite3")
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": "", "PORT": str(port), "DEBUG": "true"}
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: f"gumshoe: ready at http://127.0.0.1:{port}\n" in log.read_text())
        first = children(process.pid)
        assert set(first) == {"config.serve", "celery"}
        for name, child in first.items():
            os.kill(child, signal.SIGKILL)
            wait_until(partial(is_another, process.pid, name, child))
        for name in ("server", "worker"):
            assert f"gumshoe: the {name} has ended, and starts again in 1 s.\n" in log.read_text()
        wait_until(lambda: answers(port))
        # As Ctrl-C in a terminal: all processes get it at once.
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(SECONDS) == 130
        wait_until(lambda: not group_is_there(process.pid))
        assert not answers(port)
    finally:
        if group_is_there(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_another(process_id: int, name: str, child: int) -> bool:
    return children(process_id).get(name, child) != child


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def group_is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
