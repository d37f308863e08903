"""Rows that say what was sent, filters, the body laid out, cures beside their causes, and edited replays."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments.models import Call, Deploy
from deployments.models.call import Outcome
from deployments.request_log.sent import in_short
from deployments.setup.services import map_branch
from orgs.models import User
from orgs.services import NewEnvironment, create_environment
from tests.calls import FORM, MULTIPART, bearer, call, multipart
from tests.conftest import World
from tests.factories import make_deployment, make_token, signed_in
from tests.registration.requests import log, url
from tokens.services import limit_token

SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"


@pytest.mark.parametrize(
    ("body", "path", "sent"),
    [
        (f'{{"sha": "{SHA}", "environment": "production"}}', "/x", "5f0c7a1 to production"),
        (f"sha={SHA}&environment=live%20eu", "/x", "5f0c7a1 to live eu"),
        ('{"commitHash": "v1.2.0", "app": "web"}', "/v1/deployments", "v1.2.0"),
        ("", "/x?sha=a1&environment=qa", "a1 to qa"),
        ('{"name": "Flag turned on"}', "/x", "Flag turned on"),
        ('{"type": "triggered", "id": "4711"}', "/x", "4711"),
        ('{"value": 7.5}', "/x", "7.5"),
        ('--b\nContent-Disposition: form-data; name="sha"\n\nabc\n--b--', "/x", "abc"),
        ('{"environment": "qa"}', "/x", "to qa"),
        ("not a body", "/x", ""),
        ('{"sha": "' + "x" * 1000, "/x", ""),
    ],
)
def test_in_short(body: str, path: str, sent: str) -> None:
    assert in_short(body, path) == sent


@pytest.fixture
def logged(ci: World) -> World:
    _, staging = make_token(ci.organization, name="Pipeline of staging")
    ci.register(sha=SHA, environment="production", headers={"X-Request-Id": "build-4711-abc"})
    ci.register(sha="b2", environment="staging", secret=staging)
    ci.register(sha="c3", environment="qa")
    call(ci.path, f"sha=d4&api_key={ci.secret}", content_type=FORM)
    ci.record(name="Flag turned on")
    log()
    Call.objects.filter(sent="b2 to staging").update(created_at=timezone.now() - timedelta(days=3))
    return ci


def test_rows_say_what_was_sent(logged: World, developer: User) -> None:
    page = signed_in(developer).get(url("requests")).content.decode()

    for sent in ("5f0c7a1 to production", "b2 to staging", "c3 to qa", "d4", "Flag turned on"):
        assert f">{sent}</span>" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("token=pipeline", ["b2 to staging"]),
        ("environment=staging", ["b2 to staging"]),
        ("environment=QA", ["c3 to qa"]),
        ("environment=q", []),
        ("environment=production", ["d4", "5f0c7a1 to production"]),
        ("text=flag", ["Flag turned on"]),
        (f"text={SHA[8:20]}", ["5f0c7a1 to production"]),
        ("text=no+environment", ["c3 to qa"]),
        ("request_id=4711", ["5f0c7a1 to production"]),
        ("text=nothing-of-the-kind", []),
        ("deployment=STOREFRONT&text=sha%3Dd4", ["d4"]),
        (f"until={timezone.now() - timedelta(days=2):%Y-%m-%d}", ["b2 to staging"]),
        (f"since={timezone.now() - timedelta(days=1):%Y-%m-%d}&outcome=rejected", ["c3 to qa"]),
        ("since=nonsense&text=%00&token=[(", []),
    ],
)
def test_filters(logged: World, developer: User, query: str, found: list[str]) -> None:
    # The default environment is known of a call that was accepted.
    Call.objects.filter(sent="Flag turned on").update(deploy=None)

    page = signed_in(developer).get(f"{url('requests')}?{query}")

    assert page.status_code == 200
    if "nonsense" not in query:
        assert [call.sent for call in page.context["page"].rows] == found


def body_on(page: str) -> str:
    return page.split('id="request-body"')[1].split(">", 1)[1].split("</pre>")[0].replace("&quot;", '"')


def test_the_body_has_a_line_for_each_value(ci: World, developer: User) -> None:
    ci.register(sha="a1", commits=[{"revision": "a1", "message": "Überweisung"}])
    call(ci.path, f"sha=b2&environment=live+eu&api_key={ci.secret}", content_type=FORM)
    call(ci.path, '{"sha": "c3', headers=bearer(ci.secret))
    client = signed_in(developer)

    of_json, of_form, broken = (body_on(client.get(url("request", call_id=one.pk)).content.decode()) for one in log())

    assert '\n  "sha": "a1",\n  "commits": [\n' in of_json
    assert "Überweisung" in of_json
    assert of_form.startswith("sha = b2\nenvironment = live eu\napi_key = ")
    assert broken == '{"sha": "c3'


def cures(user: User, call_id: int) -> dict[str, str]:
    page = signed_in(user).get(url("request", call_id=call_id))
    return {cure.words: cure.url for cure in page.context["cures"]}


def test_an_unknown_environment_is_created_from_there(ci: World, admin: User, developer: User) -> None:
    ci.register(sha="a1", environment="QA east")
    (rejected,) = log()

    found = cures(admin, rejected.pk)

    (address,) = found.values()
    assert list(found) == ["Create the environment QA east"]
    assert signed_in(admin).get(address).context["form"]["name"].value() == "QA east"
    assert cures(developer, rejected.pk) == {}, "developers create no environments"
    create_environment(project=ci.project, new=NewEnvironment(name="QA east"))
    assert cures(admin, rejected.pk) == {}


def test_other_cures(ci: World, admin: User) -> None:
    limited, secret = make_token(ci.organization, name="limited")
    limit_token(token=limited, deployments=[make_deployment(ci.project, name="Api")])
    map_branch(deployment=ci.deployment, environment=ci.project.environments.get(slug="production"), branch="release/*")
    ci.register(sha="a1", secret=secret)
    ci.register(sha="a1", path=ci.path.replace("storefront", "web"))
    ci.register(sha="a1", branch="feature/x")
    ci.register(sha="a1", secret="gum_nonsense")
    ci.register(environment="staging")
    ci.register(sha="a1", branch="release/2")

    found = [cures(admin, one.pk) for one in log()]

    assert found == [
        {"Change what the token limited may do": f"/acme/tokens/{limited.pk}#permissions"},
        {"Create the deployment web": "/acme/new-deployment?name=web"},
        {"Map the branch feature/x to production": "/acme/deployments/storefront/settings"},
        {"Create a token": "/acme/tokens/new?deployment=storefront"},
        {},
        {},
    ]


def replay(user: User, call_id: int, body: str) -> Any:
    return signed_in(user).post(
        url("replay-request", call_id=call_id), {"body": body.replace("\n", "\r\n")}, follow=True
    )


def test_an_edited_call_is_replayed(ci: World, developer: User, observer: User) -> None:
    ci.register(sha="a1", environment="prod", email="dev@example.com")
    (rejected,) = log()
    page = signed_in(developer).get(url("request", call_id=rejected.pk))
    body = json.dumps(json.loads(page.context["editable"]) | {"environment": "production"}, indent=2)
    assert replay(observer, rejected.pk, body).status_code == 403

    replay(developer, rejected.pk, body)

    deploy = Deploy.objects.get()
    assert (deploy.sha, deploy.environment.slug) == ("a1", "production")
    first, again = log()
    assert (first.body, first.outcome) == (rejected.body, Outcome.REJECTED), "the log keeps what came"
    assert (again.replay_of_id, again.sent, again.body) == (first.pk, "a1 to production", body)


@pytest.mark.parametrize(
    "body", ["", "{", '{"sha": "a1"', '{"sha": "\x00"}', '{"sha": "a1", "environment": "nowhere"}']
)
def test_an_edited_call_may_be_wrong(ci: World, developer: User, body: str) -> None:
    ci.register(sha="a1", environment="prod")
    (rejected,) = log()

    answer = replay(developer, rejected.pk, body)

    assert answer.status_code == 200
    assert "Replayed, and rejected again:" in answer.content.decode()
    assert not Deploy.objects.exists()


def test_an_edited_body_that_is_too_long(ci: World, developer: User) -> None:
    ci.register(sha="a1", environment="prod")
    (rejected,) = log()

    answer = replay(developer, rejected.pk, json.dumps({"sha": "a1", "x": "y" * 70_000}))

    assert "The body is too long to be replayed" in answer.content.decode()
    assert not Deploy.objects.exists()


def test_multipart_cannot_be_edited(ci: World, developer: User) -> None:
    call(
        ci.path,
        multipart(("sha", "abc"), ("environment", "nowhere")),
        content_type=MULTIPART,
        headers=bearer(ci.secret),
    )
    (rejected,) = log()

    assert rejected.sent == "abc to nowhere"
    assert "Edit and replay" not in signed_in(developer).get(url("request", call_id=rejected.pk)).content.decode()
