"""Deleting projects, environments and deployments, and bringing exactly that back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from deployments.models import Deploy, Deployment
from deployments.setup import deletion
from orgs import deletion as org_deletion
from orgs.models import AuditEvent, Environment, Project
from orgs.services import NewEnvironment, create_environment, set_default_environment
from tests.conftest import World
from tests.factories import make_deployment, make_project


def environment(world: World, slug: str) -> Environment:
    return Environment.all_objects.get(project=world.project, slug=slug)


def active(model: Any) -> set[str]:
    return set(model.objects.values_list("slug", flat=True))


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_a_deleted_project_takes_what_lives_in_it_and_brings_exactly_that_back(ci: World) -> None:
    gone_before = make_deployment(ci.project, name="Gone before")
    deletion.delete_deployment(deployment=gone_before)
    org_deletion.delete_environment(environment=environment(ci, "staging"))
    other = make_project(ci.organization, name="Other")
    make_deployment(other, name="Elsewhere")

    deletion.delete_project(project=ci.project)

    assert active(Project) == {"other"}
    assert active(Deployment) == {"elsewhere"}
    assert set(Environment.objects.values_list("project__slug", flat=True)) == {"other"}

    deletion.restore_project(project=ci.project)

    assert active(Project) == {"other", "shop"}
    assert active(Deployment) == {"elsewhere", "storefront"}
    assert list(ci.project.environments.values_list("slug", "is_default")) == [("production", True)]
    assert actions()[-2:] == ["project.deleted", "project.restored"]


def test_calls_to_what_is_deleted_are_refused_and_work_again_afterwards(ci: World) -> None:
    assert ci.register(sha="a", environment="staging").status_code == 200

    org_deletion.delete_environment(environment=environment(ci, "staging"))
    refused = ci.register(sha="b", environment="staging")
    assert refused.status_code == 400
    assert refused.content.decode() == "No environment 'staging' in project shop: it has production."

    deletion.delete_deployment(deployment=ci.deployment)
    assert ci.register(sha="b").status_code == 401
    deletion.restore_deployment(deployment=ci.deployment)
    assert ci.register(sha="b").status_code == 200

    deletion.delete_project(project=ci.project)
    assert ci.register(sha="c").status_code == 401
    deletion.restore_project(project=ci.project)
    org_deletion.restore_environment(environment=environment(ci, "staging"))
    assert ci.register(sha="c", environment="staging").status_code == 200
    assert Deploy.objects.count() == 3


def test_the_default_environment_stays(ci: World) -> None:
    with pytest.raises(ValidationError, match="make another one the default first"):
        org_deletion.delete_environment(environment=environment(ci, "production"))

    set_default_environment(environment=environment(ci, "staging"))
    org_deletion.delete_environment(environment=environment(ci, "production"))
    assert list(ci.project.environments.values_list("slug", flat=True)) == ["staging"]
    with pytest.raises(ValidationError, match="is deleted"):
        set_default_environment(environment=environment(ci, "production"))


def delete_and_replace_project(world: World) -> Callable[[], None]:
    deletion.delete_project(project=world.project)
    assert make_project(world.organization).slug == "shop"
    return lambda: deletion.restore_project(project=world.project)


def delete_project_and_replace_its_deployment(world: World) -> Callable[[], None]:
    deletion.delete_project(project=world.project)
    make_deployment(make_project(world.organization, name="Other"))
    return lambda: deletion.restore_project(project=world.project)


def delete_and_replace_deployment(world: World) -> Callable[[], None]:
    deletion.delete_deployment(deployment=world.deployment)
    assert make_deployment(world.project).slug == "storefront"
    return lambda: deletion.restore_deployment(deployment=world.deployment)


def delete_and_replace_environment(world: World) -> Callable[[], None]:
    deleted = environment(world, "staging")
    org_deletion.delete_environment(environment=deleted)
    assert create_environment(project=world.project, new=NewEnvironment(name="Staging")).slug == "staging"
    return lambda: org_deletion.restore_environment(environment=deleted)


@pytest.mark.parametrize(
    "prepare",
    [
        delete_and_replace_project,
        delete_project_and_replace_its_deployment,
        delete_and_replace_deployment,
        delete_and_replace_environment,
    ],
)
def test_a_slug_is_free_after_a_deletion_and_refuses_the_undo_once_taken(
    ci: World, prepare: Callable[[World], Callable[[], None]]
) -> None:
    restore = prepare(ci)
    before = {model: active(model) for model in (Project, Environment, Deployment)}

    with pytest.raises(ValidationError, match="cannot be restored"):
        restore()

    assert {model: active(model) for model in before} == before


def test_nothing_comes_back_into_a_deleted_project(ci: World) -> None:
    staging = environment(ci, "staging")
    org_deletion.delete_environment(environment=staging)
    deletion.delete_deployment(deployment=ci.deployment)
    deletion.delete_project(project=ci.project)

    with pytest.raises(ValidationError, match="Shop is deleted"):
        org_deletion.restore_environment(environment=staging)
    with pytest.raises(ValidationError, match="Shop is deleted"):
        deletion.restore_deployment(deployment=ci.deployment)
    with pytest.raises(ValidationError, match="Shop is deleted"):
        make_deployment(ci.project, name="New")
    with pytest.raises(ValidationError, match="Shop is deleted"):
        create_environment(project=ci.project, new=NewEnvironment(name="New"))


def test_deleting_and_restoring_twice_is_recorded_once(ci: World) -> None:
    before = len(actions())
    staging = environment(ci, "staging")
    for _ in range(2):
        org_deletion.delete_environment(environment=staging)
        deletion.delete_deployment(deployment=ci.deployment)
    for _ in range(2):
        deletion.restore_deployment(deployment=ci.deployment)
        org_deletion.restore_environment(environment=staging)
    for _ in range(2):
        deletion.delete_project(project=ci.project)
    for _ in range(2):
        deletion.restore_project(project=ci.project)

    assert actions()[before:] == [
        "environment.deleted",
        "deployment.deleted",
        "deployment.restored",
        "environment.restored",
        "project.deleted",
        "project.restored",
    ]
