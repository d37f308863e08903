"""Every page as axe and a phone see it: WCAG 2.1 A and AA in light and dark, and no scrolling to the side."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from playwright.sync_api import Page, Route
from pytest_django import Settings

from tests.browser.conftest import Visit
from tests.browser.looking import faults_of
from tests.browser.visitors import (
    VISITORS,
    Visitor,
    nobody,
    owner_of_much,
    owner_of_nothing,
    somebody_who_owes_a_code,
    somebody_with_a_second_factor,
    somebody_without_anything,
)
from tests.browser.walking import named_routes

# What is no page: a route here must say why.
POSTED_TO = {
    *("default-environment", "delete-environment", "order-environments", "restore-environment"),
    *("delete-deploy", "restore-deploy", "delete-deployment", "restore-deployment", "delete-project", "restore-project"),
    *("replay-request", "resend-invitation"),
}
FOR_MACHINES = {"register-deploy", "live", "deploy", "schema", "openapi", "mfa_download_recovery_codes"}
PART_OF_A_PAGE = {"deployment-first-call"}
REFUSES = {"socialaccount_login_error"}
NEEDS_AN_ISSUER = {"openid_connect_login", "openid_connect_callback"}
NO_PAGE = POSTED_TO | FOR_MACHINES | PART_OF_A_PAGE | REFUSES | NEEDS_AN_ISSUER

# More of some pages, after their addresses.
VARIANTS = {
    "deploy-page": ("?tab=files",),
    "tokens": ("?state=revoked",),
    "timeline": ("?kind=rollback", "?start=never"),
    "home": ("?q=nothing-of-the-kind",),
    "deployment-setup": ("?ci=jenkins",),
}


@pytest.fixture(autouse=True)
def _demo_is_written_elsewhere(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.mark.django_db
def test_every_page_is_looked_at_by_somebody() -> None:
    looked_at = {name for visitor in VISITORS for name in visitor().pages()}

    assert {name for name, _ in named_routes()} == looked_at | NO_PAGE


def look(page: Page, paths: list[str]) -> None:
    faults = []
    for path in paths:
        page.goto(path)
        faults += [f"{path}: {fault}" for fault in faults_of(page)]
    assert not faults, "\n".join(["", *faults])


def paths_of(visitor: Visitor) -> list[str]:
    found = [(name, path) for name, path in visitor.pages().items() if name not in NO_PAGE]
    return [path + variant for name, path in found for variant in ("", *VARIANTS.get(name, ()))]


@pytest.mark.parametrize("half", [0, 1])
def test_an_organization_that_is_full_of_everything(visit: Visit, half: int) -> None:
    """Two tests, so that two processes share them."""
    visitor = owner_of_much()
    look(visit(visitor.client).new_page(), paths_of(visitor)[half::2])


@pytest.mark.parametrize(
    "make_visitor",
    [owner_of_nothing, nobody, somebody_with_a_second_factor, somebody_who_owes_a_code, somebody_without_anything],
)
def test_pages_with_little_on_them(visit: Visit, make_visitor: Callable[[], Visitor]) -> None:
    visitor = make_visitor()
    look(visit(visitor.client).new_page(), paths_of(visitor))
