"""A deploy as JSON: where ``Location`` leads, and what ``Prefer: return=representation`` gives."""

import json
from typing import Any

import pytest
from django.test import Client

from deployments.deploys.services import set_health
from deployments.models import Deploy, Health
from orgs.audit import Actor, acting_as
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.imports.histories import START, minute
from tokens.scopes import Scope
from tokens.services import limit_token

BODY: dict[str, Any] = {
    "sha": "5b1b8a2",
    "branch": "main",
    "date": "2024-05-01T14:35:00.5+02:00",
    "email": "ann@example.com",
    "tags": "#beta,#alpha",
    "links": {"build": "https://ci.example.com/7"},
    "commits": [
        {
            "revision": "5b1b8a2",
            "message": "Sell socks\n\nThey are warm.",
            "author": {"name": "Ann", "email": "ann@example.com"},
            "date": "2024-05-01T12:05:00Z",
        }
    ],
    "files": [{"path": "socks.py", "additions": 12, "deletions": 3}],
    "pull_requests": [{"number": 7, "title": "Socks"}],
}


def get(path: str, secret: str) -> Any:
    return Client().get(path, headers={"Authorization": f"Bearer {secret}"})


def test_the_whole_representation(ci: World, reader: str) -> None:
    response = ci.register(**BODY)
    deploy_id = int(response.headers["X-Deploy-Id"])
    answer = get(response.headers["Location"], reader)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    deploy = Deploy.objects.get()
    assert answer.json() == {
        "id": deploy_id,
        "url": f"/api/1/organizations/acme/deploys/{deploy_id}",
        "organization": "acme",
        "project": "shop",
        "deployment": "storefront",
        "environment": "production",
        "sha": "5b1b8a2",
        "version": None,
        "branch": "main",
        "title": "Sell socks",
        "deployed_at": "2024-05-01T12:35:00.500000Z",
        "registered_at": deploy.created_at.isoformat().replace("+00:00", "Z"),
        "status": "succeeded",
        "external_id": None,
        "change_type": "forward",
        "live": True,
        "health": None,
        "health_set_by": None,
        "health_set_at": None,
        "restores": None,
        "rolled_back_by": None,
        "author": {"name": "Ann", "email": "ann@example.com"},
        "tags": ["#alpha", "#beta"],
        "links": {"build": "https://ci.example.com/7"},
        "first_commit_at": "2024-05-01T12:05:00Z",
        "lead_time": 1800,
        "commit_count": 1,
        "file_count": 1,
        "pull_request_count": 1,
        "additions": 12,
        "deletions": 3,
        "commits": [
            {
                "revision": "5b1b8a2",
                "message": "Sell socks\n\nThey are warm.",
                "author": {"name": "Ann", "email": "ann@example.com", "username": None},
                "date": "2024-05-01T12:05:00Z",
                "files": [],
                "url": None,
            }
        ],
        "files": [{"path": "socks.py", "additions": 12, "deletions": 3, "url": None}],
        "pull_requests": [
            {
                "number": "7",
                "title": "Socks",
                "url": None,
                "branch": None,
                "author": None,
                "created_at": None,
                "first_review_at": None,
                "merged_at": None,
                "issue_keys": [],
            }
        ],
    }


def test_the_health_that_somebody_set(ci: World, reader: str) -> None:
    location = ci.register(sha="a").headers["Location"]
    with acting_as(Actor(label="ann@example.com")):
        set_health(deploy=Deploy.objects.get(), health=Health.AILING, now=START)

    answer = get(location, reader).json()

    assert (answer["health"], answer["health_set_by"]) == ("ailing", "ann@example.com")
    assert answer["health_set_at"] == "2024-05-01T12:00:00Z"


