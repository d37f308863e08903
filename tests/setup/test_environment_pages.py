"""Environments, run from pages: created, ordered, changed, deleted."""

from typing import Any

import pytest
from django.test import Client

from orgs.models import AuditEvent
from orgs.services import NewEnvironment, create_environment, set_default_environment
from tests.conftest import World


def order(world: World) -> list[str]:
    return list(world.project.environments.order_by("position", "id").values_list("slug", flat=True))


@pytest.fixture
def four(ci: World) -> World:
    for name in ("Canary", "Demo"):
        create_environment(project=ci.project, new=NewEnvironment(name=name))
    assert order(ci) == ["staging", "production", "canary", "demo"]
    return ci


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"up": "production"}, ["production", "staging", "canary", "demo"]),
        ({"down": "production"}, ["staging", "canary", "production", "demo"]),
        ({"up": "staging"}, ["staging", "production", "canary", "demo"]),
        ({"down": "demo"}, ["staging", "production", "canary", "demo"]),
        ({"environment": ["demo", "canary", "production", "staging"]}, ["demo", "canary", "production", "staging"]),
        ({"environment": ["demo", "demo", "nope", "\0"]}, ["staging", "production", "canary", "demo"]),
        ({"environment": ["demo", "staging"]}, ["demo", "production", "canary", "staging"]),
        ({}, ["staging", "production", "canary", "demo"]),
    ],
)
def test_environments_are_ordered(four: World, page: Client, data: dict[str, Any], expected: list[str]) -> None:
    assert page.post("/acme/projects/shop/environments/order", data).status_code == 302
    assert order(four) == expected


def test_an_order_by_script_is_answered_with_the_list(four: World, page: Client) -> None:
    response = page.post("/acme/projects/shop/environments/order", {"up": "demo"}, headers={"HX-Request": "true"})

    content = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in content
    assert content.index('id="up-demo"') < content.index('id="up-canary"')


def test_an_environment_is_created_last_and_changed(ci: World, page: Client) -> None:
    fields = {"name": "Canary", "description": "One in a hundred", "colour": "#BE185D", "is_default": "on"}
    assert page.post("/acme/projects/shop/new-environment", fields).status_code == 302
    canary = ci.project.environments.get(slug="canary")
    assert (canary.position, canary.colour, canary.is_default) == (2, "#be185d", True)

    changed = {"name": "Small canary", "description": "", "colour": "#112233"}
    assert page.post("/acme/projects/shop/environments/canary/settings", changed).status_code == 302
    canary.refresh_from_db()
    assert (canary.name, canary.slug, canary.colour, canary.description) == ("Small canary", "canary", "#112233", "")
    assert AuditEvent.objects.get(action="environment.changed").changes["name"] == ["Canary", "Small canary"]

    for wrong in ({"colour": "red"}, {"colour": "#12345\n"}, {"name": ""}, {"description": "x" * 501}, {"name": "\0"}):
        refused = page.post("/acme/projects/shop/environments/canary/settings", changed | wrong)
        assert list(refused.context["form"].errors) == list(wrong)


def test_a_taken_slug_of_an_environment_is_told(ci: World, page: Client) -> None:
    fields = {"name": "Other", "slug": "staging", "colour": "#112233"}
    response = page.post("/acme/projects/shop/new-environment", fields)
    assert response.context["form"].errors == {"slug": ["The slug staging is taken: choose another."]}


def test_the_default_environment_cannot_be_deleted_and_its_page_says_so(ci: World, page: Client) -> None:
    settings = page.get("/acme/projects/shop/environments/production/settings").content.decode()
    assert "The default environment cannot be deleted" in settings
    assert "environments/production/delete" not in settings

    refused = page.post("/acme/projects/shop/environments/production/delete", follow=True)
    assert "make another one the default first" in refused.content.decode()

    page.post("/acme/projects/shop/environments/staging/default")
    assert page.post("/acme/projects/shop/environments/production/delete").status_code == 302
    assert order(ci) == ["staging"]


def test_set_default_on_the_default_changes_nothing(ci: World, page: Client) -> None:
    set_default_environment(environment=ci.project.environments.get(slug="production"))
    assert list(ci.project.environments.filter(is_default=True).values_list("slug", flat=True)) == ["production"]
