"""Sixteen clients at once, on connections of their own: what they are answered is what is stored."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from deployments.models import Deploy, IdempotencyKey, Target
from tests.conftest import World
from tests.factories import make_deployment
from tests.imports.histories import START, history, minute
from tests.simultaneously import post_simultaneously

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 16


def statuses(responses: list[Any]) -> Counter[int]:
    return Counter(response.status_code for response in responses)


@pytest.fixture(params=["a fresh target", "a target with history"])
def world(request: pytest.FixtureRequest, ci: World) -> World:
    """A fresh target has no row yet whose lock could be taken."""
    if request.param == "a target with history":
        assert ci.register(sha="older", date=minute(-9)).status_code == 200
        assert ci.register(sha="old", date=minute(-8)).status_code == 200
    else:
        assert not Target.objects.exists()
    return ci


def assert_linear(world: World) -> None:
    """One target, whose newest deploy is the live one, and no deploy marked wrongly."""
    target = Target.objects.get()
    newest = target.deploys.order_by("-deployed_at", "-id").first()
    assert newest is not None
    assert target.live_deploy_id == newest.id
    assert [event.is_live for event in history(world)] == [False] * (target.deploys.count() - 1) + [True]


@pytest.mark.parametrize("date", [None, minute(0)], ids=["now", "dated"])
def test_one_sha_is_stored_once_and_refused_fifteen_times(world: World, date: str | None) -> None:
    responses = post_simultaneously(world, [{"sha": "new", "date": date, "by": n} for n in range(CLIENTS)])

    assert statuses(responses) == {200: 1, 400: CLIENTS - 1}
    deploy = Deploy.objects.get(sha="new")
    assert [r.headers["X-Deploy-Id"] for r in responses if r.status_code == 200] == [str(deploy.id)]
    assert_linear(world)


def test_one_call_that_comes_sixteen_times_is_stored_once_and_accepted_always(world: World) -> None:
    responses = post_simultaneously(world, [{"sha": "new"}] * CLIENTS)

    assert statuses(responses) == {200: CLIENTS}
    assert {r.headers["X-Deploy-Id"] for r in responses} == {str(Deploy.objects.get(sha="new").id)}
    assert Counter(r.headers.get("Idempotency-Replayed") for r in responses) == {None: 1, "true": CLIENTS - 1}
    assert_linear(world)


def test_one_sha_with_ignore_if_duplicate_is_stored_once_and_accepted_always(world: World) -> None:
    responses = post_simultaneously(world, [{"sha": "new", "ignore_if_duplicate": "true"}] * CLIENTS)

    assert statuses(responses) == {200: CLIENTS}
    assert {r.headers["X-Deploy-Id"] for r in responses} == {str(Deploy.objects.get(sha="new").id)}
    assert_linear(world)


def test_a_rollback_is_stored_once(ci: World) -> None:
    for number, sha in enumerate("abc"):
        ci.register(sha=sha, date=minute(number))

    responses = post_simultaneously(ci, [{"sha": "a", "by": n} for n in range(CLIENTS)])

    assert statuses(responses) == {200: 1, 400: CLIENTS - 1}
    assert [(e.sha, e.restores, e.rolled_back_by) for e in history(ci)] == [
        ("a", None, None),
        ("b", None, 3),
        ("c", None, 3),
        ("a", 0, None),
    ]


def test_different_shas_are_all_stored_and_the_newest_is_live(world: World) -> None:
    before = Deploy.objects.count()

    responses = post_simultaneously(world, [{"sha": f"sha-{n}"} for n in range(CLIENTS)])

    assert statuses(responses) == {200: CLIENTS}
    assert len({r.headers["X-Deploy-Id"] for r in responses}) == CLIENTS
    assert Deploy.objects.count() == before + CLIENTS
    assert not Deploy.objects.exclude(restores=None, rolled_back_by=None).exists()
    assert_linear(world)


def test_different_shas_with_dates_in_any_order_are_put_in_order(world: World) -> None:
    """The latest by date is live, whoever came last."""
    bodies = [{"sha": f"sha-{n}", "date": minute(n * 7 % CLIENTS)} for n in range(CLIENTS)]

    responses = post_simultaneously(world, bodies)

    assert statuses(responses) == {200: CLIENTS}
    dated = Deploy.objects.filter(deployed_at__gte=START).order_by("deployed_at")
    expected = sorted(bodies, key=lambda body: body["date"])
    assert [deploy.sha for deploy in dated] == [body["sha"] for body in expected]
    assert_linear(world)


def test_two_shas_in_turn_leave_no_duplicate_beside_another(ci: World) -> None:
    """Whatever order they come in, each stored deploy differs from the one before it."""
    responses = post_simultaneously(ci, [{"sha": "ab"[n % 2], "by": n} for n in range(CLIENTS)])

    shas = [event.sha for event in history(ci)]
    assert statuses(responses)[200] == len(shas)
    assert statuses(responses)[400] == CLIENTS - len(shas)
    assert all(sha != following for sha, following in pairwise(shas))
    assert_linear(ci)


def test_one_token_in_several_targets_does_not_deadlock(ci: World) -> None:
    make_deployment(ci.project, name="Api")
    paths = [ci.path, ci.path.replace("storefront", "api")]
    bodies = [
        {"sha": f"sha-{n % 4}", "environment": environment, "path": path}
        for n in range(4)
        for environment in ("staging", "production")
        for path in paths
    ]

    responses = post_simultaneously(ci, bodies)

    assert statuses(responses) == {200: CLIENTS}
    assert [target.deploys.count() for target in Target.objects.all()] == [4, 4, 4, 4]
    assert Target.objects.filter(live_deploy=None).count() == 0
    ci.token.refresh_from_db()
    assert ci.token.last_used_at is not None


# --- Idempotency-Key --------------------------------------------------------------------------------


def test_one_key_and_one_body_are_one_deploy_and_fifteen_replays(world: World) -> None:
    responses = post_simultaneously(world, [{"sha": "new"}] * CLIENTS, **{"Idempotency-Key": "build-1"})

    assert statuses(responses) == {200: CLIENTS}
    assert {r.headers["X-Deploy-Id"] for r in responses} == {str(Deploy.objects.get(sha="new").id)}
    assert Counter(r.headers.get("Idempotency-Replayed") for r in responses) == {None: 1, "true": CLIENTS - 1}


def test_one_key_and_different_bodies_are_one_deploy_and_fifteen_refusals(world: World) -> None:
    before = Deploy.objects.count()

    responses = post_simultaneously(
        world, [{"sha": f"sha-{n}"} for n in range(CLIENTS)], **{"Idempotency-Key": "build-1"}
    )

    assert statuses(responses) == {200: 1, 422: CLIENTS - 1}
    assert Deploy.objects.count() == before + 1


def test_one_key_of_a_duplicate_is_refused_to_all_and_remembered_once(ci: World) -> None:
    ci.register(sha="live")

    responses = post_simultaneously(ci, [{"sha": "live"}] * CLIENTS, **{"Idempotency-Key": "build-1"})

    assert statuses(responses) == {400: CLIENTS}
    assert Counter(r.headers.get("Idempotency-Replayed") for r in responses) == {None: 1, "true": CLIENTS - 1}
    assert IdempotencyKey.objects.count() == 1
