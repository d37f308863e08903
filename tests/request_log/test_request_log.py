"""What the request log keeps of a call, and what its pages show and do with it."""

from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from deployments.deploys.services import delete_deploy
from deployments.models import Call, Deploy
from deployments.models.call import Outcome
from deployments.request_log import writer
from deployments.request_log.writer import RequestLog, request_log
from deployments.tasks import delete_old_calls
from orgs.models import User
from tests.conftest import World
from tests.factories import signed_in
from tests.registration.requests import log, url
from tokens.secrets import redact
from tokens.services import revoke_token


def test_an_accepted_call_is_kept_with_its_deploy(ci: World) -> None:
    answer = ci.register(sha="abc", headers={"User-Agent": "ci/1"})

    (call,) = log()

    assert (call.status, call.outcome, call.answer) == (200, Outcome.ACCEPTED, "Success")
    assert (call.deployment, call.token, call.token_name) == (ci.deployment, ci.token, "ci")
    assert (call.address, call.agent, call.method, call.path) == ("127.0.0.1", "ci/1", "POST", ci.path)
    assert call.deploy == Deploy.objects.get()
    assert call.body == '{"sha": "abc"}'
    assert call.request_id == answer.headers["X-Request-Id"]


def test_each_outcome_has_its_name(ci: World, settings: Settings) -> None:
    ci.register(sha="abc")
    ci.register(sha="abc")
    ci.register(sha="abc", environment="production")
    ci.register(sha="abc", ignore_if_duplicate=True)
    ci.register()
    ci.register(sha="abc", secret="gum_wrong")
    settings.API_RATE_LIMIT = "1/d"
    ci.register(sha="def")
    ci.register(sha="ghi")

    assert [(call.status, call.outcome) for call in log()] == [
        (200, Outcome.ACCEPTED),
        (200, Outcome.DUPLICATE),
        (400, Outcome.DUPLICATE),
        (200, Outcome.DUPLICATE),
        (400, Outcome.REJECTED),
        (401, Outcome.UNAUTHORIZED),
        (200, Outcome.ACCEPTED),
        (429, Outcome.RATE_LIMITED),
    ]


@pytest.mark.parametrize(
    ("change", "explanation"),
    [
        ({"revoked_at": timezone.now()}, "The access token was revoked on"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "The access token expired on"),
    ],
)
def test_the_log_says_what_the_caller_is_not_told(ci: World, change: dict[str, Any], explanation: str) -> None:
    type(ci.token).objects.update(**change)
    answer = ci.register(sha="abc")

    (call,) = log()

    assert answer.status_code == 401
    assert explanation not in answer.content.decode()
    assert call.explanation.startswith(explanation)
    assert call.token_name == "ci"


def test_a_strange_token_is_not_named(ci: World, other: World) -> None:
    ci.register(sha="abc", secret=other.secret)
    ci.register(sha="abc", path="/api/1/deployments/acme/no-such/register_deploy")

    strange, unknown = log()

    assert (strange.token, strange.token_name) == (None, "")
    assert strange.explanation == "The access token belongs to another organization."
    assert unknown.explanation == "There is no deployment 'no-such' in this organization."


def test_calls_of_no_organization_are_not_kept(ci: World) -> None:
    ci.register(sha="abc", path="/api/1/deployments/nobody/storefront/register_deploy")

    assert log() == []


# What a path names that can be no slug, percent-encoded: PostgreSQL takes no NUL, not even in a look-up.
NO_SLUGS = ["%00", "a%00b", "%ed%a0%80", "x" * 5000, "%ff", "Ω", "a%0Ab"]


@pytest.mark.parametrize("segment", NO_SLUGS, ids=lambda segment: segment[:10])
def test_what_can_be_no_slug_loses_no_line(ci: World, other: World, segment: str) -> None:
    for path in (
        f"/api/1/deployments/{segment}/app/register_deploy",
        f"/api/1/deployments/acme/{segment}/register_deploy",
    ):
        ci.client.post(path)
    ci.client.generic("A" * 5000, ci.path, headers={"Authorization": f"Bearer {ci.secret}"})
    ci.register(sha="abc")
    other.register(sha="abc")

    kept = [(call.organization, call.status, call.deployment) for call in log()]

    assert kept == [
        (ci.organization, 401, None),
        (ci.organization, 405, ci.deployment),
        (ci.organization, 200, ci.deployment),
        (other.organization, 200, other.deployment),
    ]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", '{"api_key": "%s", "sha": "abc"}'),
        ("application/json", '{"api_key":%s,"sha":"abc"}'),
        ("application/json", '{"sha": "%s"}'),
        ("application/x-www-form-urlencoded", "sha=abc&api_key=%s&environment="),
        (
            "multipart/form-data; boundary=b",
            '--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n%s\r\n--b--\r\n',
        ),
    ],
)
@pytest.mark.parametrize("secret", ["theirs", "unknown-token"])
def test_no_credential_is_kept(ci: World, content_type: str, body: str, secret: str) -> None:
    sent = ci.secret if secret == "theirs" else "gum_0123456789abcdef"
    ci.client.generic("POST", f"{ci.path}?api_key={sent}", body % sent, content_type=content_type)
    ci.client.generic(
        "POST", ci.path, body % sent, content_type=content_type, headers={"Authorization": f"Basic {sent}"}
    )

    calls = log()

    assert len(calls) == 2
    for call in calls:
        kept = " ".join(str(value) for value in vars(call).values())
        assert sent not in kept
        assert "[redacted]" in call.path + call.body


