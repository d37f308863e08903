"""Those who write in transactions on SQLite wait for one another in a queue, which nobody may keep."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection, connections, transaction

from orgs.models import Organization
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
