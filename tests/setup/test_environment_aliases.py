"""Other names of an environment: every look-up by name finds it, and no name means two."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from deployments.impacts.queries import find_incident_source
from deployments.models import Deploy, ImpactKind, ManualChange
from orgs.deletion import delete_environment, restore_environment
from orgs.models import AuditEvent, Environment, EnvironmentAlias
from orgs.services import NewEnvironment, create_environment, update_environment
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tests.imports.importing import post_file
from tokens.scopes import Scope

SETTINGS = "/acme/projects/shop/environments/production/settings"


def environment(world: World, slug: str = "production") -> Environment:
    return world.project.environments.get(slug=slug)


def test_restoring_drops_the_aliases_that_were_taken_since(ci: World) -> None:
    staging = environment(ci, "staging")
    update_environment(environment=staging, aliases=["qa", "prep"])
    delete_environment(environment=staging)
    create_environment(project=ci.project, new=NewEnvironment(name="QA"))

    restore_environment(environment=staging)

    assert environment(ci, "staging").aliases == ["prep"]
    event = AuditEvent.objects.get(action="environment.restored")
    assert event.changes == {"project": "Shop", "aliases": ["prep, qa", "prep"]}


def test_a_call_does_not_create_what_a_deleted_environment_is_called(ci: World) -> None:
    _, secret = make_token(ci.organization, name="sweetr")
    staging = environment(ci, "staging")
    update_environment(environment=staging, aliases=["prep"])
    delete_environment(environment=staging)
    body = {"app": "storefront", "version": "1", "repositoryFullName": "acme/storefront", "commitHash": "abc"}

    rejected = ci.register(path="/v1/deployments", secret=secret, **body, environment="Prep")
    created = ci.register(path="/v1/deployments", secret=secret, **body, environment="other")

    assert (rejected.status_code, created.status_code) == (422, 202)
    assert "environment 'Prep' was deleted: restore it" in rejected.content.decode()


@pytest.fixture
def aliased(ci: World) -> World:
    update_environment(environment=environment(ci), aliases=["prod", "Live  Site"])
    return ci


NAMES = ["prod", "PROD", " prod ", "live site", "LIVE SITE", "production", "Production"]


@pytest.mark.parametrize("name", NAMES)
def test_deploys_and_manual_changes_go_there(aliased: World, name: str) -> None:
    assert aliased.register(sha="a1", environment=name).status_code == 200
    assert aliased.record(name="Raised a limit", environment=name).status_code == 200

    assert Deploy.objects.get().environment.slug == "production"
    assert ManualChange.objects.get().environment.slug == "production"


@pytest.mark.parametrize("name", ["pro", "prods", "live", "livesite", "stage"])
def test_what_is_no_alias_is_unknown(aliased: World, name: str) -> None:
    response = aliased.register(sha="a1", environment=name)

    assert (response.status_code, response.content.decode()) == (
        400,
        f"No environment '{name}' in project shop: it has staging, production.",
    )


@pytest.mark.parametrize("name", ["prod", "Prod", "PROD!", "Live Site"])
def test_sweetr_creates_none_beside_it(aliased: World, name: str) -> None:
    body = {"repositoryFullName": "acme/shop", "app": "storefront", "version": "v1", "commitHash": "abc"}

    assert aliased.register(path="/v1/deployments", **body, environment=name).status_code == 202
    assert Deploy.objects.get().environment.slug == "production"
    assert Environment.objects.filter(project=aliased.project).count() == 2


def test_other_look_ups(aliased: World) -> None:
    _, reader = make_token(aliased.organization, Scope.READ, name="reader")
    aliased.register(sha="a1")
    aliased.register(sha="b2", environment="staging")
    source = make_impact_source(aliased.project, ImpactKind.INCIDENT)

    def read(path: str) -> Any:
        return Client().get(f"/api/1/organizations/acme/{path}", headers={"Authorization": f"Bearer {reader}"})

    assert [row["sha"] for row in read("deploys?environment=prod").json()] == ["a1"]
    assert read("deploys?environment=nowhere").status_code == 400
    assert [row["aliases"] for row in read("environments").json()] == [[], ["live site", "prod"]]
    named: dict[str, Any] = {"organization_id": aliased.organization.pk, "project": "shop", "source": source.slug}
    assert find_incident_source(**named, environment="prod") == source
    assert find_incident_source(**named, environment="staging") is None
    query = '{ deployment(orgSlug:"acme", deploymentSlug:"storefront") { ... on CodeChangeSource { latestChange(environmentSlug: "prod") { revision } } } }'  # noqa: E501
    answer = aliased.register(path="/graphql", query=query).json()
    assert answer["data"]["deployment"]["latestChange"]["revision"] == "a1"


def test_imports_name_it_in_the_call_and_in_the_file(aliased: World) -> None:
    file = "sha,date,environment\na1,2024-05-01T12:00:00Z,prod\nb2,2024-05-02T12:00:00Z,Production\n"

    assert post_file(aliased, file, environment="prod").status_code == 200
    assert {deploy.environment.slug for deploy in Deploy.objects.all()} == {"production"}
    assert post_file(aliased, file, environment="staging").status_code == 400


# --- No name means two ---


@pytest.mark.parametrize("name", ["staging", "Staging", " STAGING "])
def test_an_alias_is_no_environments_name(ci: World, name: str) -> None:
    with pytest.raises(ValidationError, match="staging is what the environment Staging is called"):
        update_environment(environment=environment(ci), aliases=[name])
    assert not EnvironmentAlias.objects.exists()


def test_an_alias_is_that_of_one_environment(aliased: World) -> None:
    with pytest.raises(ValidationError, match="prod is an alias of Production already"):
        update_environment(environment=environment(aliased, "staging"), aliases=["Prod"])
    with pytest.raises(IntegrityError), transaction.atomic():
        EnvironmentAlias.objects.create(
            project=aliased.project, environment=environment(aliased, "staging"), name="prod"
        )


@pytest.mark.parametrize("new", [NewEnvironment(name="Prod"), NewEnvironment(name="Other", slug="prod")])
def test_a_new_environment_is_called_otherwise(aliased: World, new: NewEnvironment) -> None:
    with pytest.raises(ValidationError, match="prod is an alias of Production: remove it there first"):
        create_environment(project=aliased.project, new=new)
    with pytest.raises(ValidationError, match="prod is an alias of Production"):
        update_environment(environment=environment(aliased, "staging"), name="PROD")
    assert aliased.project.environments.count() == 2


def test_other_projects_have_their_own(aliased: World, other: World) -> None:
    update_environment(environment=environment(other), aliases=["prod"])

    assert environment(other).aliases == ["prod"]


def test_what_it_is_called_itself_is_left_out(ci: World) -> None:
    update_environment(environment=environment(ci), aliases=["Production", "prod", "PROD", ""])

    assert environment(ci).aliases == ["prod"]


def test_a_deleted_environment_gives_its_aliases_up(ci: World) -> None:
    staging = environment(ci, "staging")
    update_environment(environment=staging, aliases=["stage", "pre"])
    delete_environment(environment=staging)

    assert ci.register(sha="a1", environment="stage").status_code == 400
    update_environment(environment=environment(ci), aliases=["stage"])
    restore_environment(environment=staging)

    assert (environment(ci).aliases, environment(ci, "staging").aliases) == (["stage"], ["pre"])


def test_a_deleted_environment_whose_slug_is_an_alias_now(ci: World) -> None:
    staging = environment(ci, "staging")
    delete_environment(environment=staging)
    update_environment(environment=environment(ci), aliases=["staging"])

    with pytest.raises(ValidationError, match="staging is an alias of Production"):
        restore_environment(environment=staging)


# --- Pages ---


def test_the_page_sets_them(ci: World, page: Client) -> None:
    data = {"name": "Production", "colour": "#1d4ed8", "description": "", "aliases": "prod, Live"}

    assert page.post(SETTINGS, data).status_code == 302
    assert environment(ci).aliases == ["live", "prod"]
    assert AuditEvent.objects.latest("id").changes["aliases"] == ["", "live, prod"]
    assert 'value="live, prod"' in page.get(SETTINGS).content.decode()
    assert "also live, prod" in page.get("/acme/projects/shop").content.decode()
    assert page.post(SETTINGS, {**data, "aliases": ""}).status_code == 302
    assert environment(ci).aliases == []


@pytest.mark.parametrize(
    ("aliases", "sentence"),
    [
        ("staging", "staging is what the environment Staging is called."),
        ("a" * 101, "An alias has at most 100 characters, and no comma."),
        (",".join(map(str, range(21))), "There are 21 aliases: at most 20 are possible."),
    ],
)
def test_the_page_says_what_is_wrong(ci: World, page: Client, aliases: str, sentence: str) -> None:
    data = {"name": "Production", "colour": "#1d4ed8", "description": "", "aliases": aliases}

    assert sentence in page.post(SETTINGS, data).content.decode()
    assert environment(ci).aliases == []
