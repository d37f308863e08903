"""The real server, as ``make run`` starts it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVE = [sys.executable, "-m", "config.serve"]
SECONDS = 60


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty database is enough to answer."""
    (tmp_path / "static").mkdir()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    return {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": "", "HOST": "localhost", "PORT": str(port)}


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with running(environment) as process:
        yield process


@contextmanager
def running(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SERVE, cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            subprocess.run([*SERVE, "wait"], cwd=ROOT, env=environment, check=True)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SERVE, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def port_is_free(environment: dict[str, str]) -> bool:
    try:
        socket.create_server(("127.0.0.1", int(environment["PORT"]))).close()
    except OSError:
        return False
    return True


def test_it_answers_alone_until_told_to_end(server: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
    """In one test, since a server takes seconds to start."""
    assert run(environment, "wait", "echo", "ready").stdout == "ready\n"
    second = run(environment)
    assert second.returncode == 1
    assert second.stderr == (
        f"gumshoe: cannot listen on localhost port {environment['PORT']}: Address already in use. "
        "Set PORT or HOST to a free one.\n"
    )
    assert status_of_endless_body(int(environment["PORT"])) in (401, 413)
    for length in (16 * 1024 * 1024 + 1, 40_000_000):
        assert status_of_large_body(int(environment["PORT"]), length) == 413
    server.terminate()
    assert server.wait(SECONDS) == 0
    assert port_is_free(environment)


def status_of_endless_body(port: int) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        connection.putrequest("POST", "/api/1/deployments/acme/storefront/register_deploy")
        connection.putheader("Content-Length", str(1 << 40))
        connection.endheaders(b"{")
        return connection.getresponse().status


def status_of_large_body(port: int, length: int) -> int:
    """As urllib gets it, which sends everything before it looks for an answer."""
    address = f"http://127.0.0.1:{port}/api/1/deployments/acme/storefront/register_deploy"
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(urllib.request.Request(address, b"x" * length), timeout=SECONDS)
    answer.value.close()
    return answer.value.code


def test_workers_end_with_a_killed_main_process(server: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
    server.kill()
    server.wait()
    wait_until(lambda: port_is_free(environment))


def test_workers_that_die_again_and_again_are_replaced(environment: dict[str, str]) -> None:
    """With waits that grow, and without an end of the server."""
    environment["WEB_WORKERS"] = "1"
    with running(environment) as server:
        for _ in range(3):
            (worker,) = workers_of(server)
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda died=worker: died not in workers_of(server) and len(workers_of(server)) == 1)  # type: ignore[misc]
            assert server.poll() is None
        subprocess.run([*SERVE, "wait"], cwd=ROOT, env=environment, check=True)


def test_connections_that_wait_are_not_lost_with_a_worker_that_hangs(environment: dict[str, str]) -> None:
    environment["WEB_WORKERS"] = "2"
    with running(environment) as server:
        wait_until(lambda: len(workers_of(server)) == 2)
        hanging, _ = workers_of(server)
        time.sleep(3)  # both serve
        os.kill(hanging, signal.SIGSTOP)
        clients = [
            socket.create_connection(("127.0.0.1", int(environment["PORT"])), timeout=SECONDS) for _ in range(40)
        ]
        time.sleep(0.5)
        os.kill(hanging, signal.SIGKILL)
        for client in clients:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = [client.recv(1000) for client in clients]
        for client in clients:
            client.close()
    assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 40


def workers_of(server: "subprocess.Popen[bytes]") -> list[int]:
    return [int(child) for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]


def test_a_web_worker_loads_what_few_need_when_it_is_asked_for() -> None:
    """GraphQL takes 10 MB, FIDO2 with its cryptography 12 MB."""
    script = "from config.serve import load_application; load_application(); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = done.stdout.split()
    assert "deployments.graphql.api" in loaded
    assert "orgs.sign_in.urls" in loaded
    assert not {"graphql", "strawberry", "fido2", "cryptography"} & set(loaded)


def test_a_database_that_cannot_be_opened_is_told_in_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    checked = run({**environment, "DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/gumshoe"}, "check")

    assert checked.returncode == 1
    assert checked.stderr == "gumshoe: the database of DATABASE_URL cannot be used: unable to open database file\n"
    assert run(environment, "check").returncode == 0
