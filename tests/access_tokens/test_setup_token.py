"""The set-up page leads to a new token where none may register the deployment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from orgs.models import User
from tests.conftest import World
from tests.factories import make_deployment, make_project, make_token, signed_in
from tokens.scopes import Scope
from tokens.services import limit_token, revoke_token

SETUP = "/acme/deployments/storefront/setup"
NEW_TOKEN = "/acme/tokens/new?deployment=storefront&environment=production&ci=curl"
MISSING = "No access token may register deploys of Storefront yet."


def setup_page(user: User) -> str:
    return signed_in(user).get(SETUP).content.decode()


def expire(ci: World) -> None:
    ci.token.expires_at = timezone.now() - timedelta(seconds=1)
    ci.token.save()


def limit_to_another_deployment(ci: World) -> None:
    limit_token(token=ci.token, deployments=[make_deployment(ci.project, name="Api")])


def limit_to_another_project(ci: World) -> None:
    ci.token.limited_to_environments = True
    ci.token.save()
    ci.token.environments.set(make_project(ci.organization, "Data").environments.all())


def let_only_read(ci: World) -> None:
    ci.token.scopes = Scope.READ
    ci.token.save()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda ci: revoke_token(token=ci.token),
        expire,
        limit_to_another_deployment,
        limit_to_another_project,
        let_only_read,
    ],
)
def test_without_a_token_it_leads_to_a_new_one_for_the_deployment(
    ci: World, admin: User, developer: User, spoil: Callable[[World], Any]
) -> None:
    spoil(ci)

    page = setup_page(admin)

    assert MISSING in page
    assert f'href="{NEW_TOKEN}"' in page.replace("&amp;", "&")
    form = signed_in(admin).get(NEW_TOKEN).context["form"]
    assert form["limit_deployments"].value() == "some"
    assert form["deployments"].value() == [str(ci.deployment.pk)]
    assert form["scopes"].value() == [Scope.REGISTER_DEPLOY]
    assert form["name"].value() == "CI of Storefront"
    assert MISSING not in setup_page(developer), "developers cannot create one"
    assert "An admin of the organization creates tokens." in setup_page(developer)


@pytest.mark.parametrize("scope", [Scope.REGISTER_DEPLOY, Scope.ALL])
def test_with_a_token_it_names_it(ci: World, other: World, admin: User, scope: Scope) -> None:
    revoke_token(token=ci.token)
    token, _ = make_token(ci.organization, scope, name="pipeline")
    limit_token(token=token, deployments=[ci.deployment])
    token.environments.set(ci.project.environments.all())
    token.limited_to_environments = True
    token.save()

    page = setup_page(admin)

    assert MISSING not in page
    assert "These tokens may register it: pipeline." in page


@pytest.mark.parametrize("count", [1, 3])
def test_a_fixed_number_of_queries(
    ci: World, admin: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, count):
        make_token(ci.organization, name=f"ci {number}")
    client = signed_in(admin)
    client.get(SETUP)

    with django_assert_num_queries(11):
        client.get(SETUP)
