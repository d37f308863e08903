"""Those who write in transactions on SQLite wait for one another in a queue, which nobody may keep."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from django.db import connection, connections, transaction

from config.sqlite.base import DatabaseWrapper
from orgs.models import Organization
from tests.conftest import World
from tests.factories import make_organization

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="is about SQLite's writers"),
]
SECONDS = 10


def commit() -> None:
    with transaction.atomic():
        make_organization("acme")


def fail_to_commit() -> None:
    with transaction.atomic():
        make_organization("acme")
        raise InterruptedError


def lose_the_connection() -> None:
    with transaction.atomic():
        make_organization("acme")
        connection.close()
        raise InterruptedError


def elsewhere(act: Callable[[], object]) -> object:
    """By another thread, which has a connection of its own."""

    def run() -> object:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(SECONDS)


@pytest.mark.parametrize("end", [commit, fail_to_commit, lose_the_connection])
def test_the_next_one_writes_however_a_transaction_ends(end: Callable[[], None]) -> None:
    with suppress(InterruptedError):
        end()

    elsewhere(lambda: make_organization("globex"))

    assert set(Organization.objects.values_list("slug", flat=True)) >= {"globex"}
    assert Organization.objects.filter(slug="acme").exists() == (end is commit)


def test_readers_do_not_queue() -> None:
    make_organization("acme")

    with transaction.atomic():
        make_organization("globex")

        assert elsewhere(Organization.objects.count) == 1


@contextmanager
def writing_elsewhere() -> Iterator[None]:
    """A transaction of another thread is open."""
    begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            begun.set()
            may_end.wait(SECONDS)

    thread = threading.Thread(target=lambda: elsewhere(write))
    thread.start()
    assert begun.wait(SECONDS)
    try:
        yield
    finally:
        may_end.set()
        thread.join()


def use_token(ci: World) -> None:
    """That it was used is written outside of a transaction, and not again with the next call."""
    assert ci.register(sha="first").status_code == 200


def test_a_registration_waits_as_long_as_the_timeout_says(ci: World, monkeypatch: pytest.MonkeyPatch) -> None:
    use_token(ci)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.2)

    with writing_elsewhere():
        started = monotonic()
        answers = [ci.register(sha="abc") for _ in range(3)]
        threads = [thread.name for thread in threading.enumerate()]

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "5")] * 3
    assert monotonic() - started < SECONDS / 2
    assert threads.count("sqlite-queue") == 1
    assert ci.register(sha="abc").status_code == 200


def test_who_waits_writes_when_the_other_has(ci: World) -> None:
    use_token(ci)

    with ThreadPoolExecutor(1) as pool:
        with writing_elsewhere():
            answer = pool.submit(elsewhere, lambda: ci.register(sha="abc"))
            with pytest.raises(TimeoutError):
                answer.result(0.3)

        assert answer.result(SECONDS).status_code == 200  # type: ignore[attr-defined]


@pytest.fixture
def queue() -> Iterator[Path]:
    """The path of the queue's file, which is not there."""
    path = Path(f"{connection.settings_dict['NAME']}-queue")
    path.unlink(missing_ok=True)
    yield path
    if path.is_dir():
        path.rmdir()


def test_a_new_database_is_for_its_owner_only(tmp_path: Path) -> None:
    settings = {**connection.settings_dict, "NAME": str(tmp_path / "new.sqlite3")}
    new = DatabaseWrapper(settings, "new")
    with new.cursor() as cursor:
        cursor.execute("CREATE TABLE x (y)")
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    new.close()

    assert modes == {0o600}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_who_may_write_to_the_database_may_wait_in_its_queue(queue: Path, mode: int) -> None:
    database = Path(connection.settings_dict["NAME"])
    before = database.stat()
    database.chmod(mode)
    if os.geteuid() == 0:
        os.chown(database, 1234, 1234)
    expected = database.stat()
    try:
        commit()
    finally:
        os.chown(database, before.st_uid, before.st_gid)
        database.chmod(before.st_mode)

    made = queue.stat()
    assert (made.st_mode, made.st_uid, made.st_gid) == (expected.st_mode, expected.st_uid, expected.st_gid)


def test_a_queue_that_cannot_be_used_is_a_database_that_does_not_answer(ci: World, queue: Path) -> None:
    use_token(ci)
    queue.unlink()
    queue.mkdir()

    answer = ci.register(sha="abc")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_another_connection_of_this_process_leaves_the_lock(tmp_path: Path) -> None:
    """Otherwise another process writes beside a transaction of this one, and the file is damaged."""
    file = tmp_path / "gumshoe.sqlite3"
    settings = {**connection.settings_dict, "NAME": file, "OPTIONS": {}}
    first, second = (DatabaseWrapper(settings, alias=alias) for alias in ("first", "second"))
    try:
        with closing(first), closing(second):
            first.cursor().execute("CREATE TABLE number (n)")
            first.cursor().execute("BEGIN IMMEDIATE")
            second.cursor().execute("SELECT 1")
            write = (
                "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('INSERT INTO number VALUES (1)')"
            )

            other = subprocess.run([sys.executable, "-c", write, file], capture_output=True, text=True, check=False)

            assert "database is locked" in other.stderr
            first.cursor().execute("ROLLBACK")
    finally:
        file.unlink()
