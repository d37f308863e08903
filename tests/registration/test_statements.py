"""The SQL of the hot path against the ORM's answer, and what a registration costs."""

from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from deployments.errors import TargetMoved
from deployments.models import Deploy, Target
from deployments.registration import statements
from deployments.registration.registration import NewFile
from deployments.registration.statements import PastDeploy, TargetRow
from deployments.setup.services import map_branch
from orgs.models import Environment
from orgs.services import NewEnvironment, create_environment, order_environments
from tests.conftest import World
from tests.factories import make_deployment, make_project, make_token
from tests.imports.histories import START, minute
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import limit_token
from tokens.statements import TokenRow, find_token

MICROSECONDS = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
ELSEWHERE = MICROSECONDS.astimezone(timezone(timedelta(hours=-11, minutes=-30)))

# --- Tokens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [None, START, MICROSECONDS, ELSEWHERE], ids=str)
def test_find_token(ci: World, other: World, moment: datetime | None) -> None:
    token, _ = make_token(ci.organization, Scope.READ, Scope.ALL, limited_to_deployments=moment is None)
    AccessToken.objects.filter(pk=token.pk).update(
        limited_to_environments=moment is not None, expires_at=moment, revoked_at=moment, last_used_at=moment
    )
    token = AccessToken.objects.select_related("organization").get(pk=token.pk)

    row = find_token(token.digest)

    assert row == TokenRow(
        **{field.name: getattr(token, field.name) for field in fields(TokenRow)[:-2]},
        organization_slug=token.organization.slug,
    )
    assert type(row.limited_to_deployments) is type(row.limited_to_environments) is bool
    assert row.expires_at is None or row.expires_at.tzinfo is not None


@pytest.mark.parametrize("digest", ["", "0" * 64, "' OR 1=1 --", "ä"])
def test_find_token_that_is_not_there(ci: World, digest: str) -> None:
    assert find_token(digest) is None
    assert find_token(ci.token.digest.upper()) is None


# --- Places -----------------------------------------------------------------------------------------


def places_by_orm(world: World) -> list[TargetRow]:
    places = []
    for environment in Environment.objects.filter(project=world.deployment.project).order_by("position", "id"):
        target = Target.objects.filter(deployment=world.deployment, environment=environment).first()
        places.append(
            TargetRow(
                deployment_id=world.deployment.id,
                deployment_slug=world.deployment.slug,
                project_id=world.deployment.project.id,
                project_slug=world.deployment.project.slug,
                environment_id=environment.id,
                environment_slug=environment.slug,
                environment_name=environment.name,
                is_default=environment.is_default,
                target_id=target.id if target else None,
                branch_match=target.branch_match if target else None,
                branch=target.branch if target else None,
                records_redeploys=world.deployment.records_redeploys,
                short_lived_days=environment.project.short_lived_days if environment.ends_at else None,
            )
        )
    return places


def test_find_places(ci: World, other: World) -> None:
    """In promotion order, with and without a target, and of nobody else's deployment."""
    for name in ("Canary", "Größe"):
        create_environment(project=ci.project, new=NewEnvironment(name=name))
    staging, production, canary, _ = ci.project.environments.order_by("position")
    order_environments(project=ci.project, environments=[canary, production, staging])
    map_branch(deployment=ci.deployment, environment=staging, branch="release/*")
    ci.register(sha="a")
    make_deployment(ci.project, name="Api")
    make_project(ci.organization, name="Billing")

    ends_at = datetime.now(UTC) + timedelta(days=1)
    create_environment(project=ci.project, new=NewEnvironment(name="review/1", ends_at=ends_at))
    create_environment(project=ci.project, new=NewEnvironment(name="Last"))

    places = statements.find_targets(ci.organization.id, "storefront")

    assert [place.environment_slug for place in places] == [
        *("canary", "production", "staging", "grosse", "last"),
        "review-1",
    ]
    assert places == places_by_orm(ci)
    assert {type(place.is_default) for place in places} == {bool}
    assert statements.find_targets(other.organization.id, "storefront") == places_by_orm(other)


