"""Deploys as JSON, and their change type (forward, rollback, no change), which follows from the history."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, TextChoices
from django.urls import reverse

from deployments.models import ChangedFile, Commit, Deploy, PullRequest
from deployments.registration import history
from deployments.shas import is_same_commit


class ChangeType(TextChoices):
    """What a deploy did to its environment, in Sweetr's words.

    It is read from the history, since an earlier deploy may be registered, deleted or restored later.
    """

    FORWARD = "forward", "Forward"
    ROLLBACK = "rollback", "Rollback: this sha was live here before"
    NO_CHANGE = "no_change", "No change: the deploy before it has the same sha"


def with_previous_sha(deploys: QuerySet[Deploy]) -> QuerySet[Deploy]:
    """For :func:`change_type_of`."""
    this = Deploy(deployed_at=OuterRef("deployed_at"), id=OuterRef("pk"))
    earlier = Deploy.succeeded.filter(history.before(this), target=OuterRef("target")).order_by("-deployed_at", "-id")
    previous_sha = Subquery(earlier.values("sha")[:1])
    return deploys.annotate(previous_sha=previous_sha)  # type: ignore[no-redef]  # the model declares it for readers


def change_type_of(deploy: Deploy) -> ChangeType | None:
    """None for a deploy that did not succeed: it changed nothing, or has not yet."""
    if not deploy.has_succeeded:
        return None
    if deploy.is_rollback:
        return ChangeType.ROLLBACK
    is_repeated = deploy.previous_sha is not None and is_same_commit(deploy.sha, deploy.previous_sha)
    return ChangeType.NO_CHANGE if is_repeated else ChangeType.FORWARD


# How many of a deploy's commits, files and pull requests are shown with it. Their own lists have all.
CHANGES_SHOWN = 100


def deploy_path(organization_slug: str, deploy_id: int) -> str:
    return reverse("deploy", kwargs={"organization": organization_slug, "deploy_id": deploy_id})


def with_details(deploys: QuerySet[Deploy]) -> QuerySet[Deploy]:
    """With everything that :func:`represent_deploy` reads."""
    return (
        with_previous_sha(deploys)
        .select_related("organization", "project", "deployment", "environment", "target")
        .prefetch_related("tags", "links")
    )


def represent_deploy(deploy: Deploy) -> dict[str, Any]:
    """A deploy with its tags and links; ``lead_time`` is in seconds, dates are in UTC."""
    names = {tag.name for tag in deploy.tags.all()}
    if deploy.is_rollback:
        names.add("rollback")
    if deploy.is_rolled_back:
        names.add("rolled_back")
    return {
        "id": deploy.id,
        "url": deploy_path(deploy.organization.slug, deploy.id),
        "organization": deploy.organization.slug,
        "project": deploy.project.slug,
        "deployment": deploy.deployment.slug,
        "environment": deploy.environment.slug,
        "sha": deploy.sha,
        "version": deploy.version or None,
        "branch": deploy.branch or None,
        "title": deploy.title or None,
        "deployed_at": as_text(deploy.deployed_at),
        "registered_at": as_text(deploy.created_at),
        "status": deploy.status,
        "external_id": deploy.external_id or None,
        "change_type": change_type_of(deploy),
        "live": deploy.target.live_deploy_id == deploy.id,
        "health": deploy.health_set,
        "health_set_by": deploy.health_set_by,
        "health_set_at": as_text(deploy.health_set_at),
        "restores": deploy.restores_id,
        "rolled_back_by": deploy.rolled_back_by_id,
        "author": {"name": deploy.author_name or None, "email": deploy.author_email or None},
        "tags": sorted(f"#{name}" for name in names),
        "links": {link.name: link.url for link in deploy.links.all()},
        "first_commit_at": as_text(deploy.first_commit_at),
        "lead_time": deploy.lead_time,
        "commit_count": deploy.commit_count,
        "file_count": deploy.file_count,
        "pull_request_count": deploy.pull_request_count,
        "additions": deploy.additions,
        "deletions": deploy.deletions,
    }


def represent_with_changes(deploy: Deploy) -> dict[str, Any]:
    """With the first of its commits, files and pull requests. Their counts say whether there are more."""
    return {
        **represent_deploy(deploy),
        "commits": [represent_commit(commit) for commit in commits_of(deploy).order_by("id")[:CHANGES_SHOWN]],
        "files": [represent_file(file) for file in deploy.files.order_by("id")[:CHANGES_SHOWN]],
        "pull_requests": [represent_pull_request(pull) for pull in deploy.pull_requests.order_by("id")[:CHANGES_SHOWN]],
    }


def commits_of(deploy: Deploy) -> QuerySet[Commit]:
    """Without their parents, which the Sleuth CLI sends by the hundred."""
    return Commit.objects.filter(deploy=deploy).defer("parents")


def represent_commit(commit: Commit) -> dict[str, Any]:
    """With the names of register_deploy, as files and pull requests."""
    return {
        "revision": commit.revision,
        "message": commit.message,
        "author": {
            "name": commit.author_name or None,
            "email": commit.author_email or None,
            "username": commit.author_username or None,
        },
        "date": as_text(commit.committed_at),
        "files": commit.files,
        "url": commit.url or None,
    }


def represent_file(file: ChangedFile) -> dict[str, Any]:
    return {"path": file.path, "additions": file.additions, "deletions": file.deletions, "url": file.url or None}


def represent_pull_request(pull: PullRequest) -> dict[str, Any]:
    return {
        "number": pull.number,
        "title": pull.title or None,
        "url": pull.url or None,
        "branch": pull.branch or None,
        "author": pull.author or None,
        "created_at": as_text(pull.opened_at),
        "first_review_at": as_text(pull.first_reviewed_at),
        "merged_at": as_text(pull.merged_at),
        "issue_keys": pull.issue_keys,
    }


def as_text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
