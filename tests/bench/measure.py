"""The measurements of one database, round by round."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.bodies import BODIES
from tests.bench.processes import Load, make_world, pgbench, post_registrations, python, serve

CONNECTIONS = (16, 64)
WARM_UP_SECONDS = 3
RATE_LIMIT = "1000000/m"
COUNT = "from deployments.models import Deploy; print(Deploy.objects.count())"


@dataclass
class Measurement:
    """``loads`` by connections and body, ``pgbench`` (transactions a second) by connections: one entry a round.

    ``lost`` is how many deploys were answered 200 and are not stored.
    """

    loads: dict[tuple[int, str], list[Load]] = field(default_factory=dict)
    pgbench: dict[int, list[float]] = field(default_factory=dict)
    worker_megabytes: list[float] = field(default_factory=list)
    lost: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """Medians over the rounds; a ratio is the median of those of each round, measured side by side."""
        rows = []
        for (connections, body), loads in self.loads.items():
            row = {
                "connections": connections,
                "body": body,
                "requests_per_second": round(median(load.requests_per_second for load in loads)),
                "p50_ms": round(median(load.p50 for load in loads), 1),
                "p99_ms": round(median(load.p99 for load in loads), 1),
                "errors": sum(load.errors for load in loads),
            }
            if rates := self.pgbench.get(connections):
                ratios = [load.requests_per_second / rate for load, rate in zip(loads, rates, strict=True)]
                row["pgbench_per_second"] = round(median(rates))
                row["ratio_to_pgbench"] = round(median(ratios), 3)
            rows.append(row)
        return rows


def measure(directory: Path, *, postgres_url: str | None, rounds: int, seconds: int) -> Measurement:
    """On SQLite, without pgbench, where ``postgres_url`` is none. ``directory`` is empty and takes what is written."""
    environment = {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": "a key for measuring, with nothing behind it",
        "VAR_DIR": str(directory),
        "DATABASE_URL": postgres_url or f"sqlite:///{directory}/gumshoe.sqlite3",
        "API_RATE_LIMIT": RATE_LIMIT,
    }
    measurement = Measurement()
    world = make_world(environment)
    stored = count_deploys(environment)
    with serve(environment, directory / "server.log") as server:

        def post(body: str, connections: int, seconds: int) -> Load:
            return post_registrations(
                server, world, body=BODIES[body], connections=connections, seconds=seconds, directory=directory
            )

        answers = post("small", max(CONNECTIONS), WARM_UP_SECONDS).answers
        for _ in range(rounds):
            for connections in CONNECTIONS:
                if postgres_url:
                    # What it inserts counts for nothing: `stored` moves along.
                    before = count_deploys(environment)
                    rate = pgbench(postgres_url, world, connections=connections, seconds=seconds, directory=directory)
                    measurement.pgbench.setdefault(connections, []).append(rate)
                    stored += count_deploys(environment) - before
                for body in BODIES:
                    load = post(body, connections, seconds)
                    measurement.loads.setdefault((connections, body), []).append(load)
                    answers += load.answers - load.errors
        measurement.worker_megabytes = server.worker_megabytes()
    # Requests under way when the load client stopped were stored without an answer, so there may be more.
    measurement.lost = max(0, stored + answers - count_deploys(environment))
    return measurement


def count_deploys(environment: Mapping[str, str]) -> int:
    return int(python("manage.py", "shell", "--no-imports", "--command", COUNT, environment=environment))
