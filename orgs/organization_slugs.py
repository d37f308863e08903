"""Slugs of organizations: global, no part of our own addresses, and no former slug of another organization."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import get_resolver

from orgs.models import FormerSlug, Organization

SLUG_TAKEN = "This slug is in use, or another organization had it before: choose another."
SLUG_RESERVED = "This word is part of Gumshoe's own addresses: choose another."

# For pages that we may add.
KEPT_FREE = frozenset(
    ["about", "docs", "help", "login", "logout", "media", "new", "search", "settings", "signup", "status", "webhooks"]
)
FIRST_WORD = re.compile(r"\^?([a-z0-9_-]+)(?:/|$|\$)")


@cache
def reserved_slugs() -> frozenset[str]:
    paths = (settings.STATIC_URL, *settings.API_PATH_PREFIXES)
    return KEPT_FREE | {path.strip("/").partition("/")[0] for path in paths} | set(first_words(get_resolver()))


def first_words(resolver: Any) -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = str(entry.pattern)
        if match := FIRST_WORD.match(path):
            yield match[1]
        elif not path:
            yield from first_words(entry) if hasattr(entry, "url_patterns") else ()


def cannot_be_claimed(slug: str) -> bool:
    return (
        slug in reserved_slugs()
        or Organization.objects.filter(slug=slug).exists()
        or FormerSlug.objects.filter(slug=slug).exists()
    )


def claim_slug(*, organization: Organization, former: str = "") -> None:
    """Call it once the row with the new slug is written: from then on nobody else can leave that slug behind.

    Raises ValidationError, which must end the transaction.
    """
    if organization.slug in reserved_slugs():
        raise ValidationError({"slug": SLUG_RESERVED})
    if FormerSlug.objects.filter(slug=organization.slug).exclude(organization=organization).exists():
        raise ValidationError({"slug": SLUG_TAKEN})
    FormerSlug.objects.filter(organization=organization, slug=organization.slug).delete()
    if former:
        FormerSlug.objects.create(organization=organization, slug=former)
