"""Sweetr's POST /v1/deployments."""

import json
from typing import Any

import pytest
from django.test import Client

from deployments.models import Deploy, Deployment, Target
from deployments.models.call import Outcome
from deployments.setup.services import map_branch
from orgs.models import AuditEvent, Environment, Project
from orgs.services import NewEnvironment, create_environment
from tests.calls import FORM, JSON, MULTIPART, bearer, call, count_rows, encoded
from tests.conftest import World
from tests.factories import make_deployment, make_organization, make_project, make_token
from tests.registration.requests import log
from tokens.scopes import Scope

PATH = "/v1/deployments"
COMMIT = "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2"
REQUIRED = {
    "repositoryFullName": "acme/backend",
    "environment": "production",
    "app": "storefront",
    "version": "v1.4.2",
    "commitHash": COMMIT,
}


def post(world: World, *, secret: str | None = None, query: str = "", **fields: Any) -> Any:
    body = {name: value for name, value in (REQUIRED | fields).items() if value is not ...}
    return call(PATH + query, json.dumps(body), headers=bearer(secret or world.secret))


def deployed(world: World, **fields: Any) -> Deploy:
    answer = post(world, **fields)
    assert (answer.status_code, answer.content) == (202, b'{"status": 202}'), answer.content
    return Deploy.objects.get(pk=answer.headers["X-Deploy-Id"])


def refused(world: World, status: int, **fields: Any) -> dict[str, Any]:
    """The JSON of a call that is answered so and stores nothing."""
    before = count_rows()
    answer = post(world, **fields)
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    assert count_rows() == before
    body: dict[str, Any] = answer.json()
    assert body["statusCode"] == status
    return body


# --- What is stored ---------------------------------------------------------------------------------


def test_a_deploy_is_stored_before_the_answer(ci: World) -> None:
    deploy = deployed(
        ci, description=" Release\nv1.4.2 ", author="jane-doe", deployedAt="2024-05-01T12:35:01+02:00", odd=[1]
    )

    assert (deploy.deployment, deploy.environment.slug) == (ci.deployment, "production")
    assert (deploy.sha, deploy.version, deploy.title) == (COMMIT, "v1.4.2", "Release v1.4.2")
    assert (deploy.author_name, deploy.author_email, deploy.token) == ("jane-doe", "", ci.token)
    assert deploy.deployed_at.isoformat() == "2024-05-01T10:35:01+00:00"
    assert Target.objects.get().live_deploy == deploy


@pytest.mark.parametrize("mapping", ["release/*", "main"])
def test_an_environment_that_takes_one_branch_is_not_closed_to_a_client_that_names_none(
    ci: World, mapping: str
) -> None:
    production = ci.project.environments.get(slug="production")
    map_branch(deployment=ci.deployment, environment=production, branch=mapping)

    assert deployed(ci, branch="other").branch == ""
    assert ci.register(sha="x", branch="other").status_code == 400


def test_an_author_may_be_an_address(ci: World) -> None:
    deploy = deployed(ci, author="jane@example.com")

    assert (deploy.author_name, deploy.author_email) == ("", "jane@example.com")


@pytest.mark.parametrize("encoding", ["json", "form", "multipart"])
def test_every_encoding(ci: World, encoding: str) -> None:
    body, content_type = encoded(REQUIRED, encoding)

    assert content_type in (JSON, FORM, MULTIPART)
    assert call(PATH, body, content_type=content_type, headers=bearer(ci.secret)).status_code == 202
    assert Deploy.objects.get().version == "v1.4.2"


def test_forward_rollback_and_no_change(ci: World) -> None:
    first = deployed(ci, commitHash="a", version="1")
    second = deployed(ci, commitHash="b", version="2")
    assert deployed(ci, commitHash="b", version="2") == second
    back = deployed(ci, commitHash="a", version="1")

    second.refresh_from_db()
    assert Deploy.objects.count() == 3
    assert (first.restores, second.restores, back.restores) == (None, None, first)
    assert second.rolled_back_by == back


def test_the_live_commit_in_another_version_is_a_deploy_but_no_rollback(ci: World) -> None:
    first = deployed(ci, commitHash="a", version="1")
    rebuilt = deployed(ci, commitHash="a", version="2")

    assert (rebuilt.version, rebuilt.restores) == ("2", None)
    assert Target.objects.get().live_deploy == rebuilt
    deployed(ci, commitHash="b", version="3")
    back = deployed(ci, commitHash="a", version="2")
    first.refresh_from_db()
    assert (back.restores, first.rolled_back_by) == (rebuilt, None)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 3, 1, 2), (0, 2, 3, 1), (1, 2, 0, 3)])
def test_versions_of_a_commit_registered_in_any_order(ci: World, order: tuple[int, ...]) -> None:
    calls = [("a", "1"), ("b", "2"), ("a", "3"), ("a", "4")]
    for number in order:
        commit, version = calls[number]
        deployed(ci, commitHash=commit, version=version, deployedAt=f"2024-05-01T12:0{number}:00Z")

    one, two, three, four = Deploy.objects.order_by("deployed_at")
    assert [deploy.restores for deploy in (one, two, three, four)] == [None, None, one, None]
    assert [deploy.rolled_back_by for deploy in (one, two, three, four)] == [None, three, None, None]
    assert Target.objects.get().live_deploy == four


