"""The first organization of an installation, and later ones."""

from typing import Any

import pytest
from django.test import Client

from orgs.models import AuditEvent, Membership, Organization, User
from tests.conftest import World
from tests.factories import signed_in

PAGE = "/organizations/new"
FIELDS = {"name": "Acme", "project": "Shop", "environments": "Development, Staging,Production"}


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root@example.com")


def post(user: User, **fields: str) -> Any:
    return signed_in(user).post(PAGE, FIELDS | fields)


def test_a_superuser_without_an_organization_is_led_to_it(superuser: User) -> None:
    client = signed_in(superuser)

    assert client.get("/")["Location"] == PAGE
    assert "Create the first organization" in client.get(PAGE).content.decode()


def test_it_makes_an_owner_a_project_and_its_environments(superuser: User) -> None:
    response = post(superuser)

    assert (response.status_code, response["Location"]) == (302, "/acme")
    organization = Organization.objects.get()
    assert Membership.objects.get(organization=organization).user == superuser
    assert Membership.objects.get().role == "owner"
    project = organization.projects.get()
    environments = list(project.environments.order_by("position").values_list("slug", "is_default"))
    assert (project.name, environments) == (
        "Shop",
        [("development", False), ("staging", False), ("production", True)],
    )
    assert set(AuditEvent.objects.values_list("actor_label", flat=True)) == {"root@example.com"}


def test_superusers_may_make_more(superuser: User) -> None:
    post(superuser)

    client = signed_in(superuser)
    assert PAGE in client.get("/acme/members").content.decode()
    assert "New organization" in client.get(PAGE).content.decode()
    assert post(superuser)["Location"] == "/acme-2"


def test_nobody_else_may(ci: World, owner: User) -> None:
    assert signed_in(owner).get(PAGE).status_code == 403
    assert post(owner).status_code == 403
    assert PAGE not in signed_in(owner).get("/acme/members").content.decode()
    assert Client().get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"
    assert Organization.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "\u200b"),
        ("project", ""),
        ("project", "\u200b"),
        ("project", "a\0b"),
        ("environments", " , "),
        ("environments", "Production, production"),
        ("environments", "x" * 101),
        ("environments", ",".join(map(str, range(21)))),
    ],
)
def test_mistakes_are_shown_beside_their_field(superuser: User, field: str, value: str) -> None:
    response = post(superuser, **{field: value})

    assert response.status_code == 200
    assert response.context["form"].errors[field]
    assert not Organization.objects.exists()


def test_names_that_leave_no_slug_get_one(superuser: User) -> None:
    response = post(superuser, name="日本", project="店", environments="開発, 本番")

    assert response["Location"] == "/organization"
    slugs = Organization.objects.get().projects.get().environments.values_list("slug", flat=True)
    assert sorted(slugs) == ["environment", "environment-2"]


def test_somebody_without_an_organization_is_told_what_to_do(db: None) -> None:
    client = signed_in(User.objects.create_user("lost@example.com"))

    assert "Ask an admin of your organization to invite this address" in client.get("/").content.decode()
