"""Terraform Cloud's notifications at register_deploy: they name no sha."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from deployments.models import Call, Deploy
from deployments.request_log.writer import request_log
from deployments.setup.services import map_branch
from orgs.models import User
from tests.calls import assert_sentence, bearer, call, count_rows
from tests.conftest import World
from tests.registration.test_sweetr import PATH, REQUIRED

RUN_ID = "run-vnWnJSpBcUFUTaVJ"
RUN_URL = f"https://app.terraform.io/app/org1/ws/runs/{RUN_ID}"
COMPLETED_AT = "2020-09-09T07:40:42.000Z"


def notification(*triggers: str, **fields: Any) -> dict[str, Any]:
    """As HashiCorp documents it."""
    return {
        "payload_version": 1,
        "notification_configuration_id": "nc-ygBmbbQWJZAWMse7",
        "run_url": RUN_URL,
        "run_id": RUN_ID,
        "run_message": "Queued manually\nin Terraform Enterprise",
        "run_created_at": "2020-09-09T07:40:15.000Z",
        "run_created_by": "jane-doe",
        "workspace_id": "ws-FzMaNjmQxjb7W2Ve",
        "workspace_name": "ws",
        "organization_name": "org1",
        "notifications": [
            {
                "message": trigger,
                "trigger": trigger,
                "run_status": "applied",
                "run_updated_at": COMPLETED_AT,
                "run_updated_by": None,
            }
            for trigger in triggers
        ],
        **fields,
    }


VERIFICATION: dict[str, Any] = {
    **dict.fromkeys(notification(), None),
    "payload_version": 1,
    "notification_configuration_id": "nc-ygBmbbQWJZAWMse7",
    "notifications": [
        {
            "message": "Verification of Gumshoe",
            "trigger": "verification",
            "run_status": None,
            "run_updated_at": None,
            "run_updated_by": None,
        }
    ],
}
ASSESSMENT = {
    "payload_version": 2,
    "notification_configuration_id": "nc-ygBmbbQWJZAWMse7",
    "trigger_scope": "assessment",
    "trigger": "assessment:drifted",
    "message": "Drift Detected",
    "details": {"new_assessment_result": {}},
}


def send(world: World, body: Any, query: str = "&environment=Staging") -> Any:
    return call(f"{world.path}?api_key={world.secret}{query}", json.dumps(body), headers={"User-Agent": "TFE/1.0"})


def registered(world: World, body: Any, query: str = "&environment=Staging") -> Deploy:
    answer = send(world, body, query)
    assert (answer.status_code, answer.content) == (200, b"Success"), answer.content
    return Deploy.objects.get(pk=answer.headers["X-Deploy-Id"])


@pytest.mark.parametrize(
    "body",
    [
        VERIFICATION,
        ASSESSMENT,
        notification(),
        notification("run:created"),
        notification("run:planning", "run:needs_attention", "run:applying", "run:errored"),
    ],
)
@pytest.mark.parametrize("environment", ["Staging", "nowhere"])
def test_what_registers_nothing_is_acknowledged(ci: World, body: dict[str, Any], environment: str) -> None:
    before = count_rows()

    answer = send(ci, body, f"&environment={environment}")

    assert (answer.status_code, answer.content) == (200, b"Success")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert count_rows() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"run_id": "short"},
        {"run_id": None},
        {"run_id": 7, "run_url": "none", "environment": ["a"], "sha": {}, "run_message": 1.5},
        {"notifications": [{"trigger": "run:planning", "run_updated_at": 7, "message": []}]},
        {"notifications": None},
        {"notifications": []},
    ],
)
def test_what_registers_nothing_is_acknowledged_whatever_else_it_has(ci: World, fields: dict[str, Any]) -> None:
    before = count_rows()

    for body in (notification("run:planning", **fields), VERIFICATION | fields):
        answer = send(ci, body, "")
        assert (answer.status_code, answer.content) == (200, b"Success")
        assert send(ci, body, "&dry_run").json()["result"] == "ignored"
    assert count_rows() == before


@pytest.mark.parametrize("mark", ["payload_version", "notification_configuration_id"])
@pytest.mark.parametrize("query", ["", "&x=1"])
def test_a_sha_with_a_member_of_the_same_name_is_a_deploy(ci: World, mark: str, query: str) -> None:
    assert registered(ci, {"sha": "abc", mark: 2}, query).sha == "abc"
    assert send(ci, {"sha": "abc", mark: 2, "environment": "nowhere"}, "").status_code == 400


def without_marks(body: dict[str, Any]) -> dict[str, Any]:
    marks = ("payload_version", "notification_configuration_id")
    return {name: value for name, value in body.items() if name not in marks}


def test_a_notification_is_known_by_its_list(ci: World) -> None:
    before = count_rows()
    for body in (VERIFICATION, notification("run:planning"), {"notifications": [{"trigger": "verification"}]}):
        assert send(ci, without_marks(body)).content == b"Success"
    assert count_rows() == before

    assert registered(ci, without_marks(notification("run:completed"))).sha == RUN_ID


@pytest.mark.parametrize("notifications", [None, "run:completed", {}])
def test_what_is_no_list_makes_no_notification(ci: World, notifications: Any) -> None:
    assert ci.register(notifications=notifications).content == b"sha is required."


def test_a_deploy_may_have_a_list_of_notifications(ci: World) -> None:
    ci.register(sha="a", notifications=[{"trigger": "verification"}])

    assert Deploy.objects.get().sha == "a"


def test_a_completed_run_registers_the_newest_change(ci: World) -> None:
    ci.register(sha="old", date="2024-05-01")
    ci.register(sha="new", date="2024-05-02", branch="main")
    ci.register(sha="old", date="2024-05-03")

    deploy = registered(ci, notification("run:applying", "run:completed"))

    assert (deploy.sha, deploy.branch, deploy.environment.slug) == ("new", "main", "staging")
    assert (deploy.title, deploy.author_name) == ("Queued manually", "jane-doe")
    assert deploy.deployed_at == datetime(2020, 9, 9, 7, 40, 42, tzinfo=UTC)
    assert [(link.name, link.url) for link in deploy.links.all()] == [("Terraform run", RUN_URL)]


def test_a_version_comes_with_the_change(ci: World) -> None:
    assert call(PATH, json.dumps(REQUIRED), headers=bearer(ci.secret)).status_code == 202

    assert registered(ci, notification("run:completed")).version == REQUIRED["version"]


def test_repeated_deliveries_are_harmless(ci: World) -> None:
    ci.register(sha="a")
    first = registered(ci, notification("run:completed"))
    assert registered(ci, notification("run:completed")) == first
    ci.register(sha="b")

    assert registered(ci, notification("run:completed")) == first
    assert registered(ci, notification("run:completed", "run:completed")) == first
    assert Deploy.objects.count() == 3


def test_a_later_run_of_the_same_change_changes_nothing(ci: World) -> None:
    ci.register(sha="a")
    first = registered(ci, notification("run:completed"))
    later = notification("run:completed", run_id="run-2222222222222222", run_url=RUN_URL.replace("vnWn", "2222"))
    later["notifications"][0]["run_updated_at"] = "2020-09-10T00:00:00Z"

    assert registered(ci, later) == first


def test_a_branch_that_does_not_go_there_is_passed_over(ci: World) -> None:
    staging = ci.project.environments.get(slug="staging")
    ci.register(sha="main", branch="main", date="2024-05-01")
    ci.register(sha="Release", branch="Release/1", date="2024-05-02")
    ci.register(sha="release", branch="release/1", date="2024-05-03")
    ci.register(sha="fix", branch="fix", date="2024-05-04")

    for branch, sha in (("main", "main"), ("release/*", "release"), ("Rel*", "Release"), ("", "fix")):
        map_branch(deployment=ci.deployment, environment=staging, branch=branch)
        Deploy.objects.filter(environment=staging).delete()
        assert registered(ci, notification("run:completed")).sha == sha


def test_other_deployments_and_deleted_deploys_are_no_changes_of_it(ci: World, other: World) -> None:
    other.register(sha="elsewhere")
    ci.register(sha="kept", date="2024-05-01")
    ci.register(sha="deleted", date="2024-05-02")
    Deploy.objects.filter(sha="deleted").update(deleted_at=datetime.now(UTC))

    assert registered(ci, notification("run:completed")).sha == "kept"


def test_as_long_as_no_change_is_known_a_run_stands_for_itself(ci: World) -> None:
    first = registered(ci, notification("run:completed"))
    assert registered(ci, notification("run:completed")) == first
    later = notification("run:completed", run_id="run-2222222222222222", run_url=f"{RUN_URL}2")
    later["notifications"][0]["run_updated_at"] = "2020-09-10T00:00:00Z"
    second = registered(ci, later)

    assert [first.sha, second.sha] == [RUN_ID, "run-2222222222222222"]
    ci.register(sha="a")
    assert registered(ci, notification("run:completed")) == first
    third = notification("run:completed", run_id="run-3333333333333333", run_url=f"{RUN_URL}3")
    assert registered(ci, third).sha == "a"


def test_the_address_may_name_the_revision(ci: World) -> None:
    ci.register(sha="a")

    assert registered(ci, notification("run:completed"), "&environment=staging&sha=v1.2").sha == "v1.2"


def test_without_an_environment_it_is_the_default_one(ci: World) -> None:
    assert registered(ci, notification("run:completed"), "").environment.slug == "production"


def test_a_run_without_facts(ci: World) -> None:
    ci.register(sha="a")
    body = {"payload_version": 1, "notifications": [{"trigger": "run:completed"}]}

    deploy = registered(ci, body)

    assert (deploy.sha, deploy.title, deploy.author_name) == ("a", "", "")
    assert not deploy.links.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"run_id": None},
         "No change of storefront is known yet: register one with its sha, or add &sha=… to the webhook's address."),
        ({"notifications": "run:completed"}, "notifications must be a list."),
        ({"notifications": [{}]}, "notifications[0].trigger is required."),
        ({"notifications": [{"trigger": "run:completed", "run_updated_at": "soon"}]},
         "Invalid date format.  Must be in ISO 8601 format"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_notification(ci: World, fields: dict[str, Any], sentence: str) -> None:
    before = count_rows()

    answer = send(ci, notification("run:completed", **fields))

    assert (answer.status_code, answer.content.decode()) == (400, sentence)
    assert count_rows() == before


def test_an_unknown_environment(ci: World) -> None:
    answer = send(ci, notification("run:completed"), "&environment=nowhere")

    assert answer.status_code == 400
    assert "it has staging, production" in assert_sentence(answer)


@pytest.mark.parametrize(
    ("mapping", "branch", "sha"),
    [("release/*", None, "a"), ("release/*", "main", RUN_ID), ("main", None, "a"), ("main", "release/1", RUN_ID)],
)
def test_a_mapping_chooses_the_change_and_refuses_no_run(ci: World, mapping: str, branch: str | None, sha: str) -> None:
    staging = ci.project.environments.get(slug="staging")
    map_branch(deployment=ci.deployment, environment=staging, branch=mapping)
    ci.register(sha="a", branch=branch)

    assert registered(ci, notification("run:completed")).sha == sha
    assert ci.register(sha="b", branch="other", environment="staging").status_code == 400


def test_a_mapping_is_not_held_against_the_revision_that_the_address_names(ci: World) -> None:
    staging = ci.project.environments.get(slug="staging")
    map_branch(deployment=ci.deployment, environment=staging, branch="release/*")

    assert registered(ci, notification("run:completed"), "&environment=staging&sha=v1.2").sha == "v1.2"


def test_the_token_is_asked_for_as_everywhere(ci: World) -> None:
    answer = call(f"{ci.path}?api_key=wrong&environment=Staging", json.dumps(VERIFICATION))

    assert answer.status_code == 401


def test_the_log_shows_no_token_and_a_replay_registers(ci: World, developer: User) -> None:
    send(ci, notification("run:completed"), "&environment=QA")
    request_log.flush()
    line = Call.objects.get()
    assert ci.secret not in line.path
    client = Client()
    client.force_login(developer)
    staging = ci.project.environments.get(slug="staging")
    staging.name = "QA"
    staging.save()

    client.post(f"/acme/requests/{line.pk}/replay")

    assert Deploy.objects.get().sha == RUN_ID
