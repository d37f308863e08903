"""Slugs: lower-case names with hyphens for spaces, as in Sleuth's documentation."""

import re
import unicodedata
from collections.abc import Callable

from django.core.exceptions import ValidationError

MAX_SLUG_LENGTH = 100
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*")


def is_slug(value: str) -> bool:
    return len(value) <= MAX_SLUG_LENGTH and SLUG.fullmatch(value) is not None


def validate_slug(value: str) -> None:
    if not is_slug(value):
        raise ValidationError(
            f"A slug has lower-case letters, digits, - and _, starts with a letter or digit, and is at most "
            f"{MAX_SLUG_LENGTH} characters long."
        )


def slug_alike(name: str) -> str:
    """The name as a slug of any length; empty if the name has no ASCII letter or digit."""
    ascii_name = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", ascii_name).strip("-_")


def slug_from_name(name: str, *, fallback: str, is_taken: Callable[[str], bool]) -> str:
    """A free slug for ``name`` (or ``fallback`` if nothing of it is ASCII), with -2, -3, … if it is taken."""
    base = (slug_alike(name) or fallback)[:MAX_SLUG_LENGTH].rstrip("-_")
    slug, number = base, 1
    while is_taken(slug):
        number += 1
        ending = f"-{number}"
        slug = base[: MAX_SLUG_LENGTH - len(ending)].rstrip("-_") + ending
    return slug
