"""Sleuth's ``register_deploy``: fields of a request → Registration.

https://help.sleuth.io/sleuth-api/deploy-registration; what its clients really send is in tests/compat.
"""

import re
from datetime import UTC, datetime
from typing import Any

from deployments.models.change import MAX_TAG_LENGTH
from deployments.registration.dates import MAX_AHEAD, parse_date
from deployments.registration.errors import InvalidField
from deployments.registration.registration import NewCommit, NewFile, NewPullRequest, Registration
from deployments.wire.body import is_absent
from deployments.wire.schemas import check_fields, load_schema

# The text is Sleuth's, with its two spaces; clients compare it.
INVALID_DATE = "Invalid date format.  Must be in ISO 8601 format"
TAG = re.compile(r"#([a-z0-9_-]+)")
MAX_TAGS = load_schema("register_deploy")["properties"]["tags"]["maxItems"]


def read_registration(fields: dict[str, Any]) -> Registration:
    """Raises InvalidField with the first problem."""
    fields = without_absent(fields)
    if "sha" not in fields and "name" in fields:
        raise InvalidField(
            "sha is required: a change without code is registered at register_manual_deploy of its project."
        )
    if "date" in fields and not isinstance(fields["date"], str):
        raise InvalidField(INVALID_DATE)
    if isinstance(fields.get("links"), str):
        fields["links"] = split_link(fields["links"])
    check_fields("register_deploy", fields)
    return Registration(
        sha=fields["sha"],
        environment=fields.get("environment", ""),
        deployed_at=read_date(fields.get("date")),
        branch=fields.get("branch", ""),
        tags=read_tags(fields.get("tags")),
        ignore_if_duplicate=str(fields.get("ignore_if_duplicate", "")).lower() == "true",
        author_email=fields.get("email", ""),
        links=tuple(fields.get("links", {}).items()),
        commits=tuple(read_commit(item, n) for n, item in enumerate(fields.get("commits", ()))),
        files=tuple(read_file(item) for item in fields.get("files", ())),
        pull_requests=tuple(read_pull_request(item, n) for n, item in enumerate(fields.get("pull_requests", ()))),
    )


def without_absent(fields: dict[str, Any]) -> dict[str, Any]:
    """Drop fields that are absent, and the white space around the others."""
    return {
        name: value.strip() if isinstance(value, str) else value
        for name, value in fields.items()
        if not is_absent(value)
    }


def read_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    date = parse_date(text)
    if date is None:
        raise InvalidField(INVALID_DATE)
    refuse_future(date, "date")
    return date


def refuse_future(date: datetime | None, field: str) -> None:
    if date and date > datetime.now(UTC) + MAX_AHEAD:
        raise InvalidField(f"{field} is in the future: send when it happened, or leave it out for now.")


def read_date_at(text: str | None, path: str) -> datetime | None:
    if not text:
        return None
    date = parse_date(text)
    if date is None:
        raise InvalidField(f"{path} must be a date in ISO 8601, such as 2024-05-01T12:35:00Z.")
    return date


def read_tags(value: str | list[str] | None) -> tuple[str, ...] | None:
    """Tags without their #, once each. None where there is none, for then the changed files decide."""
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


def split_link(text: str) -> dict[str, str]:
    """``name=url``; the url may have more = in it."""
    name, equals, url = (part.strip() for part in text.partition("="))
    if not equals:
        raise InvalidField("links must be name=url, or an object of names and addresses.")
    return {name: url}


def read_commit(item: dict[str, Any], index: int) -> NewCommit:
    author = item.get("author") or {}
    return NewCommit(
        revision=item["revision"],
        message=item.get("message") or "",
        author_name=author.get("name") or "",
        author_email=author.get("email") or "",
        author_username=author.get("username") or "",
        committed_at=read_date_at(item.get("date"), f"commits[{index}].date"),
        url=item.get("url") or "",
        files=tuple(item.get("files") or ()),
        parents=tuple(item.get("parents") or ()),
    )


def read_file(item: dict[str, Any]) -> NewFile:
    return NewFile(
        path=item["path"],
        additions=int(item.get("additions") or 0),
        deletions=int(item.get("deletions") or 0),
        url=item.get("url") or "",
    )


def read_pull_request(item: dict[str, Any], index: int) -> NewPullRequest:
    path = f"pull_requests[{index}]"
    return NewPullRequest(
        # JSON knows no whole numbers: 12.0 is 12.
        number=str(int(item["number"]) if isinstance(item["number"], float) else item["number"]),
        title=item.get("title") or "",
        url=item.get("url") or "",
        branch=item.get("branch") or "",
        author=item.get("author") or "",
        opened_at=read_date_at(item.get("created_at"), f"{path}.created_at"),
        first_reviewed_at=read_date_at(item.get("first_review_at"), f"{path}.first_review_at"),
        merged_at=read_date_at(item.get("merged_at"), f"{path}.merged_at"),
        issue_keys=tuple(item.get("issue_keys") or ()),
    )
