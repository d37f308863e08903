"""What must be true of how each page looks, whatever it is about."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """rules => axe.run(document, {resultTypes: ["violations"], ...(rules && {runOnly: {type: "rule", values: rules}})})
    .then(({violations}) => violations.flatMap(({id, impact, nodes}) => nodes.map(node =>
        `${id} (${impact}): ${node.html} ${node.any.concat(node.all, node.none).map(check => check.message).join(" ")}`)))"""
DESKTOP = {"width": 1440, "height": 900}
PHONES = (360, 320)
"""What sticks out to the right, the innermost first; what stands in a frame that scrolls by itself does not."""
STICKING_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [
    `${document.documentElement.scrollWidth} px wide`,
    ...[...document.querySelectorAll("body *")].filter(part => part.getBoundingClientRect().right > innerWidth + 1)
        .slice(-3).map(part => part.outerHTML.slice(0, 120))]"""


def faults_of(page: Page) -> Iterator[str]:
    """What axe finds in light and in dark, and what does not fit on a phone. Leaves the page in light at full width."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]  # a dict is what it wants
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        yield from axe(page, scheme)
    for width in PHONES:
        page.set_viewport_size({"width": width, "height": 740})
        for fault in page.evaluate(STICKING_OUT):
            yield f"{width} px: {fault}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]


def axe(page: Page, scheme: Literal["light", "dark"]) -> Iterator[str]:
    """In the dark only colours differ."""
    page.emulate_media(color_scheme=scheme)
    for violation in page.evaluate(RUN_AXE, ["color-contrast", "link-in-text-block"] if scheme == "dark" else None):
        yield f"{scheme}: {violation}"
