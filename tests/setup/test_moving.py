"""A deployment takes its history along to another project."""

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from deployments.models import Deploy, Target
from deployments.registration.statements import FIND_TARGETS
from deployments.setup import moving
from deployments.setup.deletion import delete_project
from deployments.setup.moving import move_deployment, plan_move
from deployments.setup.services import map_branch
from orgs.deletion import delete_environment
from orgs.models import Environment, Project
from orgs.services import NewEnvironment, create_environment, update_environment
from tests.conftest import World
from tests.factories import make_project
from tests.simultaneously import post_simultaneously


@pytest.fixture
def platform(ci: World) -> Project:
    return make_project(ci.organization, name="Platform", environments=[NewEnvironment(name="Production")])


def places() -> set[tuple[str, str, str]]:
    """Of each deploy: sha, project and environment as its own columns say, which must be what its target says."""
    rows = Deploy.all_objects.select_related("project", "environment__project", "target__environment")
    for deploy in rows:
        assert deploy.environment == deploy.target.environment
        assert deploy.project == deploy.environment.project
    return {(row.sha, row.project.slug, row.environment.slug) for row in rows}


def test_targets_go_to_environments_of_the_same_slug_and_missing_ones_are_made(ci: World, platform: Project) -> None:
    staging = ci.project.environments.get(slug="staging")
    map_branch(deployment=ci.deployment, environment=staging, branch="main")
    ci.register(sha="a", environment="staging")
    ci.register(sha="b", environment="production")

    plan = plan_move(deployment=ci.deployment, project=platform)
    assert [(move.target.environment.slug, move.environment and move.environment.project) for move in plan.targets] == [
        ("staging", None),
        ("production", platform),
    ]
    move_deployment(deployment=ci.deployment, project=platform)

    ci.deployment.refresh_from_db()
    assert ci.deployment.project == platform
    assert places() == {("a", "platform", "staging"), ("b", "platform", "production")}
    made = platform.environments.get(slug="staging")
    assert (made.name, made.colour, made.is_default) == (staging.name, staging.colour, False)
    assert Target.objects.get(environment=made).branch == "main"
    assert {t.live_deploy.sha for t in Target.objects.all()} == {"a", "b"}
    assert ci.register(sha="c", environment="staging").status_code == 200
    assert ("c", "platform", "staging") in places()


def test_the_history_of_a_deleted_environment_stays_apart_from_a_living_one(ci: World, platform: Project) -> None:
    ci.register(sha="old", environment="staging")
    delete_environment(environment=ci.project.environments.get(slug="staging"))
    create_environment(project=ci.project, new=NewEnvironment(name="Staging"))
    ci.register(sha="new", environment="staging")

    move_deployment(deployment=ci.deployment, project=platform)

    old, new = Deploy.objects.get(sha="old").environment, Deploy.objects.get(sha="new").environment
    assert old != new
    assert old.deleted_at
    assert new.deleted_at is None
    assert {old.project, new.project} == {platform}
    assert old.slug == new.slug == "staging"


def test_two_targets_never_meet_in_one_environment(ci: World, platform: Project, page: Client) -> None:
    ci.register(sha="a", environment="staging")
    ci.register(sha="b", environment="production")
    production = platform.environments.get()
    update_environment(environment=production, aliases=["staging"])

    plan = plan_move(deployment=ci.deployment, project=platform)
    answer = page.post("/acme/deployments/storefront/move", {"project": platform.slug})

    assert [move.environment for move in plan.targets] == [None, production]
    assert "staging is an alias of Production: remove it there first." in answer.content.decode()
    assert places() == {("a", "shop", "staging"), ("b", "shop", "production")}

    update_environment(environment=production, aliases=[])
    page.post("/acme/deployments/storefront/move", {"project": platform.slug})
    assert places() == {("a", "platform", "staging"), ("b", "platform", "production")}


def test_an_alias_finds_the_environment_that_no_other_target_moves_to(ci: World, platform: Project) -> None:
    ci.register(sha="a", environment="staging")
    update_environment(environment=platform.environments.get(), aliases=["staging"])

    move_deployment(deployment=ci.deployment, project=platform)

    assert places() == {("a", "platform", "production")}


