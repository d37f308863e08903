"""Organizations, projects, environments and members as services write them."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from deployments.setup.services import create_deployment, map_branch
from orgs.models import Environment, Membership, Project, User
from orgs.roles import Role
from orgs.services import (
    NewEnvironment,
    add_member,
    change_role,
    create_environment,
    create_organization,
    create_project,
    create_user,
    order_environments,
    rename_user,
    set_default_environment,
    update_environment,
)
from tests.conftest import World
from tests.factories import make_project
from tests.simultaneously import simultaneously
from tokens.scopes import Scope
from tokens.services import create_token, update_token


def environments(project: Project) -> list[tuple[str, int, bool]]:
    return [
        (e.slug, e.position, e.is_default) for e in Environment.objects.filter(project=project).order_by("position")
    ]


# --- Projects are never without a default environment -----------------------------------------------


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([], [("production", 0, True)]),
        ([("A", False), ("B", False)], [("a", 0, True), ("b", 1, False)]),
        ([("A", False), ("B", True)], [("a", 0, False), ("b", 1, True)]),
        # The last word counts.
        ([("A", True), ("B", True)], [("a", 0, False), ("b", 1, True)]),
        ([("A", False), ("A", False)], [("a", 0, True), ("a-2", 1, False)]),
    ],
)
def test_a_new_project_has_one_default_environment(
    ci: World, new: list[tuple[str, bool]], expected: list[tuple[str, int, bool]]
) -> None:
    project = create_project(
        organization=ci.organization,
        name="New",
        environments=[NewEnvironment(name=name, is_default=is_default) for name, is_default in new],
    )

    assert environments(project) == expected


def test_a_default_environment_takes_the_place_of_the_other(ci: World) -> None:
    billing = make_project(ci.organization, "Billing")

    set_default_environment(environment=ci.project.environments.get(slug="staging"))
    create_environment(project=billing, new=NewEnvironment(name="Live", is_default=True))

    assert environments(ci.project) == [("staging", 0, True), ("production", 1, False)]
    assert environments(billing) == [("staging", 0, False), ("production", 1, False), ("live", 2, True)]


def test_environments_are_put_in_order(ci: World) -> None:
    """Those that are not named keep their places."""
    canary = create_environment(project=ci.project, new=NewEnvironment(name="Canary"))
    staging, production = ci.project.environments.exclude(pk=canary.pk).order_by("position")

    order_environments(project=ci.project, environments=[canary, staging])

    assert [slug for slug, _, _ in environments(ci.project)] == ["canary", "production", "staging"]
    order_environments(project=ci.project, environments=[staging, production, canary])
    assert [slug for slug, _, _ in environments(ci.project)] == ["staging", "production", "canary"]


def test_environments_get_different_colours(ci: World) -> None:
    colours = {create_environment(project=ci.project, new=NewEnvironment(name=f"E{n}")).colour for n in range(6)}

    assert len(colours) == 6


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewEnvironment(name=""), "name"),
        (NewEnvironment(name="x" * 101), "name"),
        (NewEnvironment(name="X", slug="No Slug"), "slug"),
        (NewEnvironment(name="X", slug="staging"), "slug"),
        (NewEnvironment(name="X", colour="red"), "colour"),
        (NewEnvironment(name="X", colour="#FFFFFF"), "colour"),
        (NewEnvironment(name="X", colour="#ffffff\n"), "colour"),
        (NewEnvironment(name="X", description="x" * 501), "description"),
        (NewEnvironment(name="X\0"), "name"),
    ],
)
def test_an_environment_that_is_not_valid_is_refused(ci: World, new: NewEnvironment, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_environment(project=ci.project, new=new)

    assert set(refused.value.message_dict) == {field}
    assert ci.project.environments.count() == 2


def test_nothing_is_kept_of_a_project_with_an_environment_that_is_not_valid(ci: World) -> None:
    with pytest.raises(ValidationError):
        create_project(
            organization=ci.organization, name="New", environments=[NewEnvironment(name="A"), NewEnvironment(name="")]
        )

    assert not Project.objects.filter(name="New").exists()


# --- People -----------------------------------------------------------------------------------------


def test_people_are_told_apart_by_their_address_in_any_case(db: None) -> None:
    ann = create_user(email=" Ann@Example.com ", name="Ann")

    assert (ann.email, ann.has_usable_password(), ann.is_staff) == ("ann@example.com", False, False)
    with pytest.raises(ValidationError):
        create_user(email="ANN@example.com")
    rename_user(user=ann, name="Ann Lee")
    assert User.objects.get_by_natural_key("ANN@example.com").name == "Ann Lee"


@pytest.mark.parametrize("password", ["short", "password1234", "1234567890", "ann@example.com"])
def test_a_weak_password_is_refused(db: None, password: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_user(email="ann@example.com", password=password)

    assert set(refused.value.message_dict) == {"password"}
    assert not User.objects.exists()


def test_a_strong_password_is_accepted(db: None) -> None:
    ann = create_user(email="ann@example.com", password="correct horse battery")

    assert ann.check_password("correct horse battery")


def test_a_member_has_one_role(ci: World) -> None:
    ann = create_user(email="ann@example.com")
    membership = add_member(organization=ci.organization, user=ann, role=Role.DEVELOPER)

    with pytest.raises(ValidationError):
        add_member(organization=ci.organization, user=ann, role=Role.OWNER)
    change_role(membership=membership, role=Role.ADMIN)

    assert Membership.objects.get().role == Role.ADMIN


# --- Two at once ------------------------------------------------------------------------------------

names = count(1)
# What a person may do twice by a double click.
RACES: dict[str, Callable[[World], Any]] = {
    "organization": lambda w: create_organization(name="Twin"),
    "project": lambda w: create_project(organization=w.organization, name="Twin"),
    "environment": lambda w: create_environment(project=w.project, new=NewEnvironment(name="Twin")),
    "deployment": lambda w: create_deployment(project=w.project, name="Twin"),
    "token": lambda w: create_token(organization=w.organization, name="twin", scopes=[Scope.READ]),
    "user": lambda w: create_user(email="twin@example.com"),
    "member": lambda w: add_member(organization=w.organization, user=User.objects.get(), role=Role.ADMIN),
    "default": lambda w: create_environment(
        project=w.project, new=NewEnvironment(name=f"Default {next(names)}", is_default=True)
    ),
    "mapping": lambda w: map_branch(
        deployment=w.deployment, environment=w.project.environments.get(slug="staging"), branch="main"
    ),
}
ALL_SUCCEED = {"environment", "default", "mapping"}
IN_WORDS = re.compile(r"(.+ already exists|There is another access token of this name.+)\.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("race", RACES)
def test_the_same_at_once_succeeds_or_is_refused_in_words(ci: World, race: str) -> None:
    """Validation alone cannot see a row that another transaction has yet to commit; the database then refuses it."""
    if race == "member":
        create_user(email="ann@example.com")

    def attempt() -> str:
        try:
            RACES[race](ci)
        except ValidationError as refused:
            return " ".join(refused.messages)
        return "done"

    answers = Counter(simultaneously(*[attempt] * 4))

    assert answers["done"] >= 1
    if race in ALL_SUCCEED:
        assert answers["done"] == 4
    assert all(IN_WORDS.fullmatch(answer) for answer in answers if answer != "done"), answers
    assert Environment.objects.filter(project=ci.project, is_default=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_tokens_that_get_one_name_at_once(ci: World) -> None:
    tokens = [create_token(organization=ci.organization, name=f"t{n}", scopes=[Scope.READ])[0] for n in range(4)]

    def rename(token: Any) -> Callable[[], str]:
        def run() -> str:
            try:
                update_token(token=token, name="same")
            except ValidationError as refused:
                return refused.messages[0]
            return "done"

        return run

    answers = Counter(simultaneously(*map(rename, tokens)))

    assert answers == {"done": 1, "There is another access token of this name: revoke it or choose another name.": 3}


def test_a_row_that_is_as_it_should_be_is_not_written(ci: World, django_assert_num_queries: Any) -> None:
    environment = ci.project.environments.get(slug="staging")

    with django_assert_num_queries(3):  # the transaction, and the lock of those among which a name is unique
        update_environment(environment=environment, name="Staging")
