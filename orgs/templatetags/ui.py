"""What every page's templates need: icons, times, environments."""

from datetime import datetime
from math import ceil
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orgs.models import Environment
from orgs.pages import undo_url
from orgs.roles import Permission, role_allows

register = template.Library()
register.filter("undo_url", undo_url)

# In seconds. static/js/app.js, which updates the words, has the same steps.
UNITS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3_600), ("minute", 60))


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decoration, hidden from screen readers."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """The time since ``moment`` in words, with the exact time on hover, in the organization's zone on its pages."""
    if moment is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        moment.isoformat(),
        f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}",
        words_since(moment, timezone.now()),
    )


def words_since(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    for unit, length in UNITS:
        if (count := int(abs(seconds) // length)) >= 1:
            words = plural(count, unit)
            return f"in {words}" if seconds < 0 else f"{words} ago"
    return "just now"


@register.filter
def ends(moment: datetime) -> SafeString:
    """``ends in 5 days``, with the exact time on hover."""
    seconds = (moment - timezone.now()).total_seconds()
    words = f"ends in {plural(ceil(seconds / 86_400), 'day')}" if seconds > 0 else "ends within the hour"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M} UTC", words
    )


@register.filter
def plural(count: int, noun: str) -> str:
    """``3 deploys``, ``1 deploy``. An irregular noun is written ``entry,entries``."""
    singular, _, many = noun.partition(",")
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


@register.filter
def duration(seconds: int | None) -> str:
    """Seconds in the two largest units: ``2 d 4 h``."""
    if seconds is None:
        return ""
    parts: list[str] = []
    for letter, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(int(seconds), length)
        if count or (letter == "s" and not parts):
            parts.append(f"{count} {letter}")
    return " ".join(parts[:2])


@register.simple_tag
def environment(item: Environment) -> SafeString:
    """Name and colour. The colour is an SVG, since the CSP allows no style attributes."""
    return format_html(
        '<span class="environment"><svg class="dot" viewBox="0 0 10 10" aria-hidden="true">'
        '<circle cx="5" cy="5" r="5" fill="{}"/></svg>{}</span>',
        item.colour,
        item.name,
    )


@register.simple_tag(takes_context=True)
def allowed(context: dict[str, Any], permission: str) -> bool:
    """Whether the member has the permission of that name, such as ``MANAGE_TOKENS``."""
    membership = getattr(context["request"], "membership", None)
    return membership is not None and role_allows(membership.role, Permission[permission])
