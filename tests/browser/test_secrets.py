"""A token's secret is on the page that made it, once, and in nothing that the browser keeps."""

import pytest
from playwright.sync_api import Error, Page, expect

from orgs.models import User
from tests.browser.conftest import Visit
from tests.browser.steps import enter, follow, go_to, press, register, shown_secret
from tests.conftest import World
from tests.factories import signed_in


def assert_forgotten(page: Page, secret: str) -> None:
    """Neither the page nor what the browser stores has it."""
    assert secret not in page.content()
    assert secret not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")


def test_secrets_are_shown_once(visit: Visit, site: str, ci: World, owner: User) -> None:
    page = visit(signed_in(owner)).new_page()
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto("/acme")
    go_to(page, "Access tokens")
    follow(page, "New token")
    enter(page, "Name", "Laptop")
    press(page, "Create token")
    first = shown_secret(page)
    assert register(site, first, sha="a1") == (200, "Success")

    # Sent again by a reload, or reached by going back, the form shows it no more.
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("A secret is shown only once")
    assert_forgotten(page, first)
    page.go_back()
    assert_forgotten(page, first)

    go_to(page, "Access tokens")
    follow(page, "Laptop")
    assert_forgotten(page, first)
    follow(page, "Rotate…")
    page.get_by_label("24 hours").check()
    press(page, "Rotate token")
    second = shown_secret(page)
    assert second != first
    assert register(site, first, sha="a2") == (200, "Success")
    assert register(site, second, sha="a3") == (200, "Success")
    follow(page, "I have stored it")
    expect(page.get_by_label("Old secrets")).to_contain_text("Works until")
    assert_forgotten(page, second)
    # The browser has to ask for the page again, by sending the form again, and says so instead of showing it.
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()
    page.wait_for_url("chrome-error://**")
    assert second not in page.content()
    page.goto("/acme/tokens")
    follow(page, "Laptop")

    follow(page, "Revoke…")
    press(page, "Revoke token")
    expect(page.get_by_role("status")).to_contain_text("Laptop is revoked.")
    for secret in (first, second):
        assert register(site, secret, sha="a4")[0] == 401
    assert not [address for address in addresses if first in address or second in address]
