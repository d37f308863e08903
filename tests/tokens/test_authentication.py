"""Who may register what: each state of a token, scopes and limits, allowed and rejected side by side."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from deployments.models import Deploy, Deployment
from orgs.services import create_project
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.imports.histories import START
from tokens.authentication import UNAUTHORIZED
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import limit_token, revoke_token, update_token


def assert_rejected(response: Any) -> None:
    """The one answer to all whose token does not open what they ask for."""
    assert (response.status_code, response.content.decode()) == (401, UNAUTHORIZED)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="Gumshoe", Basic realm="Gumshoe"'
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert not Deploy.objects.exists()


# --- States -----------------------------------------------------------------------------------------


def test_an_active_token_is_accepted(ci: World) -> None:
    assert ci.register(sha="a").status_code == 200
    assert Deploy.objects.get().token == ci.token


@pytest.mark.parametrize("secret", ["gum_wrong", "x", "gum_" + "0" * 38, "ä" * 300, "'--"], ids=ascii)
def test_an_unknown_token_is_rejected(ci: World, secret: str) -> None:
    assert_rejected(ci.register(sha="a", path=f"{ci.path}?api_key={secret}", headers={"Authorization": ""}))


def test_what_is_stored_of_a_token_does_not_open_anything(ci: World) -> None:
    for stored in (ci.token.digest, ci.token.hint, ci.token.name, str(ci.token.id), ci.secret.upper(), ci.secret[:-1]):
        assert_rejected(ci.register(sha="a", path=f"{ci.path}?api_key={stored}", headers={"Authorization": ""}))


def test_a_revoked_token_is_rejected_at_once(ci: World) -> None:
    revoke_token(token=ci.token)

    assert_rejected(ci.register(sha="a"))


def test_revoking_twice_keeps_the_first_time(ci: World) -> None:
    with travel(START, tick=False):
        revoke_token(token=ci.token)
    revoke_token(token=ci.token)

    ci.token.refresh_from_db()
    assert (ci.token.revoked_at, ci.token.state()) == (START, "revoked")


@pytest.mark.parametrize(
    ("seconds", "state"), [(-1, "active"), (0, "expired"), (1, "expired")], ids=["before", "at", "after"]
)
def test_a_token_is_good_until_it_expires(ci: World, seconds: int, state: str) -> None:
    update_token(token=ci.token, expires_at=START)

    with travel(START + timedelta(seconds=seconds), tick=False):
        assert ci.token.state() == state
        response = ci.register(sha="a")

    if state == "active":
        assert response.status_code == 200
    else:
        assert_rejected(response)


def test_a_revoked_and_expired_token_is_rejected(ci: World) -> None:
    update_token(token=ci.token, expires_at=START)
    revoke_token(token=ci.token)

    assert_rejected(ci.register(sha="a"))


@pytest.mark.parametrize(
    "path",
    [
        "/api/1/deployments/globex/storefront/register_deploy",
        "/api/1/deployments/nowhere/storefront/register_deploy",
        "/api/1/deployments/acme/nothing/register_deploy",
        "/api/1/deployments/acme/shop/register_deploy",
        "/api/1/deployments/acme/warehouse/register_deploy",
        "/api/1/globex/storefront/register_deploy",
        "/api/1/acme/nothing/register_deploy",
        "/api/1/deployments/globex/-/register_deploy",
    ],
)
def test_nobody_finds_out_which_organizations_and_deployments_exist(ci: World, other: World, path: str) -> None:
    make_deployment(other.project, name="Warehouse")

    assert_rejected(ci.register(sha="a", path=path))
    assert_rejected(ci.register(sha="", path=path))


def test_another_organizations_token_is_rejected(ci: World, other: World) -> None:
    assert_rejected(ci.register(sha="a", secret=other.secret))
    assert other.register(sha="a").status_code == 200


def test_the_organizations_of_a_path_may_come_in_any_case(ci: World) -> None:
    assert ci.register(sha="a", path="/api/1/deployments/ACME/Storefront/register_deploy").status_code == 200


def test_a_token_goes_with_its_organization(ci: World) -> None:
    ci.organization.delete()

    assert_rejected(ci.register(sha="a"))


def test_a_token_that_is_deleted_leaves_its_deploys(ci: World) -> None:
    ci.register(sha="a")
    ci.token.delete()

    assert Deploy.objects.get().token is None
    assert ci.register(sha="b").status_code == 401


# --- Scopes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([Scope.REGISTER_DEPLOY], True),
        ([Scope.ALL], True),
        ([Scope.READ, Scope.REGISTER_DEPLOY], True),
        ([Scope.READ], False),
        ([Scope.REGISTER_IMPACT], False),
        ([Scope.REGISTER_IMPACT, Scope.READ], False),
    ],
    ids=str,
)
def test_scopes(ci: World, scopes: list[Scope], allowed: bool) -> None:
    _, secret = make_token(ci.organization, *scopes)

    response = ci.register(sha="a", secret=secret)

    if allowed:
        assert response.status_code == 200
    else:
        assert (response.status_code, response.content) == (
            403,
            b"The access token lacks the scope REGISTER_DEPLOY: use a token that has it, or ALL.",
        )
        assert not Deploy.objects.exists()


def test_a_scope_that_is_taken_away_counts_at_once(ci: World) -> None:
    update_token(token=ci.token, scopes=[Scope.READ])

    assert ci.register(sha="a").status_code == 403


# --- Limits -----------------------------------------------------------------------------------------


@pytest.fixture
def api(ci: World) -> Deployment:
    return make_deployment(ci.project, name="Api")


def test_a_token_limited_to_a_deployment(ci: World, api: Deployment) -> None:
    limit_token(token=ci.token, deployments=[api])

    inside = ci.register(sha="a", path=ci.path.replace("storefront", "api"))
    outside = ci.register(sha="a")

    assert (inside.status_code, outside.status_code) == (200, 403)
    assert outside.content == b"This access token is limited to api."
    assert Deploy.objects.get().target.deployment == api


def test_a_limited_token_does_not_find_out_what_else_exists(ci: World, api: Deployment) -> None:
    limit_token(token=ci.token, deployments=[api])

    answers = {
        (response.status_code, response.content)
        for name in ("storefront", "nothing")
        for response in [ci.register(sha="a", path=ci.path.replace("storefront", name))]
    }

    assert answers == {(403, b"This access token is limited to api.")}


def test_a_token_limited_to_several_deployments_names_them(ci: World, api: Deployment) -> None:
    limit_token(token=ci.token, deployments=[make_deployment(ci.project, name="Zoo"), api])

    assert ci.register(sha="a").content == b"This access token is limited to api, zoo."


def test_a_limited_token_whose_last_deployment_is_gone_is_allowed_nothing(ci: World, api: Deployment) -> None:
    limit_token(token=ci.token, deployments=[api])
    api.delete()

    for path in (ci.path, ci.path.replace("storefront", "api")):
        response = ci.register(sha="a", path=path)
        assert (response.status_code, response.content) == (403, b"This access token is limited to no deployment.")
    assert not Deploy.objects.exists()


def test_a_limited_token_whose_last_environment_is_gone_is_allowed_nothing(ci: World) -> None:
    limit_token(token=ci.token, environments=[ci.project.environments.get(slug="staging")])
    ci.project.environments.get(slug="staging").delete()

    response = ci.register(sha="a")

    assert (response.status_code, response.content) == (403, b"This access token is limited to no environment.")


def test_both_limits_count(ci: World, api: Deployment) -> None:
    limit_token(token=ci.token, deployments=[api])
    limit_token(token=ci.token, environments=[ci.project.environments.get(slug="staging")])
    path = ci.path.replace("storefront", "api")

    assert ci.register(sha="a", environment="staging", path=path).status_code == 200
    assert ci.register(sha="a", environment="production", path=path).status_code == 403
    assert ci.register(sha="a", environment="staging").status_code == 403


def test_an_environment_of_the_same_name_in_another_project_is_another(ci: World) -> None:
    """A limit names environments and not their slugs."""
    billing = create_project(organization=ci.organization, name="Billing")
    limit_token(token=ci.token, environments=list(billing.environments.all()))

    assert ci.register(sha="a", environment="production").status_code == 403


def test_a_limit_that_is_lifted(ci: World, api: Deployment) -> None:
    limit_token(token=ci.token, deployments=[api])
    limit_token(token=ci.token, environments=[ci.project.environments.get(slug="staging")])

    limit_token(token=ci.token, deployments=None)
    limit_token(token=ci.token, environments=None)

    assert ci.register(sha="a").status_code == 200


def test_a_token_is_named_once_until_it_is_revoked(ci: World) -> None:
    revoke_token(token=ci.token)
    make_token(ci.organization, name="ci", expires_at=timezone.now())

    assert AccessToken.objects.filter(organization=ci.organization, name="ci").count() == 2
