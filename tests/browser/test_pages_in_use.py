"""What works only in a browser, and what takes several pages."""

import re

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from orgs.models import User
from tests.browser.conftest import Visit
from tests.browser.steps import enter, follow, press, say_who_one_is
from tests.browser.visitors import make_user
from tests.conftest import World
from tests.factories import signed_in
from tests.orgs.signing_in import PASSWORD, totp_code


def test_a_second_factor_is_switched_on_and_asked_for(page: Page, site: str, db: None) -> None:
    user = make_user("ada")
    page.goto("/accounts/2fa/")
    say_who_one_is(page, user)
    follow(page, "Switch on")
    enter(page, "Password", PASSWORD)
    press(page, "Confirm")
    secret = page.locator("#totp-secret").inner_text()
    enter(page, "Authenticator code", totp_code(secret))
    press(page, "Switch on")
    expect(page.get_by_role("status")).to_be_visible()

    page.goto("/accounts/logout/")
    press(page, "Sign out")
    say_who_one_is(page, user)
    cache.clear()  # a code counts once in its half minute, and this one was used to switch it on
    enter(page, "Code", totp_code(secret))
    press(page, "Sign in")
    expect(page.get_by_role("heading", name="Sign in")).to_be_hidden()
    page.goto("/accounts/2fa/")
    expect(page.get_by_role("main")).to_contain_text("a code from your authenticator app")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_deletion_is_undone(visit: Visit, ci: World, owner: User, javascript: bool) -> None:
    ci.register(sha="abc1")
    page = visit(signed_in(owner), java_script_enabled=javascript).new_page()
    page.goto("/acme/deployments/storefront/settings")
    press(page, "Delete deployment")
    expect(page.get_by_role("link", name="Storefront", exact=True)).to_have_count(0)
    press(page, "Undo")
    expect(page.get_by_role("status")).to_contain_text("Storefront is restored.")
    follow(page, "Timeline")
    expect(page.locator("[data-row]")).to_contain_text("abc1")


def test_the_timeline_is_read_by_keyboard(visit: Visit, ci: World, owner: User) -> None:
    for sha in ("abc1", "abc2", "abc3"):
        ci.register(sha=sha)
    context = visit(signed_in(owner), permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/acme/timeline")
    rows = page.locator("[data-row]")

    page.keyboard.press("j")
    expect(rows.nth(0)).to_have_class(re.compile("selected"))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.nth(1)).to_have_class(re.compile("selected"))
    expect(page.locator(".selected")).to_have_count(1)
    page.keyboard.press("c")
    expect(rows.nth(1).locator(".copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "abc2"
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="abc3", level=1)).to_be_visible()