@pytest.mark.parametrize("slug", ["", "nothing", "Storefront", "store%", "'"])
def test_find_places_of_what_is_not_there(ci: World, slug: str) -> None:
    assert statements.find_targets(ci.organization.id, slug) == []
    assert statements.find_targets(0, "storefront") == []


# --- Deploys ----------------------------------------------------------------------------------------


def past(deploy: Deploy | None) -> PastDeploy | None:
    return PastDeploy(deploy.id, deploy.sha, deploy.version, deploy.deployed_at) if deploy else None


def test_lock_target_and_find_live_and_latest(ci: World) -> None:
    ci.register(sha="b", environment="staging")
    for number, sha in enumerate("abac"):
        ci.register(sha=sha, date=(MICROSECONDS + timedelta(minutes=number)).isoformat())
    target = Target.objects.get(environment__slug="production")

    with transaction.atomic():
        live_deploy_id, environment_id = statements.lock_target(target.id)

    assert environment_id == target.environment_id
    assert live_deploy_id == target.live_deploy_id == Deploy.objects.get(sha="c").id
    for sha in ("a", "b", "c", "nothing"):
        found = statements.find_live_and_latest(target_id=target.id, live_deploy_id=live_deploy_id, sha=sha)
        latest = target.deploys.filter(sha=sha).order_by("-deployed_at", "-id").first()
        assert found == (past(target.live_deploy), past(latest), set())


def test_find_shas_that_begin_alike(ci: World) -> None:
    whole, other, short = f"abcdef1{'0' * 33}", f"abcdef1{'f' * 33}", "abcdef12"
    for sha in (whole, other, f"abcdef2{'0' * 33}", short, whole, "abcdef1-tag", "abcdef"):
        assert ci.register(sha=sha).status_code == 200
    target = Target.objects.get()
    deleted = ci.register(sha=f"abcdef1{'1' * 33}")["X-Deploy-Id"]
    Deploy.objects.filter(pk=deleted).update(deleted_at=MICROSECONDS)

    def alike(sha: str) -> set[str]:
        return statements.find_live_and_latest(target_id=target.id, live_deploy_id=target.live_deploy_id, sha=sha)[2]

    assert alike(whole) - {"abcdef1-tag"} == {other, short}
    assert alike("abcdef1") - {"abcdef1-tag"} == {whole, other, short}
    assert alike("abcdef1-tag") == alike("abcdef") == alike("abcdef3") == set()


def test_a_target_without_deploys(ci: World) -> None:
    production = ci.project.environments.get(slug="production")
    target = map_branch(deployment=ci.deployment, environment=production, branch="main")

    with transaction.atomic():
        assert statements.lock_target(target.id) == (None, production.id)
    assert statements.find_live_and_latest(target_id=target.id, live_deploy_id=None, sha="a") == (None, None, set())


def test_a_target_that_the_operator_deleted_meanwhile(ci: World) -> None:
    production = ci.project.environments.get(slug="production")
    target_id = map_branch(deployment=ci.deployment, environment=production, branch="main").id
    Target.objects.all().delete()

    with transaction.atomic(), pytest.raises(TargetMoved):
        statements.lock_target(target_id)


