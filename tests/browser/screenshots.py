"""README's screenshots, of the demo in a database of its own: ``make screenshots``. Needs Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "screenshots"
SIZE: ViewportSize = {"width": 1360, "height": 850}


def main() -> None:
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("gumshoe: there is no Chromium on this machine: apt install chromium-headless-shell")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    with TemporaryDirectory() as folder:
        own = {"VAR_DIR": folder, "DATABASE_URL": "", "SITE_URL": "", "PORT": port, "SECRET_KEY": "of screenshots only"}
        environment = {**os.environ, **own, "HOST": "127.0.0.1", "DEBUG": "false"}

        def python(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            return done.stdout

        python("manage.py", "migrate", "--verbosity=0")
        python("manage.py", "collectstatic", "--no-input", "--verbosity=0")
        python("manage.py", "demo")
        access = re.search(r"at (\S+) as (\S+) with the password (\S+)", python("manage.py", "demo", "--show"))
        assert access
        server = subprocess.Popen([sys.executable, "-m", "config.serve"], cwd=ROOT, env=environment)
        try:
            python("-m", "config.serve", "wait")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium)
                page = browser.new_context(base_url=access[1], viewport=SIZE, color_scheme="light").new_page()
                take_all(page, email=access[2], password=access[3])
                browser.close()
        finally:
            server.terminate()
            server.wait()


def take_all(page: Page, *, email: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/acme")
    take(page, "live")
    page.goto("/acme/timeline")
    take(page, "timeline")
    page.goto("/acme")
    page.get_by_role("row", name=re.compile("^Checkout")).locator("a[href*='/deploys/']").last.click()
    page.wait_for_url("**/deploys/*")
    take(page, "deploy")
    page.goto("/acme/requests?outcome=all-rejected&deployment=storefront")
    page.locator("a[href*='/requests/']").first.click()
    page.wait_for_url("**/requests/*")
    take(page, "rejected")


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