def test_a_deploy_between_two_versions_of_a_commit_makes_the_later_one_a_rollback(ci: World) -> None:
    for minute, commit, version in ((0, "a", "1"), (4, "a", "2"), (5, "c", "3"), (2, "b", "4")):
        deployed(ci, commitHash=commit, version=version, deployedAt=f"2024-05-01T12:0{minute}:00Z")

    one, between, two, last = Deploy.objects.order_by("deployed_at")
    assert (two.restores, between.rolled_back_by, last.restores) == (one, two, None)


# --- What is created --------------------------------------------------------------------------------


def test_application_and_environment_are_created_in_the_oldest_project(ci: World) -> None:
    make_project(ci.organization, name="Newer")
    AuditEvent.objects.all().delete()

    deploy = deployed(ci, app="Backend API", environment="QA 1", monorepoPath="./services/api/")

    deployment = deploy.deployment
    assert (deployment.name, deployment.slug, deployment.project) == ("Backend API", "backend-api", ci.project)
    assert (deployment.repository_provider, deployment.repository_url) == ("github", "https://github.com/acme/backend")
    assert deployment.path_includes == ["services/api/**"]
    assert (deploy.environment.name, deploy.environment.slug, deploy.environment.is_default) == ("QA 1", "qa-1", False)
    events = AuditEvent.objects.order_by("id").values_list("action", "actor_label", "address")
    assert list(events) == [
        ("deployment.created", "access token ci", "127.0.0.1"),
        ("environment.created", "access token ci", "127.0.0.1"),
    ]
    for app in ("Backend API", "backend-api", "BACKEND-API"):
        for environment in ("QA 1", "qa 1", "qa-1"):
            assert deployed(ci, app=app, environment=environment) == deploy


def test_an_organization_without_projects_gets_one(ci: World) -> None:
    organization = make_organization("empty")
    _, secret = make_token(organization)

    deploy = deployed(ci, secret=secret, environment="staging")

    assert (deploy.organization, deploy.project.name) == (organization, "Default")
    assert [(e.name, e.is_default) for e in deploy.project.environments.all()] == [("staging", True)]


def test_a_deployment_of_another_project_is_found_by_its_slug(ci: World) -> None:
    loader = make_deployment(make_project(ci.organization, name="Data"), name="Loader")

    assert deployed(ci, app="loader").deployment == loader
    assert deployed(ci, app="loader", environment="canary").environment.project == loader.project


def test_another_organization_has_its_own(ci: World, other: World) -> None:
    assert deployed(ci).deployment == ci.deployment
    assert deployed(other).deployment == other.deployment


@pytest.mark.parametrize(
    "names",
    [
        ("My App", "my app", "MY APP", "my-app", "My-App", "my.app", " My  App! "),
        ("Ärger", "ärger", "ÄRGER", "arger"),
        ("Straße 1", "STRASSE 1", "strasse-1"),
    ],
)
def test_ways_to_write_a_name_mean_one_application_and_one_environment(ci: World, names: tuple[str, ...]) -> None:
    deploys = {deployed(ci, app=name, environment=name).pk for name in names}
    deploys |= {deployed(ci, app=names[0], environment=name).pk for name in names}

    assert len(deploys) == 1
    assert Deployment.objects.exclude(pk=ci.deployment.pk).get().name == names[0].strip()
    assert Environment.objects.filter(project=ci.project).count() == 3


def test_a_name_goes_before_the_slug_that_it_makes(ci: World) -> None:
    plus, sharp = make_deployment(ci.project, name="C++"), make_deployment(ci.project, name="C#")
    lower = make_deployment(ci.project, name="c#")
    assert [row.slug for row in (plus, sharp, lower)] == ["c", "c-2", "c-3"]

    found = {app: deployed(ci, app=app).deployment for app in ("C++", "c++", "C#", "c#", "C", "C-2", "c!")}
    assert found == {"C++": plus, "c++": plus, "C#": sharp, "c#": lower, "C": plus, "C-2": sharp, "c!": plus}


def test_names_without_a_letter_for_a_slug_stay_apart(ci: World) -> None:
    apps = ("配送", "在庫", "deployment", "配送")

    first, second, third, again = (deployed(ci, app=app).deployment for app in apps)

    assert len({first, second, third}) == 2
    assert (first, first) == (again, third)


def test_names_longer_than_ours_stay_apart(ci: World) -> None:
    apps = ["a" * 255, "a" * 254 + "b", "ö" * 255]

    deploys = [deployed(ci, app=app, environment=app) for app in (*apps, *apps)]

    assert deploys[:3] == deploys[3:]
    assert len({deploy.deployment_id for deploy in deploys}) == 3
    assert len({deploy.environment_id for deploy in deploys}) == 3


