"""The programs that take part: the server, the load client, pgbench. All run on this machine, for a bounded time."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.world import World

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Of both load clients. One is enough to keep the server busy; a second would take the server's core.
CLIENT_THREADS = 1


@dataclass(frozen=True)
class Load:
    """``p50`` and ``p99`` are in milliseconds."""

    answers: int
    requests_per_second: float
    p50: float
    p99: float
    errors: int


class Server:
    """The app as ``make run`` serves it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port

    def worker_ids(self) -> list[str]:
        """The process ids of the web workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [child for child in children if "resource_tracker" not in Path(f"/proc/{child}/cmdline").read_text()]

    def worker_megabytes(self, measure: str = "VmRSS") -> list[float]:
        """The resident memory of each web worker: what it takes now, or at its peak (``VmHWM``)."""
        statuses = [Path(f"/proc/{child}/status").read_text() for child in self.worker_ids()]
        return [round(int(re.findall(rf"{measure}:\s+(\d+) kB", status)[0]) / 1024, 1) for status in statuses]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def python(*arguments: str, environment: Mapping[str, str]) -> str:
    """Standard output of our own Python with these settings."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_world(environment: Mapping[str, str]) -> World:
    return World.from_json(python("-m", "tests.bench.world", environment=environment))


@contextmanager
def serve(environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    port = free_port()
    environment = {**environment, "HOST": "127.0.0.1", "PORT": str(port)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.serve"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        try:
            python("-m", "config.serve", "wait", environment=environment)
            yield Server(process, port)
        finally:
            process.terminate()
            process.wait(timeout=30)


def post_registrations(
    server: Server, world: World, *, body: str, connections: int, seconds: int, directory: Path
) -> Load:
    calls = directory / "calls"
    tokens = [world.tokens[number % len(world.tokens)].secret for number in range(len(world.paths))]
    calls.write_text("".join(f"{path} {token}\n" for path, token in zip(world.paths, tokens, strict=True)))
    (directory / "body").write_text(body)
    command = ["wrk", "--threads", str(CLIENT_THREADS), "--connections", str(connections), "--timeout", "30s"]
    command += ["--duration", f"{seconds}s", "--latency", "--script", str(HERE / "register.lua")]
    command += [f"http://127.0.0.1:{server.port}", "--", str(calls), str(directory / "body"), secrets.token_hex(13)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result = json.loads(output.splitlines()[-1])
    return Load(
        answers=result["answers"],
        requests_per_second=result["answers"] * 1e6 / result["microseconds"],
        p50=result["p50"] / 1000,
        p99=result["p99"] / 1000,
        errors=result["status_errors"] + result["socket_errors"],
    )


def pgbench(url: str, world: World, *, connections: int, seconds: int, directory: Path) -> float:
    """Transactions a second: one script for each token, since pgbench has no variables of text."""
    template = (HERE / "register.sql").read_text()
    command = ["pgbench", "--no-vacuum", "--protocol", "prepared", "--client", str(connections)]
    command += ["--jobs", str(CLIENT_THREADS), "--time", str(seconds)]
    command += ["--define", f"first_target={world.first_target}", "--define", f"last_target={world.last_target}"]
    for token in world.tokens:
        script = directory / f"{token.id}.sql"
        script.write_text(
            template.replace("@DIGEST@", token.digest)
            .replace("@TOKEN@", str(token.id))
            .replace("@ORGANIZATION@", str(world.organization_id))
        )
        command += ["--file", str(script)]
    parts = urlsplit(url)
    environment = {**os.environ, "PGPASSWORD": parts.password or ""}
    command += ["--host", parts.hostname or "", "--port", str(parts.port or 5432), "--username", parts.username or ""]
    command.append(parts.path.lstrip("/"))
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    match = re.search(r"tps = ([\d.]+)", output)
    if match is None:
        raise SystemExit(f"pgbench said no rate:\n{output}")
    return float(match[1])