@pytest.mark.parametrize(
    "optional",
    [
        {"token_id": None, "first_commit_at": None, "lead_time": None},
        {"first_commit_at": START, "lead_time": 0},
        {"first_commit_at": ELSEWHERE, "lead_time": 2**40, "title": "Grüße 🎉 'quoted' %s \\", "additions": 2**40},
    ],
    ids=["null", "zero", "large"],
)
@pytest.mark.parametrize("moment", [START, MICROSECONDS, ELSEWHERE], ids=str)
@pytest.mark.parametrize("is_live", [True, False])
def test_insert_deploy(ci: World, moment: datetime, optional: dict[str, Any], *, is_live: bool) -> None:
    target = Target.objects.create(deployment=ci.deployment, environment=ci.project.environments.all()[0])
    columns = {
        "organization_id": ci.organization.id,
        "project_id": ci.project.id,
        "deployment_id": ci.deployment.id,
        "environment_id": target.environment_id,
        "target_id": target.id,
        "token_id": ci.token.id,
        "sha": "a" * 255,
        "version": "v1.4.2",
        "branch": "main",
        "deployed_at": moment,
        "title": "",
        "author_name": "Ann",
        "author_email": "ann@example.com",
        "commit_count": 1,
        "file_count": 2,
        "pull_request_count": 3,
        "additions": 4,
        "deletions": 5,
        "created_at": MICROSECONDS,
        "updated_at": START,
        **optional,
    }

    deploy_id = statements.insert_deploy(columns, is_live=is_live)

    deploy = Deploy.objects.get()
    assert deploy.id == deploy_id
    assert {name: getattr(deploy, name) for name in columns} == columns
    assert (deploy.restores_id, deploy.rolled_back_by_id) == (None, None)
    assert Deploy.objects.filter(deployed_at=moment, created_at=MICROSECONDS).exists()
    target.refresh_from_db()
    assert target.live_deploy == (deploy if is_live else None)


def test_insert_deploy_without_optional_columns(ci: World) -> None:
    target = Target.objects.create(deployment=ci.deployment, environment=ci.project.environments.all()[0])
    columns = {
        "organization_id": ci.organization.id,
        "project_id": ci.project.id,
        "deployment_id": ci.deployment.id,
        "environment_id": target.environment_id,
        "target_id": target.id,
        "sha": "a",
        "deployed_at": START,
        "created_at": START,
        "updated_at": START,
    }

    statements.insert_deploy(columns, is_live=True)

    deploy, unsaved = Deploy.objects.get(), Deploy(**columns)
    for field in Deploy._meta.concrete_fields:
        if not field.primary_key:
            assert getattr(deploy, field.attname) == getattr(unsaved, field.attname), field.name


def test_insert_files(ci: World) -> None:
    ci.register(sha="a")
    deploy = Deploy.objects.get()
    files = [
        NewFile(path="a" * 4096, additions=2**31 - 1, deletions=1, url="https://example.com/%s?\\"),
        NewFile(path="Größe '🎉'"),
    ]

    statements.insert_files(deploy_id=deploy.id, files=files)

    rows = deploy.files.values_list("path", "additions", "deletions", "url")
    assert list(rows) == [astuple(file) for file in files]


# --- What a registration costs ----------------------------------------------------------------------

NEW = {"sha": "new"}
# The token, the places; in a transaction (begin, end): the lock, the live deploy, the insert.
COST_OF_AN_INSERT = 7
# PostgreSQL says with the insert that the deploy is live.
COST = COST_OF_AN_INSERT + (connection.vendor != "postgresql")
TWENTY: dict[str, Any] = {
    "tags": [f"#tag-{n}" for n in range(20)],
    "links": {f"link {n}": "https://example.com" for n in range(20)},
    "commits": [{"revision": f"{n}", "files": [f"{n}.py"]} for n in range(20)],
    "files": [{"path": f"{n}.py"} for n in range(20)],
    "pull_requests": [{"number": n} for n in range(20)],
}
ONE = {name: value if isinstance(value, dict) else value[:1] for name, value in TWENTY.items()}


