"""Fields that several wire formats have: tags, links and yes or no, as callers write them."""

import re
from typing import Any

from deployments.api.schemas import load_schema
from deployments.errors import InvalidField
from deployments.models.change import MAX_TAG_LENGTH

TAG = re.compile(r"#([a-z0-9_-]+)")
SLEUTH_FIELDS = load_schema("register_deploy")["properties"]
MAX_TAGS = SLEUTH_FIELDS["tags"]["maxItems"]
EMAIL = re.compile(SLEUTH_FIELDS["email"]["pattern"])


def read_tags(value: str | list[str] | None) -> tuple[str, ...] | None:
    """Tags without their #, once each. None if there are none: then the changed files decide."""
    texts = [value] if isinstance(value, str) else value or []
    tags: dict[str, None] = {}
    for tag in (part.strip() for text in texts for part in text.split(",")):
        if not tag:
            continue
        match = TAG.fullmatch(tag)
        if match is None or len(match[1]) > MAX_TAG_LENGTH:
            raise InvalidField(
                f"The tag '{tag[:60]}' is not valid: write # and up to {MAX_TAG_LENGTH} lower-case letters, "
                "digits, - or _, with commas between tags."
            )
        tags[match[1]] = None
    if len(tags) > MAX_TAGS:
        raise InvalidField(f"tags has {len(tags)} items: at most {MAX_TAGS} are accepted.")
    return tuple(tags) or None


def read_flag(value: Any) -> bool:
    """PHP and Perl write true as 1."""
    return value == 1 or str(value).lower() in ("true", "1")


def split_link(text: str) -> dict[str, str]:
    """``name=url``; the url may have more = in it."""
    name, equals, url = (part.strip() for part in text.partition("="))
    if not equals:
        raise InvalidField("links must be name=url, or an object of names and addresses.")
    return {name: url}
