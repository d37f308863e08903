"""What ``register_manual_deploy`` rejects, in which words and in which order."""

from typing import Any

import pytest

from deployments.api.fields import TAG_RULE
from deployments.models import ManualChange
from deployments.setup.deletion import delete_project
from orgs.models import Environment
from tests.calls import SHA, assert_sentence, basic, bearer, call, count_rows
from tests.compat.test_manual_deploy import ENCODINGS, NAME, PATH, post, recorded
from tests.conftest import World
from tests.factories import make_token
from tokens.scopes import Scope
from tokens.services import limit_token, revoke_token


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", [None, "", "   "])
def test_no_name(ci: World, name: str | None, encoding: str) -> None:
    fields = {"description": "no title", "date": "yesterday"} | ({} if name is None else {"name": name})

    response = post(ci, fields, encoding)

    assert (response.status_code, response.content) == (422, b"Name is required.")
    assert not ManualChange.objects.exists()


@pytest.mark.parametrize("date", ["yesterday", "2024-13-01", "17145669", 17145669, ["2024-05-01"]])
def test_a_malformed_date(ci: World, date: Any) -> None:
    response = post(ci, {"name": NAME, "date": date})

    assert response.status_code == 400
    assert response.content == b"Invalid date format.  Must be in ISO 8601 format"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"date": "0001-01-01"},
            "date is 0001-01-01, which is before 2000 and means no time: send when it happened, "
            "or leave it out for now.",
        ),
        ({"environment": "nowhere"}, "No environment 'nowhere' in project shop: it has staging, production."),
        ({"environment": ["staging"]}, "environment must be text."),
        ({"name": 7}, "name must be text."),
        ({"name": ["a", "b"]}, "name must be text."),
        ({"date": "2100-01-01"}, "date is in the future: send when it happened, or leave it out for now."),
    ],
)
def test_a_field_that_cannot_be(ci: World, fields: dict[str, Any], sentence: str) -> None:
    before = count_rows()

    response = post(ci, {"name": NAME, **fields})

    assert (response.status_code, assert_sentence(response)) == (400, sentence)
    assert count_rows() == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"author": "ann"}, "author left out: it must be an e-mail address"),
        ({"author": 7}, "author left out: it must be text"),
        ({"email": "ann@"}, "email left out: it must be an e-mail address"),
        ({"name": "a\nb"}, "name cleaned of control characters"),
        ({"name": "n" * 256}, "name cut at 255 characters"),
        ({"description": "d" * 10_001}, "description cut at 10,000 characters"),
        ({"links": "https://example.com"}, "links left out: write name=url, or an object of names and addresses"),
        ({"links": {"x": "javascript:alert(1)"}}, "links.x left out: it must be an http or https address"),
        ({"links": ["a=https://example.com"]}, "links left out: it must be an object or text"),
        ({"name": "a\0b"}, "name cleaned of what is no valid Unicode"),
        ({"name": "\ud800"}, "name cleaned of what is no valid Unicode"),
        ({"tags": [f"#{number}" for number in range(101)]}, "tags cut at 100 of 101 entries"),
        ({"tags": {"a": 1}}, "tags left out: it must be text or a list"),
        *(
            ({"tags": tag}, f"tag '{tag[:60]}' left out: {TAG_RULE}")
            for tag in ("infra", "#Infra", "#a b", f"#{'x' * 51}")
        ),
    ],
)
def test_no_change_is_lost_for_a_detail(ci: World, fields: dict[str, Any], said: str) -> None:
    response = post(ci, {"name": NAME, **fields})

    assert (response.status_code, response.headers["X-Dropped"]) == (200, said)


@pytest.mark.parametrize(
    "segment", ["no-such-project", "storefront", "-", "a%20b", "%F0%9F%92%A9", "a%00b", "x" * 300, "shop/shop"]
)
def test_no_such_project(ci: World, segment: str) -> None:
    response = post(ci, {}, path=PATH.replace("shop", segment))

    assert (response.status_code, response.content) == (404, b"Project not found")


