"""What a deploy brought: rows that only its own page reads."""

from collections.abc import Mapping, Sequence

from django.db.models import Model

from deployments.models import Commit, Link, PullRequest, Tag
from deployments.registration import statements
from deployments.registration.registration import Registration
from deployments.registration.tagging import tags_of_paths


def store_details(deploy_id: int, registration: Registration) -> None:
    for model, rows in detail_rows(deploy_id, registration).items():
        if rows:
            model._default_manager.bulk_create(rows)  # noqa: SLF001 - Django's documented name for it
    if registration.files:
        statements.insert_files(deploy_id=deploy_id, files=registration.files)


def detail_rows(deploy_id: int, registration: Registration) -> Mapping[type[Model], Sequence[Model]]:
    """All but its files, in the order the caller sent them. They are not stored yet."""
    return {
        Tag: [Tag(deploy_id=deploy_id, name=name) for name in tag_names(registration)],
        Link: [Link(deploy_id=deploy_id, name=name, url=url) for name, url in registration.links],
        Commit: [
            Commit(
                deploy_id=deploy_id,
                revision=commit.revision,
                message=commit.message,
                author_name=commit.author_name,
                author_email=commit.author_email,
                author_username=commit.author_username,
                committed_at=commit.committed_at,
                url=commit.url,
                files=commit.files,
                parents=commit.parents,
            )
            for commit in registration.commits
        ],
        PullRequest: [
            PullRequest(
                deploy_id=deploy_id,
                number=pull.number,
                title=pull.title,
                url=pull.url,
                branch=pull.branch,
                author=pull.author,
                opened_at=pull.opened_at,
                first_reviewed_at=pull.first_reviewed_at,
                merged_at=pull.merged_at,
                issue_keys=pull.issue_keys,
            )
            for pull in registration.pull_requests
        ],
    }


def tag_names(registration: Registration) -> Sequence[str]:
    """The caller's tags, else those that the changed files give."""
    if registration.tags is not None:
        return registration.tags
    paths = registration.changed_paths()
    return tags_of_paths(paths) if paths else ()
