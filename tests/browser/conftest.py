import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.looking import AXE
from tests.browser.watching import SECONDS, watched

# The first starts and draws in half the time of the second, which has the parts of a desktop program.
CHROMIUMS = ("chromium-headless-shell", "chromium")
WITHOUT_CHROMIUM = f"there is no Chromium on this machine: apt install {CHROMIUMS[0]}"


@pytest.fixture(scope="package")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """One for all browser tests of a process.

    While Playwright's event loop runs, Django has connections of their own for it. The tests' database is made before,
    by the connection that has to let go of it in the end.
    """
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(WITHOUT_CHROMIUM)
    expect.set_options(timeout=SECONDS * 1000)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in the main thread until it ends, where Django then refuses its database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=executable, args=["--disable-gpu"])
        yield browser
        browser.close()
        connections.close_all()


@pytest.fixture
def site(live_server: LiveServer, settings: Settings) -> str:
    """The address under which a thread serves what the test stores."""
    settings.SITE_URL = live_server.url
    return live_server.url


class Visit(Protocol):
    def __call__(self, client: Client | None = None, **options: Any) -> BrowserContext: ...


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Visit]:
    """Makes visitors: signed in as the test client is, if one is given. The test fails if the browser complains."""
    with ExitStack() as stack:

        def visit(client: Client | None = None, **options: Any) -> BrowserContext:
            context = stack.enter_context(watched(chromium, base_url=site, **options))
            context.add_init_script(path=AXE)
            if client:
                cookies = [(name, morsel.value) for name, morsel in client.cookies.items()]
                context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies])
            return context

        yield visit


@pytest.fixture
def page(visit: Visit) -> Page:
    """A page of somebody who is not signed in."""
    return visit().new_page()