def test_projects_of_others_and_deleted_ones_are_no_such(ci: World, other: World) -> None:
    delete_project(project=ci.project)

    assert post(ci, {"name": NAME}).content == b"Project not found"
    foreign = post(ci, {"name": NAME}, path=PATH.replace("acme", "globex"))
    assert (foreign.status_code, foreign.content) == (401, b"Unauthorized")
    assert not ManualChange.objects.exists()


@pytest.mark.parametrize(
    "headers", [{}, bearer("gum_wrong"), {"Authorization": "apikey"}, basic("x"), {"Authorization": "x"}]
)
def test_no_token_that_is_known(ci: World, headers: dict[str, str]) -> None:
    for path in (PATH, PATH.replace("shop", "no-such-project"), PATH.replace("acme", "nobody")):
        response = call(path, b"{}", headers=headers)

        assert (response.status_code, response.content) == (401, b"Unauthorized")
        assert response["WWW-Authenticate"] == 'Bearer realm="Gumshoe", Basic realm="Gumshoe"'


def test_a_revoked_token(ci: World) -> None:
    revoke_token(token=ci.token)

    assert post(ci, {"name": NAME}).content == b"Unauthorized"


def test_the_order_of_checks(ci: World, settings: Any) -> None:
    """Scope, rate limit, project, body, fields: each is reported before what follows it."""
    _, reader = make_token(ci.organization, Scope.READ)
    nowhere = PATH.replace("shop", "no-such-project")

    assert call(nowhere, b"{", headers=bearer(reader)).status_code == 403
    assert call(nowhere, b"{", headers=bearer(ci.secret)).content == b"Project not found"
    assert call(PATH, b"{", headers=bearer(ci.secret)).status_code == 400
    assert post(ci, {"date": "x"}).status_code == 422
    settings.API_RATE_LIMIT = "1/h"
    statuses = [call(nowhere, b"{", headers=bearer(ci.secret)).status_code for _ in range(3)]
    assert statuses[-1] == 429


@pytest.mark.parametrize(("scope", "status"), [(Scope.ALL, 200), (Scope.REGISTER_IMPACT, 403), (Scope.READ, 403)])
def test_scopes(ci: World, scope: Scope, status: int) -> None:
    _, secret = make_token(ci.organization, scope)

    assert call(PATH, b'{"name": "x"}', headers=bearer(secret)).status_code == status


def test_a_token_limited_to_environments(ci: World) -> None:
    limit_token(token=ci.token, environments=[Environment.objects.get(slug="staging", project=ci.project)])

    assert recorded(post(ci, {"name": NAME, "environment": "staging"}))
    rejected = post(ci, {"name": NAME})
    assert (rejected.status_code, assert_sentence(rejected)) == (
        403,
        "This access token is limited to the environments staging.",
    )


def test_a_token_limited_to_deployments_registers_none(ci: World) -> None:
    """Wherever it would be: nor does it learn which projects there are, nor read one."""
    limit_token(token=ci.token, deployments=[ci.deployment])

    for path in (PATH, PATH.replace("shop", "no-such-project")):
        rejected = post(ci, {"name": NAME}, path=path)
        assert rejected.status_code == 403
        assert "a manual change belongs to none" in assert_sentence(rejected)
    assert not ManualChange.objects.exists()


def test_limited_tokens_read_what_they_are_limited_to(ci: World) -> None:
    location = post(ci, {"name": NAME, "environment": "staging"})["Location"]
    staging, production = Environment.objects.filter(project=ci.project).order_by("position")
    for environments, deployments, status in (
        ([staging], None, 200),
        ([production], None, 404),
        (None, [ci.deployment], 404),
    ):
        token, secret = make_token(ci.organization, Scope.READ)
        limit_token(token=token, environments=environments)
        limit_token(token=token, deployments=deployments)
        assert call(location, method="GET", headers=bearer(secret)).status_code == status


def test_a_body_for_the_other_endpoint_is_told_so(ci: World) -> None:
    assert "register_manual_deploy" in assert_sentence(ci.register(name=NAME))
    assert post(ci, {"sha": SHA}).content == b"Name is required."
