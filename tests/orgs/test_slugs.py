"""Slugs as they are made from names, and kept."""

import pytest
from django.core.exceptions import ValidationError

from deployments.setup.services import update_deployment
from orgs.services import (
    NewEnvironment,
    create_environment,
    create_organization,
    create_project,
    update_environment,
    update_organization,
    update_project,
)
from orgs.slugs import is_slug, slug_from_name, validate_slug
from tests.conftest import World
from tests.factories import make_deployment


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Storefront", "storefront"),
        ("My Web App", "my-web-app"),
        ("  My   Web\tApp\n", "my-web-app"),
        ("Web & API (v2)", "web-api-v2"),
        ("snake_case", "snake_case"),
        ("a--b", "a-b"),
        ("-edge-", "edge"),
        ("_private_", "private"),
        ("Äpfel & Größe", "apfel-grosse"),
        ("Café №1", "cafe-no1"),
        ("ﬁne", "fine"),
        ("٣٤", "thing"),
        ("İstanbul", "istanbul"),
        ("東京", "thing"),
        ("🚀", "thing"),
        ("東京 2", "2"),
        ("", "thing"),
        ("-", "thing"),
        ("a\0b", "a-b"),
        ("x" * 300, "x" * 100),
        ("x" * 99 + " y", "x" * 99),
    ],
)
def test_slug_from_name(name: str, slug: str) -> None:
    made = slug_from_name(name, fallback="thing", is_taken=lambda slug: False)

    assert made == slug
    assert is_slug(made)


@pytest.mark.parametrize(
    ("name", "taken", "slug"),
    [
        ("Shop", {"shop"}, "shop-2"),
        ("Shop", {"shop", "shop-2", "shop-4"}, "shop-3"),
        ("Shop 2", {"shop-2"}, "shop-2-2"),
        ("", {"thing"}, "thing-2"),
        ("x" * 100, {"x" * 100}, "x" * 98 + "-2"),
        ("x" * 97 + " yy", {"x" * 97 + "-yy"}, "x" * 97 + "-2"),
        ("x" * 100, {"x" * 100, *("x" * 98 + f"-{n}" for n in range(2, 10))}, "x" * 97 + "-10"),
    ],
)
def test_a_taken_slug_gets_a_number(name: str, taken: set[str], slug: str) -> None:
    made = slug_from_name(name, fallback="thing", is_taken=taken.__contains__)

    assert made == slug
    assert is_slug(made)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("a", True),
        ("0", True),
        ("web-app_2", True),
        ("x" * 100, True),
        ("", False),
        ("-", False),
        ("-a", False),
        ("_a", False),
        ("A", False),
        ("a b", False),
        ("a.b", False),
        ("a/b", False),
        ("a\n", False),
        ("ä", False),
        ("٣", False),
        ("x" * 101, False),
    ],
)
def test_what_a_slug_is(value: str, valid: bool) -> None:
    assert is_slug(value) is valid
    if not valid:
        with pytest.raises(ValidationError, match="A slug has lower-case letters"):
            validate_slug(value)


def test_each_slug_is_unique_where_it_is_looked_up(ci: World, other: World) -> None:
    """Organizations everywhere, projects and deployments in an organization, environments in a project."""
    project = create_project(organization=ci.organization, name="Shop")

    assert create_organization(name="ACME").slug == "acme-2"
    assert project.slug == "shop-2"
    assert create_project(organization=other.organization, name="Billing").slug == "billing"
    # Another project of the organization has the name already; another organization's does not count.
    assert make_deployment(project).slug == "storefront-2"
    assert make_deployment(other.project, name="Api").slug == "api"
    assert create_environment(project=ci.project, new=NewEnvironment(name="Staging")).slug == "staging-2"
    assert create_environment(project=project, new=NewEnvironment(name="Staging")).slug == "staging"


def test_a_new_name_keeps_the_slug(ci: World) -> None:
    environment = ci.project.environments.get(slug="staging")

    update_organization(organization=ci.organization, name="New")
    update_project(project=ci.project, name="New")
    update_environment(environment=environment, name="New")
    update_deployment(deployment=ci.deployment, name="New")

    for renamed, slug in (
        (ci.organization, "acme"),
        (ci.project, "shop"),
        (environment, "staging"),
        (ci.deployment, "storefront"),
    ):
        renamed.refresh_from_db()
        assert (renamed.name, renamed.slug) == ("New", slug)
    assert ci.register(sha="a", environment="staging").status_code == 200


@pytest.mark.parametrize("slug", ["Acme", "-", "a b", "x" * 101, "acme"])
def test_a_slug_that_is_given_must_be_one_and_free(ci: World, slug: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_organization(name="Acme", slug=slug)

    assert set(refused.value.message_dict) == {"slug"}
