"""What ``POST /v1/deployments`` refuses, and how it names what is wrong."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from deployments.models import Deploy
from tests.calls import bearer, call, count_rows
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.registration.test_sweetr import PATH, REQUIRED, deployed, post, refused
from tokens.scopes import Scope
from tokens.services import limit_token


def test_every_invalid_field_is_named(ci: World) -> None:
    body = refused(
        ci,
        422,
        repositoryFullName=...,
        environment=" ",
        app=None,
        version=["v"],
        commitHash=7,
        # Details are left out.
        description=["d"],
        author=1,
        deployedAt="tomorrow",
        monorepoPath=["a"],
    )

    assert body["validationErrors"] == {
        "repositoryFullName": "repositoryFullName is required.",
        "environment": "environment is required.",
        "app": "app is required.",
        "version": "version must be text.",
        "commitHash": "commitHash must be text.",
        "deployedAt": "deployedAt must be a date in ISO 8601, such as 2024-05-01T12:35:00Z.",
    }
    assert body["error"] == " ".join(body["validationErrors"].values())


@pytest.mark.parametrize("body", ["", "{}"])
def test_an_empty_body_misses_all_that_is_required(ci: World, body: str) -> None:
    answer = call(PATH, body, headers=bearer(ci.secret))

    assert answer.status_code == 422
    assert set(answer.json()["validationErrors"]) == set(REQUIRED)


@pytest.mark.parametrize("date", ["9999-01-01", "0001-01-01", 17145678, "2024-13-01"])
def test_dates_that_are_none(ci: World, date: Any) -> None:
    assert list(refused(ci, 422, deployedAt=date)["validationErrors"]) == ["deployedAt"]


@pytest.mark.parametrize("name", sorted(REQUIRED.keys() - {"version"}))
def test_the_limits_are_those_that_are_documented(ci: World, name: str) -> None:
    most = 70 if name == "commitHash" else 255

    deployed(ci, **{name: "x" * most})
    assert list(refused(ci, 422, **{name: "x" * (most + 1)})["validationErrors"]) == [name]


@pytest.mark.parametrize("body", ["[", "[]", "null", '{"app": "\\u0000"}', '"\\ud800"', "x=1"])
def test_what_cannot_be_read(ci: World, body: str) -> None:
    before = count_rows()

    answer = call(PATH, body, headers=bearer(ci.secret))

    assert answer.status_code == 400
    assert answer.json()["validationErrors"] == {}
    assert count_rows() == before


@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer ", "apikey "])
def test_a_key_with_and_without_a_scheme(ci: World, scheme: str) -> None:
    headers = {"Authorization": f" {scheme}{ci.secret} "}

    assert call(PATH, json.dumps(REQUIRED), headers=headers).status_code == 202


def test_a_bare_key_works_on_this_route_only(ci: World) -> None:
    answer = call(ci.path, '{"sha": "a"}', headers={"Authorization": ci.secret})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "wrong"}, bearer("wrong")]
)
def test_no_valid_key(ci: World, headers: dict[str, str]) -> None:
    before = count_rows()

    answer = call(PATH, json.dumps(REQUIRED), headers=headers)

    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/json")
    assert set(answer.json()) == {"error", "statusCode", "validationErrors"}
    assert answer.headers["WWW-Authenticate"]
    assert count_rows() == before


def test_a_token_without_the_scope(ci: World) -> None:
    _, secret = make_token(ci.organization, Scope.READ)

    assert "REGISTER_DEPLOY" in refused(ci, 403, secret=secret)["error"]
    post(ci, secret=make_token(ci.organization, Scope.ALL)[1])
    assert Deploy.objects.count() == 1


def test_a_token_limited_to_deployments_creates_none(ci: World) -> None:
    token, secret = make_token(ci.organization)
    limit_token(token=token, deployments=[ci.deployment])
    make_deployment(ci.project, name="Api")

    sentences = {refused(ci, 403, secret=secret, app=app)["error"] for app in ("api", "nothing")}
    assert sentences == {"This access token is limited to storefront."}
    assert deployed(ci, secret=secret, environment="new").environment.slug == "new"


def test_a_token_limited_to_environments_creates_nothing(ci: World) -> None:
    staging = ci.project.environments.get(slug="staging")
    _, secret = make_token(ci.organization, environments=[staging])

    assert deployed(ci, secret=secret, environment="staging")
    assert refused(ci, 403, secret=secret)["error"] == "This access token is limited to the environments staging."
    assert "may not create the environment 'new'" in refused(ci, 403, secret=secret, environment="new")["error"]
    assert "may not create the deployment 'new'" in refused(ci, 403, secret=secret, app="new")["error"]


def test_more_calls_than_the_limit(ci: World, settings: Settings) -> None:
    assert settings.SWEETR_RATE_LIMIT == "100/m"
    settings.SWEETR_RATE_LIMIT = "2/d"
    _, another = make_token(ci.organization)

    answers = [post(ci) for _ in range(3)]
    assert [(answer.status_code, answer["X-RateLimit-Remaining"]) for answer in answers] == [
        (202, "1"),
        (202, "0"),
        (429, "0"),
    ]
    answer = post(ci)
    assert answer["X-RateLimit-Limit"] == "2"
    assert 1 <= int(answer["X-RateLimit-Reset"]) <= 86_400
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["statusCode"] == 429
    assert post(ci, secret=another).status_code == 202
    assert ci.register(sha="x").status_code == 200


def test_the_limit_can_be_switched_off(ci: World, settings: Settings) -> None:
    settings.SWEETR_RATE_LIMIT = None
    settings.API_RATE_LIMIT = "1/d"

    assert [post(ci).status_code for _ in range(3)] == [202] * 3


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_only_post(ci: World, method: str) -> None:
    answer = call(PATH, method=method, headers=bearer(ci.secret))

    assert (answer.status_code, answer.json()["statusCode"]) == (405, 405)
