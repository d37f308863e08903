"""Fields that several wire formats have: tags, links and yes or no, as callers write them."""

import re
from typing import Any

from deployments.api.dropped import Dropped
from deployments.api.schemas import load_schema
from deployments.errors import InvalidField
from deployments.models.change import MAX_TAG_LENGTH

TAG = re.compile(r"#([a-z0-9_-]+)")
TAG_RULE = f"write # and up to {MAX_TAG_LENGTH} lower-case letters, digits, - or _, with commas between tags"
SLEUTH_FIELDS = load_schema("register_deploy")["properties"]
_, TAG_LIST = SLEUTH_FIELDS["tags"]["anyOf"]
MAX_TAGS = TAG_LIST["maxItems"]
EMAIL = re.compile(SLEUTH_FIELDS["email"]["pattern"])


def read_tags(texts: list[str], dropped: Dropped | None = None) -> tuple[str, ...] | None:
    """Tags without their #, once each. None if there are none: then the changed files decide.

    What is no tag goes to ``dropped``. Raises InvalidField for it if there is none.
    """
    tags: dict[str, None] = {}
    for tag in filter(None, (part.strip() for text in texts for part in text.split(","))):
        match = TAG.fullmatch(tag)
        if match and len(match[1]) <= MAX_TAG_LENGTH:
            tags[match[1]] = None
        elif dropped is None:
            raise InvalidField(f"The tag '{tag[:60]}' is not valid: {TAG_RULE}.")
        else:
            dropped.leave_out(f"tag '{tag[:60]}'", lambda: TAG_RULE)
    if len(tags) > MAX_TAGS:
        if dropped is None:
            raise InvalidField(f"tags has {len(tags)} items: at most {MAX_TAGS} are accepted.")
        dropped.cut_list("tags", len(tags), MAX_TAGS)
    return tuple(tags)[:MAX_TAGS] or None


def read_flag(value: Any) -> bool:
    """PHP and Perl write true as 1."""
    return value == 1 or str(value).lower() in ("true", "1")


def split_tags(text: str) -> list[str]:
    return [tag for tag in text.split(",") if tag.strip()]


def split_link(text: str, dropped: Dropped) -> dict[str, str]:
    """``name=url``; the url may have more = in it."""
    name, equals, url = (part.strip() for part in text.partition("="))
    if equals:
        return {name: url}
    dropped.leave_out("links", lambda: "write name=url, or an object of names and addresses")
    return {}
