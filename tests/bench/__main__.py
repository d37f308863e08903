"""Measures registration, imports and pages: ``make bench``. For a quick look at one part: ``python -m tests.bench
registration --rounds 1 --seconds 4``.

Registration: the app is served as ``make run`` serves it, on PostgreSQL and on SQLite, and wrk posts registrations to
it. Beside it, in the same round, pgbench does the least that a registration needs in the same tables: token by digest,
target row, insert, in one transaction. Machines differ and are noisy, so compare the ratio of the two. Tokens are
limited to a million requests a minute: counting is paid, and nothing refused.

Imports: a large file is posted to ``import_deploys``, and plain COPY puts the same rows into the same table; so is one
with rollbacks. Compare the ratio of the two rates, and a web worker's memory when it is idle, at its peak and
afterwards.

Pages: every page at 10,000 deploys and at a million, each organization in a database and behind a server of its own,
the two in turn, and both so shaped that they show as many rows. Compare the ratio of their times.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.bench import machine
from tests.bench.imports import MANY_ROWS, measure_imports
from tests.bench.measure import RATE_LIMIT, Measurement, measure
from tests.bench.pages import FEW, MANY, MOST_MANY_TO_FEW, PageTime, measure_pages
from tests.bench.processes import ROOT

POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
RESULTS = ROOT / "bench" / "results.json"

LEAST_RATIO = 0.12
LEAST_RATIO_TO_COPY = 0.9
# Of a web worker, while it imports a file of MANY_ROWS and afterwards.
MOST_MEGABYTES_FOR_A_LARGE_FILE = 120
MOST_MEGABYTES_KEPT = 24
MOST_P99_TO_P50 = 4
MOST_WORKER_MEGABYTES = 120
BUSY_LOAD = 0.5
DATABASES = ("postgresql", "sqlite")


@contextmanager
def new_database(server_url: str, purpose: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, dropped afterwards."""
    name = f"gumshoe_bench_{purpose}_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_measurement(name: str, measurement: Measurement) -> None:
    say(f"\n{name}: connections, body: requests/s, p50, p99, errors, ratio to pgbench")
    for row in measurement.rows():
        line = f"{row['connections']:4} {row['body']:10} {row['requests_per_second']:6}/s"
        line += f" {row['p50_ms']:7} ms {row['p99_ms']:7} ms {row['errors']:4} errors"
        if "ratio_to_pgbench" in row:
            line += f"   {row['ratio_to_pgbench']} of {row['pgbench_per_second']}/s"
        say(line)
    say(f"     web workers: {measurement.worker_megabytes} MB; answered but not stored: {measurement.lost}")


def misses(measurement: Measurement) -> list[str]:
    """What does not reach the targets."""
    found = []
    for row in measurement.rows():
        where = f"{row['connections']} connections, {row['body']}"
        if row["errors"]:
            found.append(f"{where}: {row['errors']} errors")
        if row["body"] == "small" and row.get("ratio_to_pgbench", 1) < LEAST_RATIO:
            found.append(f"{where}: {row['ratio_to_pgbench']} of pgbench, at least {LEAST_RATIO} wanted")
        if row["connections"] == 64 and row["p99_ms"] > MOST_P99_TO_P50 * row["p50_ms"]:
            found.append(f"{where}: p99 over {MOST_P99_TO_P50} times p50")
    if max(measurement.worker_megabytes) >= MOST_WORKER_MEGABYTES:
        found.append(f"a web worker takes {max(measurement.worker_megabytes)} MB")
    if measurement.lost:
        found.append(f"{measurement.lost} deploys were answered 200 and are not stored")
    return found


