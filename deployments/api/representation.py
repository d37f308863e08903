"""Deploys as JSON."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from deployments.models import Deploy


def deploy_path(organization_slug: str, deploy_id: int) -> str:
    return reverse("deploy", kwargs={"organization": organization_slug, "deploy_id": deploy_id})


def represent_deploy(deploy: Deploy) -> dict[str, Any]:
    """A deploy with its tags and links; ``lead_time`` is in seconds, dates are in UTC."""
    target = deploy.target
    names = {tag.name for tag in deploy.tags.all()}
    if deploy.is_rollback:
        names.add("rollback")
    if deploy.is_rolled_back:
        names.add("rolled_back")
    return {
        "id": deploy.id,
        "url": deploy_path(deploy.organization.slug, deploy.id),
        "organization": deploy.organization.slug,
        "project": target.deployment.project.slug,
        "deployment": target.deployment.slug,
        "environment": target.environment.slug,
        "sha": deploy.sha,
        "version": deploy.version or None,
        "branch": deploy.branch or None,
        "title": deploy.title or None,
        "deployed_at": as_text(deploy.deployed_at),
        "registered_at": as_text(deploy.created_at),
        "live": target.live_deploy_id == deploy.id,
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


def as_text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
