"""What Sweetr's calls may not create: more than there is room for, and what a person deleted."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deployments.models import Deploy, Deployment
from deployments.setup.deletion import delete_deployment, delete_project, restore_deployment, restore_project
from orgs.deletion import delete_environment, restore_environment
from orgs.models import Environment, Project
from orgs.services import NewEnvironment, create_environment
from tests.calls import count_rows
from tests.conftest import World
from tests.factories import make_deployment
from tests.registration.test_sweetr import deployed, post, refused


def test_environments_of_a_project(ci: World, settings: Settings) -> None:
    settings.MAX_ENVIRONMENTS = 3
    deployed(ci, environment="review-1")

    before = count_rows()
    body = refused(ci, 422, environment="review-2")

    assert body["validationErrors"] == {
        "environment": "Shop has 3 environments already: delete one, or ask the operator to raise MAX_ENVIRONMENTS."
    }
    assert count_rows() == before
    for there in ("staging", "Production", "review-1"):
        assert post(ci, environment=there, commitHash=there).status_code == 202
    delete_environment(environment=Environment.objects.get(slug="review-1"))
    assert post(ci, environment="review-3").status_code == 202


def test_deployments_of_an_organization(ci: World, other: World, settings: Settings) -> None:
    settings.MAX_DEPLOYMENTS = 2
    deployed(ci, app="api")

    body = refused(ci, 422, app="web")

    assert body["validationErrors"] == {
        "app": "Acme has 2 deployments already: delete one, or ask the operator to raise MAX_DEPLOYMENTS."
    }
    assert Deployment.objects.filter(organization=ci.organization).count() == 2
    assert post(ci, app="api", version="2").status_code == post(other, app="web").status_code == 202


def test_the_pages_say_so(ci: World, page: Client, settings: Settings) -> None:
    settings.MAX_ENVIRONMENTS, settings.MAX_DEPLOYMENTS = 2, 1

    for path, fields, says in (
        (reverse("new-environment", args=["acme", "shop"]), {"colour": "#0088cc"}, "2 environments already"),
        (
            reverse("new-deployment", args=["acme"]),
            {"project": "shop", "repository_provider": "custom"},
            "1 deployment",
        ),
    ):
        response = page.post(path, {"name": "Another", **fields})
        assert says in response.content.decode(), path
    with pytest.raises(ValidationError):
        create_environment(project=ci.project, new=NewEnvironment(name="Third"))
    with pytest.raises(ValidationError):
        make_deployment(ci.project, "Second")


@pytest.mark.parametrize("name", ["Storefront", "storefront", "STOREFRONT", "storefront!"])
def test_a_deployment_that_a_person_deleted(ci: World, name: str) -> None:
    delete_deployment(deployment=ci.deployment)

    body = refused(ci, 422, app=name)

    assert body["validationErrors"] == {
        "app": f"app '{name}' was deleted: restore it, or create it on the pages.",
    }
    assert not Deploy.objects.exists()
    restore_deployment(deployment=ci.deployment)
    assert deployed(ci, app=name).deployment == ci.deployment


@pytest.mark.parametrize("name", ["Staging", "staging", "STAGING "])
def test_an_environment_that_a_person_deleted(ci: World, name: str) -> None:
    staging = ci.project.environments.get(slug="staging")
    delete_environment(environment=staging)

    assert list(refused(ci, 422, environment=name)["validationErrors"]) == ["environment"]
    restore_environment(environment=staging)
    assert deployed(ci, environment=name).environment == staging


def test_a_project_that_a_person_deleted(ci: World) -> None:
    delete_project(project=ci.project)

    assert list(refused(ci, 422)["validationErrors"]) == ["app"]
    assert not Project.objects.filter(organization=ci.organization).exists()
    restore_project(project=Project.all_objects.get(pk=ci.project.pk))
    assert deployed(ci).deployment == ci.deployment


def make_another_deployment(world: World) -> None:
    delete_deployment(deployment=world.deployment)
    make_deployment(world.project)


def make_another_environment(world: World) -> None:
    delete_environment(environment=world.project.environments.get(slug="staging"))
    create_environment(project=world.project, new=NewEnvironment(name="Staging"))


@pytest.mark.parametrize("make", [make_another_deployment, make_another_environment])
def test_what_a_person_made_again_is_found(ci: World, make: Callable[[World], None]) -> None:
    make(ci)

    deploy = deployed(ci, environment="staging")

    assert deploy.deployment.deleted_at is None
    assert deploy.environment.deleted_at is None
