"""A call that its client sends twice without saying so: the same bytes from the same token within a minute."""

import json
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from time_machine import travel

from deployments.models import Deploy
from tests.calls import BOUNDARY, FORM, JSON, MULTIPART, bearer, call, multipart
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.imports.histories import START, history, in_short, minute

COMPARED = ("X-Deploy-Id", "Location", "Content-Type")
SWEETR = {"app": "storefront", "environment": "production", "version": "1", "repositoryFullName": "acme/storefront"}


def as_answer(response: Any) -> tuple[Any, ...]:
    return (response.status_code, response.content, *(response.headers.get(name) for name in COMPARED))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"sha": "a"}', JSON),
        ('{"sha": "a", "date": "2024-05-01T12:00:00Z"}', JSON),
        ('{"sha": "a"}', None),
        ("sha=a", FORM),
        (multipart(("sha", "a")), MULTIPART),
    ],
    ids=["json", "dated", "unlabelled", "form", "multipart"],
)
def test_the_same_bytes_get_the_first_answer_again(ci: World, body: str | bytes, content_type: str | None) -> None:
    first, again = (call(ci.path, body, content_type=content_type, headers=bearer(ci.secret)) for _ in range(2))

    assert (first.status_code, first.content) == (200, b"Success")
    assert as_answer(again) == as_answer(first)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert in_short(history(ci)) == "a[live]"


def test_sweetrs_and_those_with_a_query_string(ci: World) -> None:
    body = json.dumps({**SWEETR, "commitHash": "a"})
    for path in ("/v1/deployments", f"{ci.path}?sha=b", f"{ci.path}?sha=c&environment=production"):
        first, again = (call(path, body if "v1" in path else "", headers=bearer(ci.secret)) for _ in range(2))
        assert as_answer(again) == as_answer(first)
        assert again.headers["Idempotency-Replayed"] == "true"
    assert in_short(history(ci)) == "a b c[live]"


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("", b'{"sha": "a" }', JSON),
        ("", b'{"sha": "a"}', "application/json; charset=utf-8"),
        ("?environment=production", b'{"sha": "a"}', JSON),
        ("", b"sha=a", FORM),
        ("", multipart(("sha", "a")), MULTIPART),
        ("", multipart(("sha", "a")).replace(BOUNDARY.encode(), b"other"), "multipart/form-data; boundary=other"),
    ],
)
def test_other_bytes_are_another_call(ci: World, path: str, body: bytes, content_type: str) -> None:
    assert call(ci.path, '{"sha": "a"}', headers=bearer(ci.secret)).status_code == 200

    again = call(f"{ci.path}{path}", body, content_type=content_type, headers=bearer(ci.secret))

    assert (again.status_code, again.content[:21]) == (400, b"a was already deploye")


def test_another_token_is_another_caller(ci: World) -> None:
    _, second = make_token(ci.organization)
    assert ci.register(sha="a").status_code == 200

    assert ci.register(sha="a", secret=second).status_code == 400


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 400)])
def test_for_a_minute(ci: World, seconds: int, status: int) -> None:
    with travel(START, tick=False):
        assert ci.register(sha="a").status_code == 200
    with travel(START + timedelta(seconds=seconds), tick=False):
        assert ci.register(sha="a").status_code == status


def test_a_backfilled_deploy(ci: World) -> None:
    """It has a later neighbour of the same sha."""
    for sha, at in (("a", 0), ("b", 1), ("a", 2), ("c", 3), ("a", -5)):
        ci.register(sha=sha, date=minute(at))
    with travel(START, tick=False):
        first, again = (ci.register(sha="a", date=minute(1.5)) for _ in range(2))

    assert first.status_code == 200 or first.content.startswith(b"a was already")
    assert as_answer(again) == as_answer(first)


def test_what_another_sha_in_between_makes_of_it(ci: World) -> None:
    """Only the caller can tell a call that comes again from a rollback: by ignore_if_duplicate, a date or a key."""
    for sha in "aba":
        assert ci.register(sha=sha).status_code == 200
    assert in_short(history(ci)) == "a b[rolled back] a[rollback, live]"

    for said in ({"ignore_if_duplicate": True}, {"date": minute(0)}, {"headers": {"Idempotency-Key": "1"}}):
        ci.deployment = make_deployment(ci.project, name=f"Of {next(iter(said))}")
        keyed: dict[str, Any] = said
        first = ci.register(sha="a", **keyed)
        assert ci.register(sha="b").status_code == 200
        again = ci.register(sha="a", **keyed)
        assert as_answer(again) == as_answer(first), said
        assert again.headers["Idempotency-Replayed"] == "true", said
        assert in_short(history(ci)) == "a b[live]", said


names = count(1)
CALLS = st.lists(st.sampled_from("abc"), min_size=1, max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS, again=st.permutations(range(6)), dated=st.booleans())
@example(calls=["a", "b"], again=[0], dated=False)
@example(calls=["a", "b", "a", "c"], again=[0, 2, 1, 3], dated=False)
def test_calls_that_may_come_twice_change_nothing_whenever_they_come(
    ci: World, calls: list[str], again: list[int], dated: bool
) -> None:
    """A, B, A: a lost answer is no rollback. Each call that made a deploy comes again."""
    ci.deployment = make_deployment(ci.project, name=f"Service {next(names)}")

    def post(number: int) -> Any:
        date = {"date": minute(number)} if dated else {}
        return ci.register(sha=calls[number], ignore_if_duplicate=True, job=number, **date)

    firsts: dict[tuple[Any, ...], int] = {}
    for number in range(len(calls)):
        firsts.setdefault(as_answer(post(number)), number)
    before = (history(ci), Deploy.objects.count())
    answers = {number: answer for answer, number in firsts.items()}
    for number in again:
        if number in answers:
            assert as_answer(post(number)) == answers[number]
    assert (history(ci), Deploy.objects.count()) == before
