"""What people do on the pages, by the words that they read there, and what their CI does meanwhile."""

import http.client
import json
import re
from contextlib import closing
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from deployments.request_log.writer import request_log
from orgs.models import User
from tests.orgs.signing_in import PASSWORD


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def follow(page: Page, words: str) -> None:
    page.get_by_role("link", name=words, exact=True).first.click()


def enter(page: Page, label: str, text: str) -> None:
    page.get_by_label(re.compile(rf"^{label}( \(optional\))?$")).fill(text)


def go_to(page: Page, room: str) -> None:
    page.get_by_role("banner").get_by_role("link", name=room, exact=True).click()


def say_who_one_is(page: Page, user: User) -> None:
    enter(page, "E-mail address", user.email)
    enter(page, "Password", PASSWORD)
    press(page, "Sign in")


def make_project(page: Page) -> None:
    """From an empty home: project Shop, with Preview after Staging and Production."""
    follow(page, "Create a deployment")
    follow(page, "Create a project")
    enter(page, "Name", "Shop")
    enter(page, "Environments", "Staging, Production")
    press(page, "Create project")
    expect(page.get_by_role("status")).to_contain_text("Shop is created.")
    follow(page, "New environment")
    enter(page, "Name", "Preview")
    press(page, "Create environment")
    expect(page.get_by_role("status")).to_contain_text("Preview is created")


def make_deployment(page: Page) -> None:
    """Storefront of Shop; leads to its set-up."""
    follow(page, "New deployment")
    enter(page, "Name", "Storefront")
    press(page, "Create deployment")
    expect(page.get_by_label("First call")).to_contain_text("Waiting")


def make_token(page: Page) -> str:
    """From the set-up of a deployment; leads to the page that shows the secret."""
    follow(page, "Create a token")
    press(page, "Create token")
    return shown_secret(page)


def shown_secret(page: Page) -> str:
    secret = page.get_by_label("Secret", exact=True).locator("code")
    expect(secret).to_have_text(re.compile(r"^gum_\w+$"))
    return secret.inner_text()


def register(site: str, secret: str, **body: object) -> tuple[int, str]:
    """Post to Storefront of Acme as its CI does; gives status and answer. The call is in the request log afterwards."""
    path = "/api/1/deployments/acme/storefront/register_deploy"
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection(urlsplit(site).netloc, timeout=30)) as connection:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.status, response.read().decode()
    # The server runs in a thread of the test, which writes the log in place of the server's own.
    request_log.flush()
    return answer