def measure_registration(options: argparse.Namespace, databases: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    say(f"{options.rounds} rounds of {options.seconds} seconds; medians; API_RATE_LIMIT={RATE_LIMIT}")
    results: dict[str, Any] = {"rounds": options.rounds, "seconds": options.seconds}
    missed = []
    for name in databases:
        with tempfile.TemporaryDirectory(prefix="gumshoe-bench-") as directory:
            how = {"rounds": options.rounds, "seconds": options.seconds}
            if name == "postgresql":
                with new_database(options.postgres, "registration") as url:
                    measurement = measure(Path(directory), postgres_url=url, **how)
            else:
                measurement = measure(Path(directory), postgres_url=None, **how)
        say_measurement(name, measurement)
        results[name] = {
            "rows": measurement.rows(),
            "worker_megabytes": measurement.worker_megabytes,
            "lost": measurement.lost,
        }
        missed += [f"{name}: {miss}" for miss in misses(measurement)]
    return results, missed


def measure_all_imports(options: argparse.Namespace, databases: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    results: dict[str, Any] = {"rounds": options.rounds}
    missed = []
    for name in databases:
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gumshoe-bench-")))
            url = stack.enter_context(new_database(options.postgres, "imports")) if name == "postgresql" else None
            measurement = measure_imports(directory, postgres_url=url, rounds=options.rounds)
        rows = [times.row() for times in measurement.times]
        idle, peak, kept = measurement.megabytes
        results[name] = {"rows": MANY_ROWS, "times": rows, "megabytes": {"idle": idle, "peak": peak, "after": kept}}
        for row in rows:
            of_what = f"of {MANY_ROWS:,} rows, {row['rollbacks']:.0%} of them rollbacks"
            say(f"\n{name}: import {of_what}: {row['import_rows_per_second']:,} rows/s")
            ratio = row["ratio_to_copy"]
            say(f"     COPY: {row['copy_rows_per_second']} rows/s, ratio {ratio}")
            if ratio and ratio < LEAST_RATIO_TO_COPY:
                missed.append(f"{name}: import {of_what} at {ratio} of COPY, at least {LEAST_RATIO_TO_COPY} wanted")
        say(f"     a web worker: {idle} MB idle, {peak} MB at its peak, {kept} MB afterwards")
        if peak - idle > MOST_MEGABYTES_FOR_A_LARGE_FILE:
            missed.append(f"{name}: a large file takes {peak - idle:.0f} MB of a web worker")
        if kept - idle > MOST_MEGABYTES_KEPT:
            missed.append(f"{name}: a web worker keeps {kept - idle:.0f} MB after large files")
    return results, missed


def measure_all_pages(options: argparse.Namespace, databases: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    results: dict[str, Any] = {"times": options.times, "few_deploys": FEW, "many_deploys": MANY}
    missed = []
    for name in databases:
        say(f"\n{name}: pages at {FEW:,} deploys and at {MANY:,}, median of {options.times}; filling takes minutes")
        rows = []
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gumshoe-bench-")))
            urls = None
            if name == "postgresql":
                urls = (
                    stack.enter_context(new_database(options.postgres, "few")),
                    stack.enter_context(new_database(options.postgres, "many")),
                )
            for page in measure_pages(directory, postgres_urls=urls, times=options.times):
                say_page(page)
                rows.append(page.row())
                if page.ratio > MOST_MANY_TO_FEW:
                    missed.append(f"{name}: {page.name}: {page.ratio:.2f} times as long, {MOST_MANY_TO_FEW} wanted")
        results[name] = rows
    return results, missed


def say_page(page: PageTime) -> None:
    too_long = "  too long" if page.ratio > MOST_MANY_TO_FEW else ""
    times = f"{page.few:8.1f} ms {page.many:8.1f} ms {page.ratio:6.2f}"
    say(f"{times} {page.few_kilobytes:5.0f} kB {page.many_kilobytes:5.0f} kB  {page.name}{too_long}")


PARTS = {"registration": measure_registration, "imports": measure_all_imports, "pages": measure_all_pages}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure registration, imports and pages."
    )
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="what to measure (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="of registration and imports (default 3)")
    parser.add_argument("--seconds", type=int, default=8, help="of each load of registration (default 8)")
    parser.add_argument("--times", type=int, default=9, help="each page is asked for (default 9)")
    parser.add_argument("--only", choices=DATABASES, help="one database; nothing is written")
    parser.add_argument(
        "--postgres", default=POSTGRES, help=f"a server where databases may be made (default {POSTGRES})"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: name registration, imports or pages")
    databases = (options.only,) if options.only else DATABASES
    missed = []
    for part in options.parts or PARTS:
        facts: dict[str, Any] = {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.describe(options.postgres),
        }
        if facts["machine"]["load_before"] > BUSY_LOAD:
            load = facts["machine"]["load_before"]
            say(f"other programs are using this machine (load {load}): expect worse numbers")
        results, misses_of_part = PARTS[part](options, databases)
        missed += misses_of_part
        if not options.only:
            keep(part, facts | results)
    for miss in missed:
        say(f"missed: {miss}")
    if not missed:
        say("all targets reached")
    sys.exit(bool(missed))


def keep(part: str, results: dict[str, Any]) -> None:
    """Beside what was measured of the other parts before."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept | {part: results}, indent=2) + "\n")
    say(f"\nwritten to {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
