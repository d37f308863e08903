"""Rollbacks, and deploys that are registered later than they happened."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from time_machine import travel

from deployments.models import Deploy
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.imports.histories import START, Event, history, in_short, minute, post_history
from tokens.scopes import Scope


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("a", "a[live]"),
        ("a b", "a b[live]"),
        ("a b a", "a b[rolled back] a[rollback, live]"),
        ("a b c a", "a b[rolled back] c[rolled back] a[rollback, live]"),
        ("a b c b", "a b c[rolled back] b[rollback, live]"),
        ("a b a b", "a b[rolled back] a[rollback, rolled back] b[rollback, live]"),
        ("a b a c", "a b[rolled back] a[rollback] c[live]"),
        ("a b a c a", "a b[rolled back] a[rollback] c[rolled back] a[rollback, live]"),
        # c was rolled back twice over: the first rollback did it.
        ("a b c b a", "a b[rolled back] c[rolled back] b[rollback, rolled back] a[rollback, live]"),
    ],
)
def test_an_earlier_sha_is_a_rollback_of_those_in_between(ci: World, calls: str, expected: str) -> None:
    post_history(ci, calls)

    assert in_short(history(ci)) == expected


def test_a_rollback_names_the_latest_deploy_of_its_sha_and_the_first_rollback_counts(ci: World) -> None:
    post_history(ci, "a b a c b a")

    assert history(ci) == [
        Event("a", None, None, is_live=False),
        Event("b", None, 2, is_live=False),
        Event("a", 0, 4, is_live=False),
        Event("c", None, 4, is_live=False),
        Event("b", 1, 5, is_live=False),
        Event("a", 2, None, is_live=True),
    ]


def test_a_rollback_without_dates(ci: World) -> None:
    for sha in "abca":
        assert ci.register(sha=sha).status_code == 200

    assert in_short(history(ci)) == "a b[rolled back] c[rolled back] a[rollback, live]"


def test_other_targets_are_left_alone(ci: World) -> None:
    post_history(ci, "a b", environment="staging")
    make_deployment(ci.project, name="Api")
    ci.register(sha="b", path=ci.path.replace("storefront", "api"))
    post_history(ci, "a b a")

    assert in_short(history(ci)) == "a b[rolled back] a[rollback, live]"
    assert in_short(history(ci, "staging")) == "a b[live]"
    assert Deploy.objects.exclude(rolled_back_by=None).count() == 1


def test_rollbacks_are_tagged(ci: World) -> None:
    _, secret = make_token(ci.organization, Scope.READ)
    locations = [ci.register(sha=sha, date=minute(n), tags="#mine").headers["Location"] for n, sha in enumerate("abac")]

    def tags(location: str) -> Any:
        return Client().get(location, headers={"Authorization": f"Bearer {secret}"}).json()["tags"]

    assert [tags(location) for location in locations] == [
        ["#mine"],
        ["#mine", "#rolled_back"],
        ["#mine", "#rollback"],
        ["#mine"],
    ]


@pytest.mark.parametrize(
    ("calls", "late", "expected", "why"),
    [
        ("b c", ("a", -1), "a b c[live]", "before everything"),
        ("a c", ("b", 0.5), "a b c[live]", "in the middle"),
        ("a b", ("c", 0), "a c b[live]", "at the moment of another, which it follows"),
        ("b a c", ("a", -1), "a b[rolled back] a[rollback] c[live]", "it makes a later deploy a rollback"),
        ("a b c", ("a", 1.5), "a b[rolled back] a[rollback] c[live]", "itself a rollback"),
        ("a b a", ("c", 0.5), "a c[rolled back] b[rolled back] a[rollback, live]", "it was rolled back"),
        (
            "a b c a",
            ("b", 2.5),
            "a b[rolled back] c[rolled back] b[rollback, rolled back] a[rollback, live]",
            "a rollback, rolled back, that takes c over from a's",
        ),
        (
            "a b c a d",
            ("a", 1.5),
            "a b[rolled back] a[rollback] c[rolled back] a[rollback] d[live]",
            "the later rollback restores it instead, and b is its own",
        ),
        (
            "b c d c",
            ("b", 9),
            "b c[rolled back] d[rolled back] c[rollback, rolled back] b[rollback, live]",
            "the newest: an ordinary rollback",
        ),
    ],
)
def test_a_deploy_dated_earlier_is_put_in_order(
    ci: World, calls: str, late: tuple[str, float], expected: str, why: str
) -> None:
    post_history(ci, calls)

    response = ci.register(sha=late[0], date=minute(late[1]))

    assert (response.status_code, in_short(history(ci))) == (200, expected), why


@pytest.mark.parametrize("date", [-1, 0.5, 1.5, 3, 9])
def test_what_is_live_is_a_duplicate_whatever_its_date(ci: World, date: float) -> None:
    """Stored before, it would make the live deploy a rollback of what was deployed between."""
    post_history(ci, "k m l")

    assert ci.register(sha="l", date=minute(date)).status_code == 400
    ignored = ci.register(sha="l", date=minute(date), ignore_if_duplicate=True)

    assert ignored.headers["X-Deploy-Id"] == str(Deploy.objects.get(sha="l").pk)
    assert in_short(history(ci)) == "k m l[live]"


def test_a_date_of_the_live_deploy_makes_the_later_call_live(ci: World) -> None:
    ci.register(sha="a", date=minute(0))
    ci.register(sha="b", date=minute(0))

    assert in_short(history(ci)) == "a b[live]"


@pytest.mark.parametrize("date", [None, minute(0), minute(30), minute(61)])
def test_a_deploy_dated_ahead_of_our_clock_hides_none_that_follows(ci: World, date: str | None) -> None:
    with travel(START, tick=False):
        ci.register(sha="a", date=minute(60))
        assert ci.register(sha="b", date=date).status_code == 200

    assert in_short(history(ci)) == "a b[live]"
    assert {deploy.deployed_at for deploy in Deploy.objects.all()} == {START}


# --- The incremental answer is the one from scratch -------------------------------------------------


@dataclass(frozen=True)
class Stored:
    """A deploy as the model below keeps it; ``number`` grows with each one stored, like an id."""

    minutes: int
    number: int
    sha: str


@dataclass(frozen=True)
class Call:
    sha: str
    minutes: int | None


def store(rows: list[Stored], call: Call, number: int) -> bool:
    """What should happen to a call, without regard to how: whether it was stored."""
    # The clock stands at 0, and nothing is later than its arrival.
    dated = None if call.minutes is None else min(call.minutes, 0)
    minutes = 0 if dated is None else dated
    new = Stored(minutes, number, call.sha)
    ordered = sorted([*rows, new], key=lambda row: (row.minutes, row.number))
    place = ordered.index(new)
    beside = ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2]
    if dated is not None:
        beside += [row for row in rows if row.minutes == dated]
    live = rows[-1:]
    if any(row.sha == call.sha for row in beside + live):
        return False
    rows[:] = ordered
    return True


def from_scratch(rows: list[Stored]) -> list[Event]:
    shas = [row.sha for row in rows]
    restores = [
        max((earlier for earlier in range(place) if shas[earlier] == sha), default=None)
        for place, sha in enumerate(shas)
    ]
    return [
        Event(
            sha,
            restores[place],
            next(
                (
                    later
                    for later in range(place + 1, len(rows))
                    if (restored := restores[later]) is not None and restored < place
                ),
                None,
            ),
            place == len(rows) - 1,
        )
        for place, sha in enumerate(shas)
    ]


# Minutes around the moment at which the clock stands, with many of the same.
CALLS = st.lists(st.builds(Call, st.sampled_from("abc"), st.none() | st.integers(-5, 5)), min_size=1, max_size=12)
names = count(1)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS)
@example(calls=[Call(sha, minutes) for sha, minutes in zip("abcabcab", (0, 7, 1, 6, 2, 5, 3, 4), strict=True)])
@example(calls=[Call("a", 1), Call("b", 3), Call("c", 5), Call("c", 2), Call("b", 2), Call("a", 2)])
@example(calls=[Call("a", 3), Call("b", None), Call("a", None), Call("a", 3), Call("b", 3), Call("c", 3)])
def test_any_order_of_calls_gives_the_history_that_its_dates_give(ci: World, calls: list[Call]) -> None:
    ci.deployment = make_deployment(ci.project, name=f"Service {next(names)}")
    rows: list[Stored] = []
    with travel(START, tick=False):
        for number, call in enumerate(calls):
            date = None if call.minutes is None else (START + timedelta(minutes=call.minutes)).isoformat()
            status = ci.register(sha=call.sha, date=date, by=number).status_code
            assert status == (200 if store(rows, call, number) else 400)

    assert history(ci) == from_scratch(rows)
