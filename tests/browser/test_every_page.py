"""Every page as axe and a phone see it: WCAG 2.1 A and AA in light and dark, and no scrolling to the side."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route
from pytest_django import Settings

from orgs.models import User
from tests.browser.conftest import Visit
from tests.browser.looking import faults_of
from tests.browser.steps import press
from tests.browser.visitors import (
    Visitor,
    nobody,
    owner_of_much,
    owner_of_nothing,
    somebody_who_owes_a_code,
    somebody_with_a_second_factor,
    somebody_without_anything,
)
from tests.browser.walking import address, routes
from tests.conftest import World
from tests.factories import signed_in

# Routes that show no page to who just looks.
POSTED_TO = {
    *("default-environment", "delete-environment", "order-environments", "restore-environment"),
    *(
        "delete-deploy",
        "restore-deploy",
        "delete-deployment",
        "restore-deployment",
        "delete-project",
        "restore-project",
    ),
    *("replay-request", "resend-invitation", "undo-import", "cancel-import"),
    *("delete-manual-change", "restore-manual-change", "delete-impact-source", "restore-impact-source"),
}
FOR_MACHINES = {
    *("register-deploy", "sweetr-deployments", "import-deploys", "register-manual-deploy", "register-metric"),
    *("register-incident", "register-incident-by-path", "graphql"),
    *("live", "deploy", "deploy-commits", "deploy-files", "deploy-pull-requests", "export-timeline", "manual-change"),
    *("organizations-list", "projects-list", "environments-list", "deployments-list", "deploys-list", "commit"),
    *("manual-changes-list", "incidents-list"),
    *("schema", "openapi", "mfa_download_recovery_codes"),
}
PART_OF_A_PAGE = {"deployment-first-call"}
LEADS_ELSEWHERE = {"audited"}
OF_AN_ISSUER = {"openid_connect_login", "openid_connect_callback"}
WITHOUT_A_PAGE = POSTED_TO | FOR_MACHINES | PART_OF_A_PAGE | LEADS_ELSEWHERE | OF_AN_ISSUER

# Who looks at what is outside of organizations. What is inside is looked at in a full and in an empty one.
OUTSIDE: dict[Callable[[], Visitor], set[str]] = {
    nobody: {
        *("account_login", "account_signup", "account_inactive", "invitation", "public-api-docs"),
        *("account_reset_password", "account_reset_password_done"),
        *("account_reset_password_from_key", "account_reset_password_from_key_done"),
        *("socialaccount_login_cancelled", "socialaccount_login_error"),
    },
    owner_of_much: {
        *("new-organization", "account_change_password", "account_reauthenticate", "account_logout"),
        *("mfa_index", "mfa_activate_totp"),
    },
    somebody_with_a_second_factor: {
        *("mfa_index", "mfa_deactivate_totp", "mfa_reauthenticate"),
        *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    },
    somebody_who_owes_a_code: {"mfa_authenticate"},
    somebody_without_anything: {
        *("start", "account_set_password"),
        *("account_request_reauthentication_code", "account_confirm_reauthentication_code"),
    },
}

# Forms that are the same in an organization that is empty.
SAME_WHEN_EMPTY = {"new-project", "new-token", "invite-member", "leave-organization", "organization-settings"}

# More of some pages.
VARIANTS = {
    "deploy-page": ("?tab=files", "?tab=request"),
    "deployment-setup": ("?ci=jenkins",),
    "home": ("?q=nothing-of-the-kind",),
    "timeline": ("?kind=rollback", "?start=never"),
    "tokens": ("?state=revoked",),
}


def inside() -> set[str]:
    return {name for name, route in routes().items() if route.startswith("<str:organization>")} - WITHOUT_A_PAGE


def test_every_page_is_looked_at() -> None:
    """A new one inside of organizations is by itself, once owner_of_much has something that it could be about."""
    assert set(routes()) == inside().union(WITHOUT_A_PAGE, *OUTSIDE.values())


@pytest.fixture(autouse=True)
def _demo_is_written_elsewhere(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


def answer_with_200(route: Route) -> None:
    """Chromium complains of a page that comes with another status, however it looks."""
    route.fulfill(response=route.fetch(max_redirects=0), status=200)


def look(page: Page, paths: Iterable[str]) -> None:
    faults = []
    for path in paths:
        page.goto(path)
        assert page.url.endswith(path), f"{path} leads to {page.url}."
        faults += [f"{path}: {fault}" for fault in faults_of(page)]
    assert not faults, "\n".join(["", *faults])


def paths_of(visitor: Visitor, names: set[str]) -> list[str]:
    found = [(name, address(name, visitor.parameters)) for name in sorted(names)]
    return [path + variant for name, path in found if path for variant in ("", *VARIANTS.get(name, ()))]


@pytest.mark.parametrize("half", [0, 1])
def test_an_organization_that_is_full_of_everything(visit: Visit, half: int) -> None:
    """Two tests, so that two processes share them."""
    visitor = owner_of_much()
    names = inside() | OUTSIDE[owner_of_much]
    assert [name for name in names if address(name, visitor.parameters) is None] == []

    look(visit(visitor.client).new_page(), paths_of(visitor, names)[half::2])


def test_an_organization_that_is_empty(visit: Visit) -> None:
    visitor = owner_of_nothing()

    look(visit(visitor.client).new_page(), paths_of(visitor, inside() - SAME_WHEN_EMPTY))


@pytest.mark.parametrize(
    "make_visitor", [nobody, somebody_with_a_second_factor, somebody_who_owes_a_code, somebody_without_anything]
)
def test_pages_outside_of_organizations(visit: Visit, make_visitor: Callable[[], Visitor]) -> None:
    visitor = make_visitor()
    page = visit(visitor.client).new_page()
    page.route("**/3rdparty/login/error/", answer_with_200)

    look(page, paths_of(visitor, OUTSIDE[make_visitor]))


def test_pages_that_say_no(visit: Visit, ci: World, observer: User) -> None:
    page = visit(signed_in(observer)).new_page()
    for path in ("/globex", "/acme/tokens"):
        page.route(f"**{path}", answer_with_200)

    look(page, ["/globex", "/acme/tokens"])


def test_forms_that_are_not_filled_in(visit: Visit, ci: World, owner: User) -> None:
    page = visit(signed_in(owner)).new_page()
    for path, button in {
        "/acme/new-project": "Create project",
        "/acme/new-deployment": "Create deployment",
        "/acme/tokens/new": "Create token",
        "/acme/members/invite": "Send invitation",
    }.items():
        page.goto(path)
        press(page, button)
        page.locator(".errorlist").first.wait_for()
        assert not list(faults_of(page)), path