def test_a_new_environment_keeps_the_aliases_that_are_free(ci: World, platform: Project) -> None:
    ci.register(sha="a", environment="staging")
    update_environment(environment=ci.project.environments.get(slug="staging"), aliases=["stage", "prep"])
    update_environment(environment=platform.environments.get(), aliases=["prep"])

    move_deployment(deployment=ci.deployment, project=platform)

    assert platform.environments.get(slug="staging").aliases == ["stage"]


def test_a_history_that_would_keep_its_ci_waiting_is_not_moved(
    ci: World, platform: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "MAX_DEPLOYS", 1)
    ci.register(sha="a")
    ci.register(sha="b")

    with pytest.raises(ValidationError, match="too many to move"):
        move_deployment(deployment=ci.deployment, project=platform)

    assert {project for _, project, _ in places()} == {"shop"}


def test_there_and_back_again(ci: World, platform: Project) -> None:
    ci.register(sha="a", environment="staging")
    before = places()

    move_deployment(deployment=ci.deployment, project=platform)
    ci.deployment.refresh_from_db()
    move_deployment(deployment=ci.deployment, project=ci.project)

    assert places() == before
    assert Environment.objects.filter(project=ci.project).count() == 2


def test_a_project_that_is_deleted_meanwhile_is_named(ci: World, platform: Project, page: Client) -> None:
    seen: list[str] = []

    def delete_first(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        listed = [sql for sql in seen if 'ORDER BY "orgs_project"."name"' in sql]
        if sql.startswith("SAVEPOINT") and listed and platform.deleted_at is None:
            platform.deleted_at = timezone.now()
            delete_project(project=Project.objects.get(pk=platform.pk))
        return execute(sql, *rest)

    with connection.execute_wrapper(delete_first):
        answer = page.post("/acme/deployments/storefront/move", {"project": platform.slug})

    assert answer.status_code == 200
    assert "Platform is deleted" in answer.content.decode()
    assert ci.deployment.project == Project.objects.get(slug="shop")


def test_not_to_another_organization_and_not_to_a_deleted_project(ci: World, other: World, platform: Project) -> None:
    with pytest.raises(ValidationError, match="another organization"):
        move_deployment(deployment=ci.deployment, project=other.project)
    delete_project(project=platform)
    with pytest.raises(ValidationError, match="is deleted"):
        move_deployment(deployment=ci.deployment, project=platform)


@pytest.mark.parametrize("has_targets", [True, False])
def test_who_meets_two_moves_is_told_when_to_send_the_call_again(
    ci: World, platform: Project, has_targets: bool
) -> None:
    if has_targets:
        ci.register(sha="first")
    projects = iter([platform, ci.project])

    def move_once_places_are_read(execute: Any, sql: str, *arguments: Any) -> Any:
        result = execute(sql, *arguments)
        if sql == FIND_TARGETS:
            ci.deployment.refresh_from_db()
            move_deployment(deployment=ci.deployment, project=next(projects))
        return result

    with connection.execute_wrapper(move_once_places_are_read):
        response = ci.register(sha="a")

    assert (response.status_code, response.headers.get("Retry-After")) == (503, "5")
    assert response.content.decode() == "storefront was just moved to another project: send the call again."
    assert ci.register(sha="a").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_targets", [True, False])
def test_calls_that_come_during_a_move_end_up_where_the_deployment_is(ci: World, has_targets: bool) -> None:
    platform = make_project(ci.organization, name="Platform")
    if has_targets:
        ci.register(sha="first")

    def move_to_and_fro() -> None:
        for project in (platform, ci.project, platform):
            ci.deployment.refresh_from_db()
            move_deployment(deployment=ci.deployment, project=project)
        connection.close()

    mover = threading.Thread(target=move_to_and_fro)
    mover.start()
    bodies = [{"sha": f"sha-{number}"} for number in range(16)]
    responses = post_simultaneously(ci, bodies)
    mover.join()

    # Who met two moves is told to send the call again, which may be each of them.
    assert {response.status_code for response in responses} <= {200, 503}
    accepted = [response for response in responses if response.status_code == 200]
    assert len(places()) == len(accepted) + has_targets
    for body, response in zip(bodies, responses, strict=True):
        if response.status_code == 503:
            assert ci.register(**body).status_code == 200
    assert len(places()) == len(bodies) + has_targets
    assert {project for _, project, _ in places()} == {"platform"}
    assert set(Target.objects.values_list("environment__project__slug", flat=True)) == {"platform"}
