"""A browser that keeps what a page complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, WebError

# Chromium itself writes a violation to the console, but not one of a policy that only reports.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`Violation of ${event.effectiveDirective}: ${event.blockedURI}`);
});
"""
SECONDS = 30


class Complaints:
    """What the pages of a context wrote to the console as errors, and what their scripts threw."""

    def __init__(self, context: BrowserContext) -> None:
        self.texts: list[str] = []
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self.hear)
        context.on("weberror", self.catch)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            self.texts.append(f"{message.text} ({message.location['url']})")

    def catch(self, error: WebError) -> None:
        self.texts.append(str(error.error))


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A context, that is a visitor with cookies of their own; ``options`` are those of Playwright's new_context.

    Raises AssertionError at the end if any of its pages complained.
    """
    context = browser.new_context(**options)
    context.set_default_timeout(SECONDS * 1000)
    complaints = Complaints(context)
    try:
        yield context
    finally:
        context.close()
    assert not complaints.texts, "\n".join(["The browser complained:", *complaints.texts])