def test_what_is_not_known_is_null_or_empty(ci: World, reader: str) -> None:
    answer = get(ci.register(sha="a").headers["Location"], reader).json()

    assert {name: answer[name] for name in ("branch", "title", "first_commit_at", "lead_time")} == {
        "branch": None,
        "title": None,
        "first_commit_at": None,
        "lead_time": None,
    }
    assert (answer["author"], answer["tags"], answer["links"]) == ({"name": None, "email": None}, [], {})
    assert (answer["commit_count"], answer["file_count"], answer["pull_request_count"]) == (0, 0, 0)


@pytest.mark.parametrize(
    "prefer", ["return=representation", "respond-async, return=representation", "RETURN=Representation"]
)
def test_the_caller_may_have_the_representation_at_once(ci: World, reader: str, prefer: str) -> None:
    response = ci.register(**BODY, headers={"Prefer": prefer})

    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "return=representation")
    # What was changed to be stored is told once, to whoever sent it.
    assert response.json() == {"dropped": []} | get(response.headers["Location"], reader).json()


@pytest.mark.parametrize("prefer", [None, "", "return=minimal", "respond-async"])
def test_any_other_preference_gets_the_text(ci: World, prefer: str | None) -> None:
    response = ci.register(**BODY, headers={"Prefer": prefer} if prefer is not None else {})

    assert (response.content, response.headers.get("Preference-Applied")) == (b"Success", None)


def test_rollbacks_name_each_other(ci: World, reader: str) -> None:
    locations = [ci.register(sha=sha, date=minute(n)).headers["Location"] for n, sha in enumerate("aba")]
    first, undone, rollback = (get(location, reader).json() for location in locations)

    assert (rollback["restores"], rollback["rolled_back_by"], rollback["live"]) == (first["id"], None, True)
    assert (undone["restores"], undone["rolled_back_by"], undone["live"]) == (None, rollback["id"], False)
    assert (first["restores"], first["rolled_back_by"], first["live"]) == (None, None, False)


def test_who_may_read_a_deploy(ci: World, other: World, reader: str) -> None:
    location = ci.register(sha="a").headers["Location"]
    all_ = make_token(ci.organization, Scope.ALL)[1]
    stranger = make_token(other.organization, Scope.READ)[1]

    statuses = {secret: get(location, secret).status_code for secret in (reader, all_, ci.secret, stranger, "gum_x")}

    assert list(statuses.values()) == [200, 200, 403, 401, 401]
    # Nor does a token of one's own organization open another's deploy.
    foreign = other.register(sha="b").headers["X-Deploy-Id"]
    assert get(f"/api/1/organizations/acme/deploys/{foreign}", reader).status_code == 404
    assert get("/api/1/organizations/acme/deploys/999999", reader).status_code == 404


@pytest.mark.parametrize("limit", ["deployment", "environment"])
def test_a_limited_token_reads_within_its_limits(ci: World, limit: str) -> None:
    api = make_deployment(ci.project, name="Api")
    token, secret = make_token(
        ci.organization,
        Scope.READ,
        environments=[ci.project.environments.get(slug="staging")] if limit == "environment" else [],
    )
    if limit == "deployment":
        limit_token(token=token, deployments=[api])
    inside = ci.register(sha="a", environment="staging", path=ci.path.replace("storefront", "api"))
    outside = ci.register(sha="a")

    assert get(inside.headers["Location"], secret).status_code == 200
    assert get(outside.headers["Location"], secret).status_code == 404


@pytest.mark.parametrize("details", [0, 20])
def test_reading_costs_the_same_whatever_a_deploy_brought(
    ci: World, reader: str, details: int, django_assert_num_queries: Any
) -> None:
    response = ci.register(
        sha="a",
        tags=[f"#tag-{n}" for n in range(details)],
        commits=[{"revision": f"{n}"} for n in range(details)],
    )
    get(response.headers["Location"], reader)

    # The token, the deploy with its place, its tags, links, commits, files and pull requests.
    with django_assert_num_queries(7):
        answer = get(response.headers["Location"], reader)
    assert json.loads(answer.content)["commit_count"] == details
    assert Deploy.objects.count() == 1
