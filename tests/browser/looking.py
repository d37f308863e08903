"""What must be true of how each page looks, whatever it is about."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
DESKTOP = ViewportSize(width=1440, height=900)
PHONES = (ViewportSize(width=360, height=740), ViewportSize(width=320, height=640))
# In the dark only colours differ.
RULES_ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
RUN_AXE = """async rules => {
  const { violations } = await axe.run({ resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
  return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, any, all, none }) =>
    `${id} (${impact}): ${html} ${[...any, ...all, ...none].map(({ message }) => message).join(", ")}`));
}"""
OPEN_ALL = "() => document.querySelectorAll('details').forEach(details => { details.open = true; })"
# What stands in a frame that scrolls by itself does not stick out. To the left of the page nobody can scroll.
STICKING_OUT = """() => {
  const box = part => part.getBoundingClientRect();
  const framed = part => part.parentElement && (
    getComputedStyle(part.parentElement).overflowX !== "visible" || framed(part.parentElement));
  const lost = [...document.querySelectorAll("details > :not(summary)")].filter(part => box(part).left < 0);
  const width = document.documentElement.scrollWidth;
  const wide = width > innerWidth
    ? [...document.querySelectorAll("body *")].filter(part => box(part).right > innerWidth && !framed(part)) : [];
  return [...lost, ...wide.slice(-3), ...(width > innerWidth ? [document.documentElement] : [])].map(
    part => `from ${box(part).left} to ${box(part).right} px: ${part.outerHTML.slice(0, 160)}`);
}"""


def faults_of(page: Page) -> Iterator[str]:
    """What axe finds in light and in dark, and what does not fit on a phone. Leaves all that can be opened open."""
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    page.evaluate(AXE)
    for violation in page.evaluate(RUN_AXE, None):
        yield f"light: {violation}"
    page.evaluate(OPEN_ALL)
    page.emulate_media(color_scheme="dark")
    for violation in page.evaluate(RUN_AXE, RULES_ABOUT_COLOURS):
        yield f"dark: {violation}"
    for phone in PHONES:
        page.set_viewport_size(phone)
        for part in page.evaluate(STICKING_OUT):
            yield f"on {phone['width']} px: {part}"
