"""?dry_run=1: the same checks, what they would be answered with, and nothing stored."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from deployments.models import Call, Deploy
from deployments.models.call import Outcome
from deployments.request_log.writer import request_log
from deployments.setup.services import map_branch
from tests.calls import bearer, call, count_rows
from tests.conftest import World
from tests.factories import make_organization, make_token
from tests.registration.test_sweetr import PATH, REQUIRED
from tests.registration.test_terraform import VERIFICATION, notification
from tokens.services import limit_token


def try_out(world: World, *, query: str = "?dry_run=1", path: str = "", headers: Any = None, **body: Any) -> Any:
    """The answer, which must be JSON, to a trial that leaves no row."""
    world.token.refresh_from_db()
    before = count_rows()
    answer = world.register(path=(path or world.path) + query, headers=headers, **body)
    assert count_rows() == before
    assert answer.status_code == 200, answer.content
    assert "X-Deploy-Id" not in answer.headers
    report = answer.json()
    assert report["dry_run"] is True
    return report


def test_a_deploy(ci: World) -> None:
    report = try_out(ci, sha="abc", environment="Staging", branch="main", date="2024-05-01T12:00:00Z", tags="#a,#b")

    assert report == {
        "dry_run": True,
        "result": "deploy",
        "would_answer": {"status": 200, "text": "Success"},
        "organization": "acme",
        "project": "shop",
        "deployment": "storefront",
        "environment": "staging",
        "sha": "abc",
        "version": None,
        "deployed_at": "2024-05-01T12:00:00Z",
        "status": "succeeded",
        "change_type": "forward",
        "live": True,
        "tags": ["#a", "#b"],
        "branch": {"sent": "main", "mapping": "*", "matches": True},
        "duplicate_of": None,
        "moves_on": False,
        "rollback": False,
        "restores": None,
        "rolls_back": [],
        "would_create": [],
        "dropped": [],
    }
    assert not Deploy.objects.exists()


def test_the_same_call_afterwards_is_no_duplicate(ci: World) -> None:
    try_out(ci, sha="abc")

    assert ci.register(sha="abc").status_code == 200
    assert Deploy.objects.get().sha == "abc"


@pytest.mark.parametrize(
    "path", ["/api/1/deployments/acme/storefront/register-deploy", "/api/1/acme/storefront/register_deploy"]
)
def test_every_path(ci: World, path: str) -> None:
    assert try_out(ci, path=path, sha="abc")["result"] == "deploy"


def test_a_rollback_and_what_it_would_undo(ci: World) -> None:
    ids = {sha: int(ci.register(sha=sha).headers["X-Deploy-Id"]) for sha in "abc"}

    report = try_out(ci, sha="a")

    assert (report["result"], report["rollback"]) == ("rollback", True)
    assert report["would_answer"] == {"status": 200, "text": "Success"}
    assert report["tags"] == ["#rollback"]
    assert (report["restores"]["id"], report["restores"]["url"]) == (
        ids["a"],
        f"/api/1/organizations/acme/deploys/{ids['a']}",
    )
    assert [deploy["id"] for deploy in report["rolls_back"]] == [ids["c"], ids["b"]]
    assert not Deploy.objects.exclude(restores=None, rolled_back_by=None).exists()


@pytest.mark.parametrize("ignored", [{}, {"ignore_if_duplicate": "false"}, {"ignore_if_duplicate": "true"}])
def test_a_duplicate(ci: World, ignored: dict[str, str]) -> None:
    for sha in "bcb":
        ci.register(sha=sha)
    live = Deploy.objects.latest("id")

    report = try_out(ci, sha="b", **ignored)

    assert (report["result"], report["duplicate_of"]["id"]) == ("duplicate", live.pk)
    assert (report["rollback"], report["restores"], report["rolls_back"]) == (False, None, [])
    real = ci.register(sha="b", environment="production", **ignored)
    assert real.status_code == (200 if ignored.get("ignore_if_duplicate") == "true" else 400)
    assert report["would_answer"] == {"status": real.status_code, "text": real.content.decode()}


def test_an_earlier_date_would_not_be_live(ci: World) -> None:
    ci.register(sha="a")

    assert try_out(ci, sha="b", date="2020-01-01")["live"] is False


def test_tags_of_changed_files(ci: World) -> None:
    assert try_out(ci, sha="b", files=[{"path": "Dockerfile"}])["tags"] == ["#docker"]


def test_mappings_in_words(ci: World) -> None:
    production = ci.project.environments.get(slug="production")
    for mapping, branch in (("main", "main"), ("release/*", "release/1")):
        map_branch(deployment=ci.deployment, environment=production, branch=mapping)
        assert try_out(ci, sha="a", branch=branch)["branch"] == {"sent": branch, "mapping": mapping, "matches": True}


@pytest.mark.parametrize(("mapping", "branch"), [("main", "other"), ("release/*", "main"), ("release/*", None)])
@pytest.mark.parametrize(("sha", "facts"), [("new", (False, False)), ("old", (False, True)), ("live", (True, False))])
def test_a_branch_that_does_not_match(
    ci: World, mapping: str, branch: str | None, sha: str, facts: tuple[bool, bool]
) -> None:
    for before in ("old", "live"):
        ci.register(sha=before)
    production = ci.project.environments.get(slug="production")
    map_branch(deployment=ci.deployment, environment=production, branch=mapping)

    report = try_out(ci, sha=sha, branch=branch)

    assert report["result"] == "refused"
    assert report["branch"] == {"sent": branch, "mapping": mapping, "matches": False}
    assert (report["duplicate_of"] is not None, report["rollback"]) == facts
    real = ci.register(sha=sha, branch=branch)
    assert real.status_code == 400
    assert report["would_answer"] == {"status": 400, "text": real.content.decode()}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sha": "a", "environment": "nowhere"},
        {"sha": "a", "date": "soon"},
        {"sha": "live", "environment": "nowhere", "branch": "other"},
        {"name": "a"},
    ],
)
def test_what_cannot_be_read_or_placed_gets_the_same_answer(ci: World, body: dict[str, Any]) -> None:
    map_branch(deployment=ci.deployment, environment=ci.project.environments.get(slug="staging"), branch="main")
    ci.register(sha="live")
    before = count_rows()

    real, tried = ci.register(**body), ci.register(path=f"{ci.path}?dry_run=1", **body)

    assert (tried.status_code, tried.content) == (real.status_code, real.content)
    assert tried.status_code == 400
    assert count_rows() == before


def test_credentials_and_limits_are_checked(ci: World, settings: Settings) -> None:
    token, secret = make_token(ci.organization)
    limit_token(token=token, deployments=[])
    path = f"{ci.path}?dry_run=1"

    assert ci.register(path=path, secret="gum_wrong", sha="a").status_code == 401
    assert ci.register(path=path, secret=secret, sha="a").status_code == 403
    settings.API_RATE_LIMIT = "1/d"
    assert [ci.register(path=path, sha="a").status_code for _ in range(2)] == [200, 429]


def test_an_idempotency_key_is_checked_and_not_used(ci: World) -> None:
    key = {"Idempotency-Key": "build-1"}
    assert try_out(ci, sha="a", headers=key)

    refused = ci.register(path=f"{ci.path}?dry_run=1", sha="a", headers={"Idempotency-Key": "x" * 256})
    assert refused.status_code == 400
    assert "Idempotency-Replayed" not in ci.register(sha="a", headers=key).headers


def test_the_log_marks_them(ci: World) -> None:
    ci.register(path=f"{ci.path}?dry_run=1", sha="a")
    ci.register(path=f"{ci.path}?dry_run=1")
    request_log.flush()

    accepted, refused = Call.objects.order_by("id")
    assert (accepted.outcome, accepted.answer, accepted.deploy) == (
        Outcome.DRY_RUN,
        "Dry run: nothing was stored.",
        None,
    )
    assert (refused.outcome, refused.status, refused.answer) == (Outcome.DRY_RUN, 400, "sha is required.")
    assert not refused.can_be_replayed


def test_a_real_call_costs_no_query_more(ci: World) -> None:
    ci.register(sha="a")
    with CaptureQueriesContext(connection) as queries:
        assert ci.register(sha="b").status_code == 200

    # Token, places, lock, live and latest, insert, live, which PostgreSQL sets with the insert; and the savepoint.
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == (5 if connection.vendor == "postgresql" else 6), statements


# --- Terraform Cloud --------------------------------------------------------------------------------


def test_a_terraform_run(ci: World) -> None:
    ci.register(sha="a")

    report = try_out(ci, query="?environment=Staging&dry_run=yes", **notification("run:completed"))

    assert (report["result"], report["sha"], report["environment"]) == ("deploy", "a", "staging")


def test_a_terraform_notification_that_registers_nothing(ci: World) -> None:
    expected = {
        "dry_run": True,
        "result": "ignored",
        "would_answer": {"status": 200, "text": "Success"},
        "organization": "acme",
        "project": "shop",
        "deployment": "storefront",
        "environment": "production",
    }
    assert try_out(ci, **VERIFICATION) == expected
    assert try_out(ci, **notification("run:applying"), query="?dry_run&environment=Staging") == expected | {
        "environment": "staging"
    }
    assert try_out(ci, **VERIFICATION, query="?dry_run&environment=nowhere") == expected | {"environment": None}


def test_a_terraform_run_that_is_registered_already(ci: World) -> None:
    call(ci.path, json.dumps(notification("run:completed")), headers=bearer(ci.secret))

    report = try_out(ci, **notification("run:completed"))

    assert (report["result"], report["would_answer"]) == ("duplicate", {"status": 200, "text": "Success"})


def test_a_mapping_is_not_held_against_a_client_that_names_no_branch(ci: World) -> None:
    production = ci.project.environments.get(slug="production")
    map_branch(deployment=ci.deployment, environment=production, branch="release/*")

    for report in (try_sweetr(ci), try_out(ci, **notification("run:completed"))):
        assert report["branch"] == {"sent": None, "mapping": "release/*", "matches": True}
        assert report["result"] == "deploy"


# --- Sweetr -----------------------------------------------------------------------------------------


def try_sweetr(world: World, **fields: Any) -> Any:
    return try_out(world, path=PATH, **(REQUIRED | fields))


def test_what_sweetr_would_create(ci: World) -> None:
    report = try_sweetr(ci, app="Backend API", environment="QA")

    assert (report["result"], report["project"], report["deployment"]) == ("deploy", "shop", "backend-api")
    assert report["version"] == "v1.4.2"
    assert report["would_answer"] == {"status": 202, "text": '{"status": 202}'}
    assert report["would_create"] == [
        {"kind": "deployment", "slug": "backend-api", "name": "Backend API"},
        {"kind": "environment", "slug": "qa", "name": "QA"},
    ]
    assert try_sweetr(ci)["would_create"] == []


def test_sweetr_would_create_the_first_project(ci: World) -> None:
    ci.organization = make_organization("empty")
    ci.token, ci.secret = make_token(ci.organization)

    report = try_sweetr(ci)
    kinds = [item["kind"] for item in report["would_create"]]
    assert report["change_type"] == "forward"

    assert kinds == ["project", "environment", "deployment"]


def test_sweetr_would_change_nothing(ci: World) -> None:
    assert call(PATH, json.dumps(REQUIRED), headers=bearer(ci.secret)).status_code == 202

    report = try_sweetr(ci)
    assert (report["result"], report["would_answer"]["status"]) == ("duplicate", 202)
    assert report["change_type"] == "no_change"
    assert report["duplicate_of"]["version"] == REQUIRED["version"]


def test_the_change_type_of_sweetrs_calls(ci: World) -> None:
    for commit in ("a", "b"):
        assert call(PATH, json.dumps(REQUIRED | {"commitHash": commit}), headers=bearer(ci.secret)).status_code == 202

    found = {
        (commit, version): (report["result"], report["change_type"])
        for commit, version in (("b", "v1.4.2"), ("b", "v2"), ("a", "v1.4.2"), ("c", "v2"))
        if (report := try_sweetr(ci, commitHash=commit, version=version))
    }
    assert found == {
        ("b", "v1.4.2"): ("duplicate", "no_change"),
        ("b", "v2"): ("deploy", "no_change"),
        ("a", "v1.4.2"): ("rollback", "rollback"),
        ("c", "v2"): ("deploy", "forward"),
    }


@pytest.mark.parametrize("fields", [{"version": ""}, {"deployedAt": "soon"}])
def test_sweetr_would_refuse_it(ci: World, fields: dict[str, Any]) -> None:
    body = json.dumps(REQUIRED | fields)
    before = count_rows()

    real, tried = (call(PATH + query, body, headers=bearer(ci.secret)) for query in ("", "?dry_run=1"))

    assert (tried.status_code, tried.content) == (real.status_code, real.content)
    assert tried.status_code == 422
    assert count_rows() == before
