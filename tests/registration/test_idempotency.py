"""``Idempotency-Key``: the same call again gets the answer it got before."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from config.celery import app
from deployments.models import Call, Deploy, IdempotencyKey, ManualChange
from deployments.models.call import Outcome
from deployments.request_log.writer import request_log
from deployments.setup.services import map_branch
from deployments.tasks import delete_expired_idempotency_keys
from orgs.deletion import delete_environment
from tests.calls import FORM, JSON, MULTIPART, bearer, call, multipart
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.imports.histories import START, history, in_short
from tokens.services import rotate_token

KEY = {"Idempotency-Key": "build-1"}
COMPARED = ("X-Deploy-Id", "Location", "Content-Type", "Preference-Applied")


def as_answer(response: Any) -> tuple[Any, ...]:
    return (response.status_code, response.content, *(response.headers.get(name) for name in COMPARED))


@pytest.mark.parametrize("prefer", ["", "return=representation"])
def test_the_same_call_again_is_answered_as_before(ci: World, prefer: str) -> None:
    headers = {**KEY, "Prefer": prefer}
    first = ci.register(sha="a", headers=headers)
    # What happened since changes nothing about the answer, where without a key this would be a rollback.
    ci.register(sha="b")

    again = ci.register(sha="a", headers=headers)

    assert first.status_code == 200
    assert as_answer(again) == as_answer(first)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert in_short(history(ci)) == "a b[live]"


def test_another_body_is_refused(ci: World) -> None:
    ci.register(sha="a", headers=KEY)

    response = ci.register(sha="b", headers=KEY)

    assert response.status_code == 422
    assert response.content.decode() == (
        "This Idempotency-Key came before with another body: use a new key for a new call."
    )
    assert Deploy.objects.count() == 1


def test_a_script_that_runs_again_with_another_date_is_the_same_call(ci: World) -> None:
    first = ci.register(sha="a", date="2026-11-01T10:00:00Z", headers=KEY)
    ci.register(sha="b", date="2026-11-01T11:00:00Z")

    again = ci.register(sha="a", date="2026-11-01T12:00:00Z", headers=KEY)

    assert as_answer(again) == as_answer(first)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert in_short(history(ci)) == "a b[live]"


def test_fields_of_the_query_string_are_part_of_the_body(ci: World) -> None:
    first = ci.register(sha="a", headers=KEY, environment="staging")

    assert ci.register(sha="a", headers=KEY).status_code == 422
    assert ci.register(sha="a", headers=KEY, path=f"{ci.path}?environment=production").status_code == 422
    assert as_answer(ci.register(sha="a", headers=KEY, path=f"{ci.path}?environment=staging")) == as_answer(first)
    assert Deploy.objects.count() == 1


def test_the_same_call_spelt_otherwise_is_the_same_call(ci: World) -> None:
    first = ci.register(sha="a", headers=KEY)
    paths = [
        "/api/1/deployments/acme/storefront/register-deploy",
        "/api/1/deployments/ACME/Storefront/register_deploy",
        "/api/1/acme/storefront/register_deploy",
        f"{ci.path}?api_key={ci.secret}",
    ]
    for path in paths:
        again = ci.register(sha="a", headers=KEY, path=path)
        assert (as_answer(again), again.headers.get("Idempotency-Replayed")) == (as_answer(first), "true"), path
    for body, content_type in (
        (f'{{ "api_key": "{ci.secret}", "sha": "a" }}', JSON),
        (f"sha=a&api_key={ci.secret}", FORM),
        (multipart(("sha", "a"), ("api_key", ci.secret)), MULTIPART),
    ):
        assert as_answer(call(ci.path, body, content_type=content_type, headers=KEY)) == as_answer(first)
    assert Deploy.objects.count() == 1


def test_another_deployment_or_endpoint_is_another_call(ci: World) -> None:
    make_deployment(ci.project, name="Api")
    body: dict[str, Any] = {"sha": "a", "name": "a", "headers": KEY}

    answers = [ci.register(**body), ci.register(**body, path=ci.path.replace("storefront", "api")), ci.record(**body)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any("Idempotency-Replayed" in answer.headers for answer in answers)
    assert (Deploy.objects.count(), ManualChange.objects.count()) == (2, 1)


def test_another_key_is_another_call(ci: World) -> None:
    ci.register(sha="a", headers=KEY)

    assert ci.register(sha="a", headers={"Idempotency-Key": "build-2"}).status_code == 400
    assert ci.register(sha="b", headers={"Idempotency-Key": "BUILD-1"}).status_code == 200


def test_keys_belong_to_a_token(ci: World, other: World) -> None:
    """Two pipelines may well count their builds alike. A token that gets a new secret is the same token."""
    _, second = make_token(ci.organization)
    first = ci.register(sha="a", headers=KEY)

    assert other.register(sha="b", headers=KEY).headers.get("Idempotency-Replayed") is None
    assert ci.register(sha="b", headers=KEY, secret=second).status_code == 200
    new_secret = rotate_token(token=ci.token, grace=timedelta())
    assert as_answer(ci.register(sha="a", headers=KEY, secret=new_secret)) == as_answer(first)
    assert in_short(history(ci)) == "a b[live]"


def test_a_replay_needs_a_good_token(ci: World) -> None:
    ci.register(sha="a", headers=KEY)

    assert ci.register(sha="a", headers=KEY, secret="gum_wrong").status_code == 401


def test_a_refusal_that_the_caller_can_mend_is_not_remembered(ci: World) -> None:
    """It stored nothing, so it may be corrected and sent with the same key."""
    map_branch(deployment=ci.deployment, environment=ci.project.environments.get(slug="production"), branch="main")
    assert call(ci.path, "{", headers=bearer(ci.secret) | KEY).status_code == 400
    assert ci.register(sha=1, headers=KEY).status_code == 400
    assert ci.register(sha="a", branch="other", headers=KEY).status_code == 400
    assert ci.register(sha="a", environment="nowhere", headers=KEY).status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert ci.register(sha="a", environment="staging", headers=KEY).status_code == 200
    assert ci.register(sha="a", environment="staging").status_code == 400


def test_what_was_set_up_since_changes_no_answer(ci: World) -> None:
    production = ci.project.environments.get(slug="production")
    first = ci.register(sha="a", branch="dev", headers=KEY)
    manual = ci.record(name="Resize", environment="staging", headers=KEY)
    map_branch(deployment=ci.deployment, environment=production, branch="main")
    delete_environment(environment=ci.project.environments.get(slug="staging"))

    assert ci.register(sha="b", branch="dev").status_code == 400
    assert as_answer(ci.register(sha="a", branch="dev", headers=KEY)) == as_answer(first)
    assert ci.record(name="Patch", environment="staging").status_code == 400
    assert ci.record(name="Resize", environment="staging", headers=KEY).headers["Idempotency-Replayed"] == "true"
    assert manual.status_code == 200


@pytest.mark.parametrize("body", [{"sha": 1}, {"sha": "a", "environment": "nowhere"}, {}], ids=str)
def test_another_body_is_refused_even_where_it_is_wrong(ci: World, body: dict[str, Any]) -> None:
    ci.register(sha="a", headers=KEY)

    assert ci.register(headers=KEY, **body).status_code == 422


def test_an_access_token_is_no_key(ci: World) -> None:
    response = ci.register(sha="a", headers={"Idempotency-Key": ci.secret})

    assert (response.status_code, ci.secret in response.content.decode()) == (400, False)
    assert not IdempotencyKey.objects.exists()


def test_a_duplicate_is_remembered(ci: World) -> None:
    """Sent again when another sha is live it would be a rollback."""
    ci.register(sha="a")
    first = ci.register(sha="a", headers=KEY)
    ci.register(sha="b")

    again = ci.register(sha="a", headers=KEY)

    assert first.status_code == 400
    assert as_answer(again) == as_answer(first)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert in_short(history(ci)) == "a b[live]"
    request_log.flush()
    assert [line.outcome for line in Call.objects.order_by("id")][1::2] == [Outcome.DUPLICATE, Outcome.DUPLICATE]


def test_an_ignored_duplicate_is_remembered(ci: World) -> None:
    first = ci.register(sha="a")
    body: dict[str, Any] = {"sha": "a", "ignore_if_duplicate": True, "headers": KEY}
    ignored = ci.register(**body)
    ci.register(sha="b")

    assert as_answer(ci.register(**body)) == as_answer(ignored)
    assert ignored.headers["X-Deploy-Id"] == first.headers["X-Deploy-Id"]
    assert in_short(history(ci)) == "a b[live]"


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("a", 200),
        ("x" * 255, 200),
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', 200),
        ("with spaces", 200),
        ("", 400),
        ("x" * 256, 400),
        ("tab\there", 400),
        ("ä", 400),
        ("\x7f", 400),
    ],
)
def test_which_keys_are_accepted(ci: World, key: str, status: int) -> None:
    response = ci.register(sha="a", headers={"Idempotency-Key": key})

    assert response.status_code == status
    assert Deploy.objects.count() == (status == 200)
    if status == 400:
        assert response.content == b"Idempotency-Key must be 1 to 255 printable ASCII characters."


@pytest.mark.parametrize(
    ("hours", "replayed"), [(0, True), (23.9, True), (24.1, False)], ids=["at once", "in time", "too late"]
)
def test_a_key_counts_for_a_day(ci: World, hours: float, replayed: bool) -> None:
    with travel(START, tick=False):
        first = ci.register(sha="a", headers=KEY)
        ci.register(sha="b")
    with travel(START + timedelta(hours=hours), tick=False):
        again = ci.register(sha="a", headers=KEY)

    assert again.status_code == 200
    assert (again.headers["X-Deploy-Id"] == first.headers["X-Deploy-Id"]) is replayed
    assert in_short(history(ci)) == ("a b[live]" if replayed else "a b[rolled back] a[rollback, live]")
    assert IdempotencyKey.objects.count() == 1


def test_an_expired_key_may_come_with_another_body(ci: World) -> None:
    with travel(START, tick=False):
        ci.register(sha="a", headers=KEY)
    with travel(START + timedelta(hours=25), tick=False):
        assert ci.register(sha="b", headers=KEY).status_code == 200


def test_the_clean_up_deletes_what_expired_and_nothing_else(ci: World) -> None:
    now = timezone.now()
    for hours in (0, 23.9, 24.1, 1000):
        IdempotencyKey.objects.create(
            token=ci.token, key=f"{hours}", fingerprint="", created_at=now - timedelta(hours=hours)
        )

    assert delete_expired_idempotency_keys() == 2
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"0", "23.9"}
    assert delete_expired_idempotency_keys() == 0


def test_the_schedule_names_tasks_that_there_are() -> None:
    app.loader.import_default_modules()

    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert delete_expired_idempotency_keys.name in scheduled
    assert scheduled <= set(app.tasks)


def test_what_an_older_version_remembered_is_answered_as_before(ci: World) -> None:
    said = {"deploy": {"sha": "a", "environment": "production"}, "change": {"name": "a", "date": "2024-05-05"}}
    ci.register(path=ci.path, headers=KEY, **said["deploy"])
    ci.register(path=ci.manual_path, headers=KEY, **said["change"])
    called = [f"register_deploy {ci.deployment.pk}", f"register_manual_deploy {ci.project.pk}"]
    for row, name in zip(IdempotencyKey.objects.order_by("id"), called, strict=True):
        assert row.called == name
        IdempotencyKey.objects.filter(pk=row.pk).update(answer={"headers": {"X-Old": "1"}, "body": "Success"})

    for path, fields in ((ci.path, said["deploy"]), (ci.manual_path, said["change"])):
        again = ci.register(path=path, headers=KEY, **fields)
        assert (again.status_code, again.content, again.headers["X-Old"]) == (200, b"Success", "1")
