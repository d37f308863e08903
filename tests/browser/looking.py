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
  const options = { resultTypes: ["violations"], preload: false, ...(rules && { runOnly: rules }) };
  const { violations } = await axe.run(options);
  return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, any, all, none }) =>
    `${id} (${impact}): ${html} ${[...any, ...all, ...none].map(({ message }) => message).join(", ")}`));
}"""
OPEN = "(parts, open) => parts.forEach(part => { part.open = open; })"
# What follows in a list is like what it begins with, and axe takes its time for each.
SHORTEN_LISTS = """() => {
  const more = ":is(a, li, option, tr, [data-row]):nth-of-type(n + 6)";
  document.querySelectorAll(more).forEach(item => item.remove());
}"""
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
    """What does not fit on a phone, and what axe finds in light and in dark. Leaves lists shorter than they were."""
    page.evaluate(AXE)
    details, menus = page.locator("details"), page.locator("details.menu")
    details.evaluate_all(OPEN, True)
    for phone in PHONES:
        page.set_viewport_size(phone)
        for part in page.evaluate(STICKING_OUT):
            yield f"on {phone['width']} px: {part}"
    page.set_viewport_size(DESKTOP)
    page.evaluate(SHORTEN_LISTS)
    # An open menu hides what is behind it, so it is looked at in one of the two.
    menus.evaluate_all(OPEN, False)
    page.emulate_media(color_scheme="light")
    for violation in page.evaluate(RUN_AXE, None):
        yield f"light: {violation}"
    menus.evaluate_all(OPEN, True)
    page.emulate_media(color_scheme="dark")
    for violation in page.evaluate(RUN_AXE, RULES_ABOUT_COLOURS):
        yield f"dark: {violation}"
