"""What the deploys of an imported file are to one another, in whatever order its rows come."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployments.registration.history import rollbacks_of
from tests.conftest import World
from tests.imports.histories import START, Event, history, in_short
from tests.imports.importing import post_file, rows

# Rows between a rollback that reaches far and what it restores.
FAR = 5_000
# A sha and the minute when it was deployed.
Row = tuple[str, int]


def import_rows(world: World, told: Sequence[Row]) -> CaptureQueriesContext:
    with CaptureQueriesContext(connection) as queries:
        response = post_file(world, rows(*(f"{sha},{(START + timedelta(minutes=at)).isoformat()}" for sha, at in told)))
    assert (response.status_code, response.content) == (200, b"Success")
    return queries


def expected(told: Sequence[Row], *, newest_first: bool) -> list[Event]:
    """What the rows say, worked out from all of them at once."""
    once = list(dict.fromkeys(sorted(told[::-1] if newest_first else told, key=lambda row: row[1])))
    shas = [sha for sha, _ in once]
    shas = [sha for sha, before in zip(shas, [None, *shas], strict=False) if sha != before]
    restores, rolled_back_by = rollbacks_of(shas)
    return [
        Event(sha, restores.get(place), rolled_back_by.get(place), place == len(shas) - 1)
        for place, sha in enumerate(shas)
    ]


def each_has_a_moment(random: Random, shas: list[str]) -> list[Row]:
    return [(sha, minute) for minute, sha in enumerate(shas)]


def some_share_a_moment(random: Random, shas: list[str]) -> list[Row]:
    return list(zip(shas, sorted(random.randrange(len(shas)) for _ in shas), strict=True))


def some_are_out_of_order(random: Random, shas: list[str]) -> list[Row]:
    told = each_has_a_moment(random, shas)
    for _ in range(2):
        told.insert(random.randrange(len(told)), told.pop(random.randrange(len(told))))
    return told


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("tell", [each_has_a_moment, some_share_a_moment, some_are_out_of_order])
@pytest.mark.parametrize("seed", range(8))
def test_any_order_gives_the_same_history(
    ci: World, seed: int, tell: Callable[[Random, list[str]], list[Row]], newest_first: bool
) -> None:
    random = Random(seed)  # noqa: S311 - the same each time
    told = tell(random, random.choices("abcdefghijkl"[: 4 + seed], k=40))
    if newest_first:
        told.reverse()

    import_rows(ci, told)

    assert history(ci) == expected(told, newest_first=newest_first)


@pytest.mark.parametrize("newest_first", [False, True])
def test_near_and_far_rollbacks(ci: World, newest_first: bool) -> None:
    """Those that restore a deploy far away reach over nearer ones."""
    shas = [f"{n - 3 if n % 20 == 3 else n:x}" for n in range(2 * FAR + 500)]
    shas[FAR + 100] = shas[90]
    shas[2 * FAR + 200] = shas[FAR + 150]
    told = [(sha, minute) for minute, sha in enumerate(shas)]
    if newest_first:
        told.reverse()

    import_rows(ci, told)

    assert history(ci) == expected(told, newest_first=newest_first)


@pytest.mark.parametrize("newest_first", [False, True])
def test_near_rollbacks_are_stored_with_their_links(ci: World, newest_first: bool) -> None:
    """Linked later, each would be stored twice. SQLite gives no ids before rows are stored, and links all of them."""
    told = [(sha, minute) for minute, sha in enumerate("abacb")]
    if newest_first:
        told.reverse()

    queries = import_rows(ci, told)

    assert in_short(history(ci)) == "a b[rolled back] a[rollback, rolled back] c[rolled back] b[rollback, live]"
    linking = [query for query in queries if "UPDATE deployments_deploy SET restores_id" in query["sql"]]
    assert len(linking) == (connection.vendor == "sqlite")
