"""Reading deploys."""

from typing import Any

from django.db.models import QuerySet

from deployments.models import Commit, Deploy


def deploys_with_place(organization_id: int) -> QuerySet[Deploy]:
    """An organization's deploys with what it takes to show one: its place, tags and links."""
    return (
        Deploy.objects.filter(organization=organization_id)
        .select_related("organization", "project", "deployment", "environment", "target")
        .prefetch_related("tags", "links")
    )


def live_deploy(target_id: int | None) -> Deploy | None:
    found: Deploy | None = Deploy.objects.filter(live_in=target_id).first() if target_id else None
    return found


def count_rollbacks(target_id: int) -> int:
    return Deploy.objects.filter(target=target_id, restores__isnull=False).count()


def deploy_of(deployment_id: int, deploy_id: int) -> Deploy | None:
    found: Deploy | None = Deploy.objects.filter(deployment=deployment_id, pk=deploy_id).first()
    return found


def commits_of(deploy: Deploy) -> QuerySet[Any]:
    """Without their parents, which the Sleuth CLI sends by the hundred."""
    return Commit.objects.filter(deploy=deploy).defer("parents")
