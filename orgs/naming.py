"""New rows under slugs that nobody else has, also where two are created at the same moment."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from orgs.slugs import slug_from_name
from orgs.storing import store

ATTEMPTS = 5


def save_with_slug(row: Any, *, slug: str, fallback: str, is_taken: Callable[[str], bool]) -> None:
    """Store a new row under ``slug``, or where that is empty under a free one made of its name.

    Raises ValidationError where ``slug`` is taken. ``is_taken`` is asked again after somebody was faster.
    """
    for attempt in range(1, ATTEMPTS + 1):
        row.slug = slug or slug_from_name(row.name, fallback=fallback, is_taken=is_taken)
        if slug and is_taken(slug):
            raise ValidationError({"slug": f"The slug {slug} is taken: choose another."})
        try:
            store(row)
        except ValidationError:
            if attempt == ATTEMPTS or not is_taken(row.slug):
                raise
        else:
            return
