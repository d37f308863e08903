"""Importing a history, beside a plain COPY of the same rows into the same table: one without rollbacks, and one in
which each twentieth deploy is one.

COPY gets them ready, with every column, links among them, and in the order of their ids, as rows of another target. It
pays for the same indexes and foreign keys: the rest is what receiving, reading, checking and linking a file costs.
"""

import os
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from tests.bench.processes import Server, make_world, serve
from tests.bench.world import World

FEW_ROWS, MANY_ROWS = 10_000, 200_000
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
BLOCK_BYTES = 1 << 20
# Of a history that has some: each so many deploys there is a rollback, to the deploy so many before.
ROLLBACK_EACH, ROLLBACK_BY = 20, 3
GET_READY = """
CREATE TEMPORARY TABLE ready AS
    SELECT * FROM deployments_deploy
    WHERE deleted_at IS NULL
        AND target_id = (SELECT target_id FROM deployments_deploy ORDER BY id DESC LIMIT 1);
CREATE TEMPORARY TABLE renumbered (id bigint PRIMARY KEY, new_id bigint);
INSERT INTO renumbered
    SELECT id, nextval(pg_get_serial_sequence('deployments_deploy', 'id')) AS new_id FROM ready ORDER BY id;
ANALYZE ready, renumbered;
UPDATE ready SET
    restores_id = (SELECT new_id FROM renumbered WHERE renumbered.id = ready.restores_id),
    rolled_back_by_id = (SELECT new_id FROM renumbered WHERE renumbered.id = ready.rolled_back_by_id)
WHERE restores_id IS NOT NULL OR rolled_back_by_id IS NOT NULL;
UPDATE ready SET
    id = renumbered.new_id, target_id = other.target_id,
    project_id = other.project_id, deployment_id = other.deployment_id, environment_id = other.environment_id
FROM renumbered, (SELECT * FROM deployments_deploy WHERE deleted_at IS NULL ORDER BY id LIMIT 1) other
WHERE ready.id = renumbered.id
"""


@dataclass
class ImportTimes:
    """Seconds of each round, of a history of which this share are rollbacks."""

    rollbacks: float
    imports: list[float] = field(default_factory=list)
    copies: list[float] = field(default_factory=list)

    @property
    def ratio_to_copy(self) -> float | None:
        """Of the rates: the median of those of each round, measured side by side."""
        ratios = [copied / imported for imported, copied in zip(self.imports, self.copies, strict=False)]
        return round(median(ratios), 2) if ratios else None

    def row(self) -> dict[str, Any]:
        return {
            "rollbacks": self.rollbacks,
            "import_rows_per_second": round(MANY_ROWS / median(self.imports)),
            "copy_rows_per_second": round(MANY_ROWS / median(self.copies)) if self.copies else None,
            "ratio_to_copy": self.ratio_to_copy,
        }


@dataclass
class ImportMeasurement:
    """``megabytes`` of a web worker: idle, having imported a small file; at its peak; and after large ones."""

    times: tuple[ImportTimes, ...]
    megabytes: tuple[float, ...] = ()


def write_file(path: Path, rows: int, *, has_rollbacks: bool = False) -> None:
    """Newest first, as an export is; no two of the same sha but for rollbacks."""
    with path.open("w") as file:
        file.write("sha,date,branch,title,author,email,first_commit_at\n")
        for number in reversed(range(rows)):
            deployed_at = FIRST_DAY + timedelta(minutes=10 * number)
            is_rollback = has_rollbacks and number % ROLLBACK_EACH == ROLLBACK_BY
            deployed = number - ROLLBACK_BY if is_rollback else number
            sha = sha1(str(deployed).encode(), usedforsecurity=False).hexdigest()
            first_commit_at = deployed_at - timedelta(hours=5)
            author = f"Ann {number % 50},ann{number % 50}@example.com"
            file.write(f"{sha},{deployed_at:%FT%TZ},main,Change number {number},{author},{first_commit_at:%FT%TZ}\n")


def post_file(server: Server, world: World, place: int, file: Path) -> float:
    """Seconds until all of it is stored."""
    address = world.paths[place].replace("register_deploy", "import_deploys")
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--form", f"csv_file=@{file}"]
    command += ["--header", f"Authorization: Bearer {world.tokens[0].secret}"]
    command += ["--header", "Expect:", f"http://127.0.0.1:{server.port}{address}"]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - started


def copy_rows(url: str, directory: Path) -> float:
    """Seconds of putting what was imported last into the table once more."""
    ready = directory / "ready"
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(GET_READY)
        with ready.open("wb") as file, cursor.copy("COPY (SELECT * FROM ready ORDER BY id) TO STDOUT") as reading:
            file.writelines(bytes(block) for block in reading)
        cursor.execute("DROP TABLE ready, renumbered")
        connection.commit()
        started = time.perf_counter()
        with ready.open("rb") as file, cursor.copy("COPY deployments_deploy FROM STDIN") as writing:
            while block := file.read(BLOCK_BYTES):
                writing.write(block)
        connection.commit()
        return time.perf_counter() - started


def measure_imports(directory: Path, *, postgres_url: str | None, rounds: int) -> ImportMeasurement:
    """On SQLite, which has no COPY, where ``postgres_url`` is none."""
    environment = {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": "a key for measuring, with nothing behind it",
        "VAR_DIR": str(directory),
        "DATABASE_URL": postgres_url or f"sqlite:///{directory}/gumshoe.sqlite3",
    }
    world = make_world(environment)
    few = directory / "few.csv"
    write_file(few, FEW_ROWS)
    measurement = ImportMeasurement((ImportTimes(0), ImportTimes(1 / ROLLBACK_EACH)))
    many = [(times, directory / f"many-{times.rollbacks}.csv") for times in measurement.times]
    for times, file in many:
        write_file(file, MANY_ROWS, has_rollbacks=times.rollbacks > 0)
    with serve(environment, directory / "server.log") as server:
        # Of one target after the other, the last first: what COPY fills is the first one's.
        targets = iter(reversed(range(len(world.paths))))
        for _ in server.worker_ids():
            post_file(server, world, next(targets), few)
        idle = max(server.worker_megabytes())
        for _ in range(rounds):
            for times, file in many:
                times.imports.append(post_file(server, world, next(targets), file))
                if postgres_url:
                    times.copies.append(copy_rows(postgres_url, directory))
        peak, after = max(server.worker_megabytes("VmHWM")), max(server.worker_megabytes())
    measurement.megabytes = (idle, peak, after)
    return measurement
