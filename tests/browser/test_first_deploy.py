"""From the first sign-in to the first deploy: in three windows that nobody reloads, and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from orgs.models import User
from orgs.roles import Role
from orgs.services import add_member
from tests.browser.conftest import Visit
from tests.browser.looking import faults_of
from tests.browser.steps import (
    follow,
    go_to,
    make_deployment,
    make_project,
    make_token,
    register,
    say_who_one_is,
)
from tests.browser.visitors import make_user
from tests.factories import make_organization


@pytest.fixture
def owner(db: None) -> User:
    """Of Acme, which is empty."""
    user = make_user("ada")
    add_member(organization=make_organization("acme"), user=user, role=Role.OWNER)
    return user


def sign_in(page: Page, user: User) -> None:
    page.goto("/")
    say_who_one_is(page, user)
    expect(page.get_by_role("heading", name="Nothing is deployed yet")).to_be_visible()


def test_the_first_deploy_arrives_while_one_looks(visit: Visit, site: str, owner: User) -> None:
    context = visit()
    set_up, timeline, page = context.new_page(), context.new_page(), context.new_page()
    sign_in(set_up, owner)
    make_project(set_up)
    make_deployment(set_up)
    page.goto(set_up.url)
    secret = make_token(page)
    assert not list(faults_of(page))
    page.goto("/acme")
    timeline.goto("/acme/timeline")
    expect(timeline.get_by_role("heading", name="No deploys yet")).to_be_visible()

    # A call that is rejected says why, on the set-up page and in the request log.
    status, sentence = register(site, secret, sha="abc1", environment="nowhere")
    assert status == 400
    first_call = set_up.get_by_label("First call")
    expect(first_call).to_contain_text(sentence)
    go_to(page, "Requests")
    expect(page.get_by_role("link", name="1 call was rejected today")).to_be_visible()
    page.locator(".row a").click()
    expect(page.get_by_role("main")).to_contain_text(sentence)
    expect(page.get_by_role("main")).to_contain_text('"sha": "abc1"')
    assert secret not in page.content()

    # One that is right turns the page green, and slides into the timeline.
    assert register(site, secret, sha="abc1", branch="main") == (200, "Success")
    expect(first_call).to_contain_text("Receiving calls")
    expect(first_call).to_contain_text("abc1 went live in Production")
    row = timeline.locator("[data-row]")
    expect(row).to_contain_text("Storefront")
    expect(timeline.get_by_role("status")).to_have_text("1 new")
    row.get_by_role("link", name="abc1").click()
    expect(timeline.get_by_role("heading", name="abc1", level=1)).to_be_visible()
    go_to(page, "Live")
    expect(page.get_by_role("row", name="Storefront")).to_contain_text("abc1")


def test_without_javascript_the_same_takes_a_look_again(visit: Visit, site: str, owner: User) -> None:
    page = visit(java_script_enabled=False).new_page()
    sign_in(page, owner)
    make_project(page)
    make_deployment(page)
    set_up = page.url
    secret = make_token(page)
    follow(page, "I have stored it")
    expect(page.get_by_label("First call")).to_contain_text("Waiting")

    status, sentence = register(site, secret, sha="abc1", environment="nowhere")
    assert status == 400
    follow(page, "Reload")
    expect(page.get_by_label("First call")).to_contain_text(sentence)
    assert register(site, secret, sha="abc1") == (200, "Success")
    page.goto(set_up)
    expect(page.get_by_label("First call")).to_contain_text("abc1 went live in Production")
    go_to(page, "Timeline")
    expect(page.locator("[data-row]")).to_contain_text("Storefront")
    follow(page, "abc1")
    expect(page.get_by_role("heading", name="abc1", level=1)).to_be_visible()