@pytest.mark.parametrize(
    ("body", "headers", "status", "queries"),
    [
        pytest.param(NEW, {}, 200, COST, id="a new sha"),
        pytest.param({**NEW, "commits": ONE["commits"]}, {}, 200, COST + 1, id="with one commit"),
        pytest.param({**NEW, "commits": TWENTY["commits"]}, {}, 200, COST + 1, id="with twenty commits"),
        pytest.param({**NEW, **ONE}, {}, 200, COST + 5, id="with one of everything"),
        pytest.param({**NEW, **TWENTY}, {}, 200, COST + 5, id="with twenty of everything"),
        # Nothing is inserted; to roll back within the test's own transaction takes one more.
        # A sha that was here before: whether it is the same call.
        pytest.param({"sha": "c"}, {}, 400, COST_OF_AN_INSERT - 1 + 1 + 1, id="a duplicate"),
        pytest.param(
            {"sha": "c", "ignore_if_duplicate": True}, {}, 200, COST_OF_AN_INSERT - 1 + 1 + 1, id="an ignored duplicate"
        ),
        # The deploy, the one it restores, the history from there on, an update of its links.
        pytest.param({"sha": "a"}, {}, 200, COST + 1 + 4, id="a rollback"),
        # The same call, both neighbours; the deploy, none like it before, the one before it, the history from there on.
        pytest.param({**NEW, "date": minute(0.5)}, {}, 200, COST_OF_AN_INSERT + 3 + 4, id="dated earlier"),
        # What expired, what is remembered; a transaction (2) with the key in one of its own (2 + 1) and the answer.
        pytest.param(NEW, {"Idempotency-Key": "new"}, 200, COST + 8, id="with an Idempotency-Key"),
        # The deploy with its place, tags, links, commits, files and pull requests.
        pytest.param(NEW, {"Prefer": "return=representation"}, 200, COST + 6, id="with the representation"),
    ],
)
def test_what_a_registration_costs(
    ci: World,
    body: dict[str, Any],
    headers: dict[str, str],
    status: int,
    queries: int,
    django_assert_num_queries: Any,
) -> None:
    """Fixed numbers of queries, however long the history and the body are."""
    for number, sha in enumerate("abc"):
        ci.register(sha=sha, date=minute(number))

    with django_assert_num_queries(queries):
        response = ci.register(headers=headers, **body)

    assert response.status_code == status


def test_what_a_replay_costs(ci: World, django_assert_num_queries: Any) -> None:
    ci.register(sha="a", headers={"Idempotency-Key": "a"})

    # The token, the places, what expired, what is remembered.
    with django_assert_num_queries(4):
        response = ci.register(sha="a", headers={"Idempotency-Key": "a"})

    assert response.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("limited_to", [("deployment",), ("environment",), ("deployment", "environment")], ids=str)
def test_what_a_limit_costs(ci: World, limited_to: tuple[str, ...], django_assert_num_queries: Any) -> None:
    """A query for each limit."""
    production = ci.project.environments.get(slug="production")
    token, secret = make_token(ci.organization, environments=[production] if "environment" in limited_to else [])
    if "deployment" in limited_to:
        limit_token(token=token, deployments=[ci.deployment])
    ci.register(sha="a", secret=secret)

    with django_assert_num_queries(COST + len(limited_to)):
        assert ci.register(sha="b", secret=secret).status_code == 200


@pytest.mark.parametrize(
    ("secret", "path", "queries"),
    [
        ("gum_wrong", "", 2),
        # Whether Acme was once called so.
        (None, "/api/1/deployments/globex/storefront/register_deploy", 2),
        (None, "/api/1/deployments/acme/-/register_deploy", 1),
        (None, "/api/1/deployments/acme/nothing/register_deploy", 2),
    ],
)
def test_what_a_refusal_costs(
    ci: World, secret: str | None, path: str, queries: int, django_assert_num_queries: Any
) -> None:
    ci.register(sha="a")

    with django_assert_num_queries(queries):
        assert ci.register(sha="b", secret=secret, path=path).status_code in (401, 404)


def test_the_first_call_in_a_target_and_of_a_token_costs_more(ci: World, django_assert_num_queries: Any) -> None:
    """When it was used (1); in a transaction (2) the deployment's lock (1) and the target's row (1, 3 to insert)."""
    with django_assert_num_queries(COST + 1 + 7):
        assert ci.register(sha="a").status_code == 200


def test_a_call_without_a_token_costs_nothing(ci: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().post(ci.path, {"sha": "a"}).status_code == 401
