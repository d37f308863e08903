"""What must be true of how each page looks, whatever it is about."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

# A script that pages have to have from their beginning.
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
DESKTOP = ViewportSize(width=1440, height=900)
PHONES = (ViewportSize(width=360, height=740), ViewportSize(width=320, height=640))
# In the dark only colours differ.
RULES_ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
# What follows in a list is like what it begins with, and axe takes its time for each. An open menu hides what is behind
# it, so it is looked at once open and once closed.
RUN_AXE = """async ({ rules, menusAreOpen }) => {
  const more = ":is(a, li, option, tr, [data-row]):nth-of-type(n + 6)";
  document.querySelectorAll(more).forEach(item => item.remove());
  document.querySelectorAll("details.menu").forEach(menu => { menu.open = menusAreOpen; });
  const options = { resultTypes: ["violations"], preload: false, ...(rules && { runOnly: rules }) };
  const { violations } = await axe.run(options);
  return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, any, all, none }) =>
    `${id} (${impact}): ${html} ${[...any, ...all, ...none].map(({ message }) => message).join(", ")}`));
}"""
# What stands in a frame that scrolls by itself does not stick out. To the left of the page nobody can scroll.
STICKING_OUT = """() => {
  document.querySelectorAll("details").forEach(part => { part.open = true; });
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
    """What does not fit on a phone, and what axe finds in light and in dark. Leaves lists shorter than they were."""
    for phone in PHONES:
        page.set_viewport_size(phone)
        for part in page.evaluate(STICKING_OUT):
            yield f"on {phone['width']} px: {part}"
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    for violation in page.evaluate(RUN_AXE, {"rules": None, "menusAreOpen": False}):
        yield f"light: {violation}"
    page.emulate_media(color_scheme="dark")
    for violation in page.evaluate(RUN_AXE, {"rules": RULES_ABOUT_COLOURS, "menusAreOpen": True}):
        yield f"dark: {violation}"
