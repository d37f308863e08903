"""Transactions on SQLite wait for one another, and no longer than the timeout says."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import monotonic

import pytest
from django.db import OperationalError, connection, connections, transaction

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
    """In another thread, which has its own connection."""

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


def test_readers_do_not_wait() -> None:
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
    """The first call notes the use of the token, outside of a transaction; the next call does not."""
    assert ci.register(sha="first").status_code == 200


def test_a_registration_waits_as_long_as_the_timeout_says(ci: World, monkeypatch: pytest.MonkeyPatch) -> None:
    use_token(ci)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.2)

    with writing_elsewhere():
        started = monotonic()
        answers = [ci.register(sha="abc") for _ in range(3)]

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "5")] * 3
    assert monotonic() - started < SECONDS / 2
    assert ci.register(sha="abc").status_code == 200


def test_a_registration_that_waits_is_stored_after_the_other_transaction(ci: World) -> None:
    use_token(ci)

    with ThreadPoolExecutor(1) as pool:
        with writing_elsewhere():
            answer = pool.submit(elsewhere, lambda: ci.register(sha="abc"))
            with pytest.raises(TimeoutError):
                answer.result(0.3)

        assert answer.result(SECONDS).status_code == 200  # type: ignore[attr-defined]


def test_writes_outside_of_transactions_wait_as_long() -> None:
    timeout = connection.settings_dict["OPTIONS"]["timeout"]
    commit()

    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (timeout * 1000,)


def test_another_error_than_a_lock_is_raised_at_once() -> None:
    connection.ensure_connection()
    connection.connection.execute("BEGIN")
    try:
        with pytest.raises(OperationalError, match="within a transaction"):
            connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    finally:
        connection.connection.execute("ROLLBACK")