@pytest.mark.parametrize("repository", ["backend", "a/b/c", "https://gitlab.com/a/b", "ä/ö", "a b/c"])
def test_what_is_no_name_on_github_is_no_address(ci: World, repository: str) -> None:
    deployment = deployed(ci, app="new", repositoryFullName=repository).deployment

    assert (deployment.repository_provider, deployment.repository_url) == ("custom", "")


# --- The request log --------------------------------------------------------------------------------


def test_calls_are_in_the_log_of_the_tokens_organization(ci: World, other: World) -> None:
    deploy = deployed(ci)
    post(ci)
    refused(ci, 422, version=...)
    post(ci, secret="gum_wrong")
    call(PATH, json.dumps(REQUIRED), headers={"Authorization": "wrong"})

    accepted, duplicate, rejected = log()
    assert (accepted.organization, accepted.deployment, accepted.deploy) == (ci.organization, ci.deployment, deploy)
    assert (accepted.status, accepted.outcome, accepted.answer) == (202, Outcome.ACCEPTED, "Success")
    assert (duplicate.status, duplicate.outcome, duplicate.deploy) == (202, Outcome.DUPLICATE, deploy)
    assert (rejected.status, rejected.outcome, rejected.deployment) == (422, Outcome.REJECTED, ci.deployment)
    assert rejected.answer == "version is required."


def test_a_bare_key_is_blotted_out(ci: World) -> None:
    body = json.dumps(REQUIRED | {"odd": ci.secret, "short": ci.secret[4:]})
    call(PATH, body, headers={"Authorization": ci.secret})

    (line,) = log()
    assert ci.secret not in line.body


def test_a_rejected_call_can_be_replayed(ci: World, developer: Any) -> None:
    production, staging = (ci.project.environments.get(slug=slug) for slug in ("production", "staging"))
    map_branch(deployment=ci.deployment, environment=production, branch="release/*")
    refused(ci, 403, secret=make_token(ci.organization, environments=[staging])[1])
    (line,) = log()
    client = Client()
    client.force_login(developer)

    client.post(f"/acme/requests/{line.pk}/replay")

    assert Deploy.objects.get().version == "v1.4.2"


# --- The version, wherever a sha is -----------------------------------------------------------------


def test_the_version_is_shown_wherever_a_sha_is(ci: World, observer: Any) -> None:
    _, secret = make_token(ci.organization, Scope.READ)
    deploy = deployed(ci)
    pages = Client()
    pages.force_login(observer)

    for path in ("/acme", "/acme/timeline", f"/acme/deploys/{deploy.pk}", "/acme/deployments/storefront/setup"):
        assert "v1.4.2" in pages.get(path).content.decode(), path
    api = Client(headers=bearer(secret))
    assert api.get(f"/api/1/organizations/acme/deploys/{deploy.pk}").json()["version"] == "v1.4.2"
    live = api.get("/api/1/organizations/acme/live").json()["projects"][0]["deployments"][0]["environments"]
    assert [environment["version"] for environment in live] == [None, "v1.4.2"]
    assert "v1.4.2" in b"".join(api.get("/api/1/organizations/acme/live?format=csv")).decode()


def test_the_timeline_finds_a_version(ci: World, observer: Any) -> None:
    deployed(ci, commitHash="first", version="v1.4.2")
    deployed(ci, commitHash="second", version="v1.5.0")
    pages = Client()
    pages.force_login(observer)

    for query in ("version=V1.4", "q=1.4.2"):
        page = pages.get(f"/acme/timeline?{query}").content.decode()
        assert "first" in page
        assert "second" not in page


def test_places_made_by_hand_are_used(ci: World) -> None:
    create_environment(project=ci.project, new=NewEnvironment(name="Prod (EU)"))

    assert deployed(ci, environment="prod (eu)").environment.slug == "prod-eu"
    assert (Project.objects.count(), Environment.objects.count()) == (1, 3)


# --- What every wire format has from the one way in ---------------------------------------------------


def test_a_repeated_key_is_answered_as_before(ci: World) -> None:
    headers = bearer(ci.secret) | {"Idempotency-Key": "run 7"}
    first = call(PATH, json.dumps(REQUIRED), headers=headers)

    again = call(PATH, json.dumps(REQUIRED), headers=headers)
    other = call(PATH, json.dumps(REQUIRED | {"version": "v2"}), headers=headers)

    assert (again.status_code, again.content) == (first.status_code, first.content) == (202, b'{"status": 202}')
    assert again.headers["X-Deploy-Id"] == first.headers["X-Deploy-Id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.headers["Content-Type"]) == (422, "application/json")
    assert Deploy.objects.count() == 1


def test_what_was_stored_as_json_for_a_caller_that_prefers_it(ci: World) -> None:
    answer = call(PATH, json.dumps(REQUIRED), headers=bearer(ci.secret) | {"Prefer": "return=representation"})

    assert answer.status_code == 202
    assert (answer.json()["sha"], answer.json()["version"]) == (COMMIT, "v1.4.2")