def test_a_cut_credential_is_blotted_out() -> None:
    assert redact('{"sha": "abc", "api_key": "some-sec') == '{"sha": "abc", "api_key": "[redacted]"'


def test_a_long_body_is_cut(ci: World) -> None:
    ci.register(sha="abc", commits=[{"revision": "abc", "message": "m" * 70_000}])

    (call,) = log()

    assert len(call.body) == 64 * 1024
    assert call.body_bytes > 70_000
    assert call.body_was_cut


def test_a_day_keeps_only_so_many(ci: World, settings: Settings) -> None:
    settings.REQUEST_LOG_PER_DAY = 20
    for number in range(30):
        ci.register(sha=f"sha-{number}")
        ci.register(sha="abc", secret="gum_wrong")

    outcomes = [call.outcome for call in log()]

    assert outcomes.count(Outcome.ACCEPTED) == 20
    assert outcomes.count(Outcome.UNAUTHORIZED) == 2


def test_strangers_do_not_hide_the_calls_of_a_token_that_ended(ci: World, settings: Settings) -> None:
    settings.REQUEST_LOG_PER_DAY = 20
    for _ in range(30):
        ci.register(sha="abc", secret="gum_wrong")
    revoke_token(token=ci.token)
    ci.register(sha="abc")

    assert [call.token for call in log()] == [None, None, ci.token]


def test_old_calls_are_deleted(ci: World, settings: Settings) -> None:
    ci.register(sha="old")
    ci.register(sha="new")
    old, new = log()
    Call.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))

    assert delete_old_calls() == 1
    assert log() == [new]


def test_a_registration_does_not_wait_for_its_log(ci: World) -> None:
    with CaptureQueriesContext(connection) as captured:
        ci.register(sha="abc")

    assert not [query for query in captured.captured_queries if "deployments_call" in query["sql"]]


def test_a_log_that_falls_behind_leaves_long_bodies_out(
    ci: World, developer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING_WITH_LONG_BODIES", 1)
    long = [{"revision": "abc", "message": "m" * 2000}]
    ci.register(sha="abc", commits=long)
    ci.register(path=f"{ci.path}?sha=def", commits=long)
    ci.register(sha="ghi")

    whole, left_out, short = log()

    assert [bool(call.body) for call in (whole, left_out, short)] == [True, False, True]
    assert [call.body_was_cut for call in (whole, left_out, short)] == [False, True, False]
    assert left_out.body_bytes > 2000
    client = signed_in(developer)
    page = client.get(url("request", call_id=left_out.pk)).content.decode()
    assert "The log does not have them, because too many calls were waiting to be logged." in page
    assert ">Replay</button>" not in page
    assert 'id="repeat"' not in page


def test_a_mistake_of_ours_does_not_end_the_log(settings: Settings) -> None:
    settings.REQUEST_LOG_THREAD = True
    log = RequestLog()
    no_facts: Any = None

    for _ in range(2):
        log.add(no_facts)
        deadline = monotonic() + 10
        while log.waiting and monotonic() < deadline:
            sleep(0.05)
        assert not log.waiting


# --- Pages ------------------------------------------------------------------------------------------


def test_developers_see_the_log_and_observers_do_not(
    ci: World, developer: User, observer: User, stranger: User
) -> None:
    ci.register()
    (call,) = log()

    for path in (url("requests"), url("request", call_id=call.pk)):
        assert signed_in(developer).get(path).status_code == 200
        assert signed_in(observer).get(path).status_code == 403
        assert signed_in(stranger).get(path).status_code == 404
        assert Client().get(path).status_code == 302


def test_the_log_is_found_by_outcome_deployment_and_request_id(ci: World, developer: User) -> None:
    answer = ci.register()
    ci.register(sha="abc")
    request_log.flush()
    client = signed_in(developer)

    def rows(**query: str) -> list[int]:
        return [call.status for call in client.get(url("requests"), query).context["page"].rows]

    assert rows() == [200, 400]
    assert rows(outcome="all-rejected") == [400]
    assert rows(outcome="accepted") == [200]
    assert rows(deployment="storefront") == [200, 400]
    assert rows(deployment="other") == []
    assert rows(request_id=answer.headers["X-Request-Id"]) == [400]
    unusable = client.get(url("requests"), {"deployment": "\0", "request_id": "\0"})
    assert "Null characters are not allowed." in unusable.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_log_takes_a_fixed_number_of_queries(
    ci: World, developer: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        ci.register(sha=f"sha-{number}")
    request_log.flush()
    client = signed_in(developer)
    client.get(url("requests"))

    with django_assert_num_queries(6):
        client.get(url("requests"))


def test_a_deploy_that_is_gone_leaves_its_call(ci: World, developer: User) -> None:
    ci.register(sha="abc")
    (call,) = log()
    delete_deploy(deploy=Deploy.objects.get())

    assert signed_in(developer).get(url("request", call_id=call.pk)).status_code == 200
