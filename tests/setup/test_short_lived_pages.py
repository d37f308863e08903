"""Short-lived environments on pages and in the read API."""

import re
from datetime import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from deployments.setup.moving import move_deployment
from orgs.models import AuditEvent, Environment, Project
from orgs.services import (
    NewEnvironment,
    create_environment,
    move_environment,
    order_environments,
    set_default_environment,
    update_project,
)
from tests.calls import bearer
from tests.conftest import World
from tests.documented import assert_documented
from tests.factories import make_project, make_token
from tokens.scopes import Scope

SETTINGS = "/acme/projects/shop/settings"
API = "/api/1/organizations/acme/environments"


@pytest.fixture
def reviewing(ci: World) -> World:
    update_project(project=ci.project, short_lived_patterns=["review/*"])
    return ci


def review(world: World, number: int = 1) -> Environment:
    assert world.register(sha=f"a{number}", environment=f"review/{number}").status_code == 200
    return Environment.objects.get(name=f"review/{number}")


# --- The project's settings -------------------------------------------------------------------------


def test_patterns_are_set_on_the_project(ci: World, page: Client) -> None:
    body = {"name": "Shop", "short_lived_patterns": " review/* \n\npr-*\nreview/*", "short_lived_days": "3"}

    assert page.post(SETTINGS, body).status_code == 302

    project = Project.objects.get(pk=ci.project.pk)
    assert (project.short_lived_patterns, project.short_lived_days) == (["review/*", "pr-*"], 3)
    event = AuditEvent.objects.get(action="project.changed")
    assert event.changes == {"short_lived_patterns": [[], ["review/*", "pr-*"]], "short_lived_days": [14, 3]}
    shown = page.get(SETTINGS).content.decode()
    assert "review/*\npr-*" in shown
    assert page.post(SETTINGS, {"name": "Shop"}).status_code == 302
    project.refresh_from_db()
    assert (project.short_lived_patterns, project.short_lived_days) == ([], 14)


@pytest.mark.parametrize(
    ("patterns", "days", "says"),
    [
        ("*", "14", "must be the beginning of a name and a *"),
        ("review", "14", "must be the beginning of a name and a *"),
        ("review/*/*", "14", "must be the beginning of a name and a *"),
        ("re*view", "14", "must be the beginning of a name and a *"),
        ("x" * 100 + "*", "14", "must be the beginning of a name and a *"),
        ("\n".join(f"r{n}*" for n in range(21)), "14", "at most 20 are possible"),
        ("review/*", "0", "greater than or equal to 1"),
        ("review/*", "91", "less than or equal to 90"),
        ("review/*", "a week", "whole number"),
    ],
)
def test_patterns_that_are_none(ci: World, page: Client, patterns: str, days: str, says: str) -> None:
    response = page.post(SETTINGS, {"name": "Shop", "short_lived_patterns": patterns, "short_lived_days": days})

    assert (response.status_code, says in response.content.decode()) == (200, True)
    assert Project.objects.get(pk=ci.project.pk).short_lived_patterns == []


@pytest.mark.parametrize("days", [0, 91])
def test_the_database_holds_the_days(ci: World, days: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.filter(pk=ci.project.pk).update(short_lived_days=days)


# --- Where they are shown ---------------------------------------------------------------------------


def test_fifty_of_them_take_one_column(reviewing: World, page: Client, settings: Settings) -> None:
    settings.MAX_ENVIRONMENTS = 60
    plain = page.get("/acme").content.decode()
    for number in range(50):
        review(reviewing, number)

    home = page.get("/acme").content.decode()

    assert "Short-lived" not in plain
    assert re.findall(r'<th scope="col">(?:<span.*?</svg>)?([^<]+)', home) == [
        *("Deployment", "Staging", "Production", "Short-lived"),
    ]
    assert 'colspan="4"' in home
    assert [name in home for name in ("review/49", "review/48", "review/47")] == [True, True, False]
    assert "ends in 14 days" in home
    assert "all 50 short-lived" in home
    assert len(home) < len(plain) + 5_000


def test_pages_mark_them(reviewing: World, page: Client) -> None:
    found = review(reviewing)

    for path in ("/acme/projects/shop", "/acme/deployments/storefront"):
        shown = page.get(path).content.decode()
        assert "review/1" in shown
        assert re.search(r"short-lived, <time [^>]*>ends in 14 days", shown), path
    own = page.get(f"/acme/projects/shop/environments/{found.slug}/settings").content.decode()
    assert "review/1 is short-lived" in own
    assert "Make it the default" not in own
    for path in ("/acme/projects", "/acme/deployments/storefront/settings"):
        assert "review/1" not in page.get(path).content.decode(), path
    assert "review/1" in page.get("/acme/projects/shop/new-manual-change").content.decode()


def test_the_read_api_has_the_end(reviewing: World) -> None:
    found = review(reviewing)
    _, secret = make_token(reviewing.organization, Scope.READ)

    answer = reviewing.client.get(API, headers=bearer(secret))

    assert_documented(API, answer)
    assert found.ends_at is not None
    ends = {row["slug"]: row["ends_at"] for row in answer.json()}
    assert list(ends) == ["staging", "production", "review-1"]
    assert [ends["staging"], ends["production"]] == [None, None]
    assert datetime.fromisoformat(ends["review-1"]) == found.ends_at


# --- Neither default nor in the promotion path ------------------------------------------------------


def test_it_cannot_become_the_default(reviewing: World, page: Client) -> None:
    found = review(reviewing)

    with pytest.raises(ValidationError, match="is short-lived"):
        set_default_environment(environment=found)
    page.post(f"/acme/projects/shop/environments/{found.slug}/default")
    with pytest.raises(IntegrityError), transaction.atomic():
        Environment.objects.filter(pk=found.pk).update(is_default=True)
    assert Environment.objects.get(is_default=True).slug == "production"


def test_it_stays_behind_the_path(reviewing: World) -> None:
    found = review(reviewing)
    last = create_environment(project=reviewing.project, new=NewEnvironment(name="Last"))
    staging, production = reviewing.project.environments.filter(slug__in=("staging", "production")).order_by("position")

    order_environments(project=reviewing.project, environments=[found, last, production, staging])
    move_environment(environment=Environment.objects.get(pk=found.pk), towards_end=False)

    names = reviewing.project.environments.order_by("position", "pk").values_list("slug", flat=True)
    assert list(names) == ["last", "production", "staging", "review-1"]


def test_a_deployment_that_moves_takes_its_end_along(reviewing: World) -> None:
    found = review(reviewing)
    elsewhere = make_project(reviewing.organization, "Elsewhere")

    move_deployment(deployment=reviewing.deployment, project=elsewhere)

    moved = elsewhere.environments.get(name="review/1")
    assert (moved.ends_at, moved.position) == (found.ends_at, found.position)
