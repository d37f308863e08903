"""Sleuth's ``register_deploy``: fields of a request → Registration.

https://help.sleuth.io/sleuth-api/deploy-registration; what its clients really send is in tests/compat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deployments.api.body import without_absent
from deployments.api.dates import check_dates, read_date, read_detail_date
from deployments.api.dropped import Dropped
from deployments.api.fields import read_flag, read_tags, split_link, split_tags
from deployments.api.names import plain_branch
from deployments.api.schemas import accepted_fields
from deployments.errors import InvalidField
from deployments.registration import terraform
from deployments.registration.registration import NewCommit, NewFile, NewPullRequest, Registration
from deployments.registration.statements import TargetRow
from deployments.registration.statuses import STATUS_FIELDS, read_status
from deployments.shas import folded

SCHEMA = "register_deploy"


def read_call(fields: dict[str, Any], targets: Sequence[TargetRow]) -> Registration | None:
    """Terraform Cloud can only be given an address, so its notifications arrive here, too.

    ``targets`` are those of the deployment that the path names. Returns None for a notification that registers nothing.
    Raises InvalidField and UnknownEnvironment.
    """
    if is_terraform_notification(fields):
        return terraform.read_registration(fields, targets)
    return read_registration(fields)


def is_terraform_notification(fields: Mapping[str, Any]) -> bool:
    """It has a mark or a list of notifications. A call with a sha, which could register a deploy, must have both: a
    webhook's address may name a sha, and Sleuth ignores unknown members, whatever their names are."""
    is_marked = "payload_version" in fields or "notification_configuration_id" in fields
    has_list = isinstance(fields.get("notifications"), list)
    return (is_marked and has_list) if fields.get("sha") else (is_marked or has_list)


def read_registration(fields: dict[str, Any]) -> Registration:
    """Raises InvalidField for the first problem with what names the deploy."""
    fields = without_absent(fields)
    if "sha" not in fields and "name" in fields:
        raise InvalidField(
            "sha is required: a change without code is registered at register_manual_deploy of its project."
        )
    check_dates(fields.get("date"))
    dropped = Dropped()
    if isinstance(fields.get("tags"), str):
        fields["tags"] = split_tags(fields["tags"])
    if isinstance(fields.get("links"), str):
        fields["links"] = split_link(fields["links"], dropped)
    fields = accepted_fields(SCHEMA, fields, dropped)
    ignore_if_duplicate = read_flag(fields.get("ignore_if_duplicate"))
    registration = Registration(
        sha=fields["sha"],
        status=read_status({name: fields[name] for name in STATUS_FIELDS if name in fields}, dropped),
        external_id=read_number_or_text(fields.get("id", "")),
        environment=fields.get("environment", ""),
        deployed_at=read_date(fields.get("date")),
        branch=plain_branch(fields.get("branch", "")),
        tags=read_tags(fields.get("tags", []), dropped),
        ignore_if_duplicate=ignore_if_duplicate,
        may_come_twice=ignore_if_duplicate,
        author_email=fields.get("email", ""),
        links=tuple(fields.get("links", {}).items()),
        commits=tuple(read_commit(item, n, dropped) for n, item in enumerate(fields.get("commits", ()))),
        files=tuple(read_file(item) for item in fields.get("files", ())),
        pull_requests=tuple(
            read_pull_request(item, n, dropped) for n, item in enumerate(fields.get("pull_requests", ()))
        ),
    )
    registration.tell_what_is_not_kept(dropped)
    return replace(registration, dropped=dropped.sentences()) if dropped.counts else registration


def read_commit(item: dict[str, Any], index: int, dropped: Dropped) -> NewCommit:
    author = item.get("author") or {}
    return NewCommit(
        revision=folded(item["revision"]),
        message=item.get("message") or "",
        author_name=author.get("name") or "",
        author_email=author.get("email") or "",
        author_username=author.get("username") or "",
        committed_at=read_detail_date(item.get("date"), f"commits[{index}].date", dropped),
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


def read_pull_request(item: dict[str, Any], index: int, dropped: Dropped) -> NewPullRequest:
    path = f"pull_requests[{index}]"
    return NewPullRequest(
        number=read_number_or_text(item["number"]),
        title=item.get("title") or "",
        url=item.get("url") or "",
        branch=item.get("branch") or "",
        author=item.get("author") or "",
        opened_at=read_detail_date(item.get("created_at"), f"{path}.created_at", dropped),
        first_reviewed_at=read_detail_date(item.get("first_review_at"), f"{path}.first_review_at", dropped),
        merged_at=read_detail_date(item.get("merged_at"), f"{path}.merged_at", dropped),
        issue_keys=tuple(item.get("issue_keys") or ()),
    )


def read_number_or_text(value: str | float) -> str:
    """JSON does not tell integers from other numbers: 12.0 is 12."""
    return str(int(value) if isinstance(value, float) else value)
