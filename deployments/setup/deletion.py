"""Deleting and restoring projects and deployments."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from deployments.models import Deployment
from orgs import audit
from orgs.deletion import restore_row
from orgs.models import Environment, Project
from orgs.rows import lock_active, lock_row


@transaction.atomic
def delete_project(*, project: Project) -> None:
    """Deletes its deployments and environments, too, with the same ``deleted_at``. Their deploys stay."""
    project = lock_row(project)
    if project.deleted_at:
        return
    now = timezone.now()
    project.deleted_at = now
    project.save(update_fields=["deleted_at", "updated_at"])
    deployments = Deployment.objects.filter(project=project).update(deleted_at=now, updated_at=now)
    environments = Environment.objects.filter(project=project).update(deleted_at=now, updated_at=now)
    audit.record("project.deleted", project, changes={"deployments": deployments, "environments": environments})


@transaction.atomic
def restore_project(*, project: Project) -> None:
    """Also restores what was deleted with it, but not what was deleted before.

    Raises ValidationError if its slug or the slug of one of its deployments is in use now.
    """
    project = lock_row(project)
    deleted_at = project.deleted_at
    if deleted_at is None:
        return
    restore_row(project)
    environments = Environment.all_objects.filter(project=project, deleted_at=deleted_at)
    environments.update(deleted_at=None, updated_at=timezone.now())
    deployments = Deployment.all_objects.filter(project=project, deleted_at=deleted_at)
    restored = [deployment.pk for deployment in deployments]
    try:
        with transaction.atomic():
            deployments.update(deleted_at=None, updated_at=timezone.now())
    except IntegrityError:
        raise slugs_in_use(project, restored) from None
    audit.record("project.restored", project)


def slugs_in_use(project: Project, ids: list[int]) -> ValidationError:
    active = Deployment.objects.filter(organization=project.organization_id).values("slug")
    slugs = Deployment.all_objects.filter(pk__in=ids, slug__in=active).order_by("slug").values_list("slug", flat=True)
    return ValidationError(
        f"{project} cannot be restored, because other deployments now have the slugs of its deployments: "
        f"{', '.join(slugs[:10])}. Delete those first."
    )


@transaction.atomic
def delete_deployment(*, deployment: Deployment) -> None:
    """Keeps its deploys. From now on, calls that register a deploy of it are rejected."""
    deployment = lock_row(deployment)
    if deployment.deleted_at is None:
        deployment.deleted_at = timezone.now()
        deployment.save(update_fields=["deleted_at", "updated_at"])
        record("deployment.deleted", deployment)


@transaction.atomic
def restore_deployment(*, deployment: Deployment) -> None:
    """Raises ValidationError if its project is deleted or its slug is in use now."""
    lock_active(deployment.project)
    deployment = lock_row(deployment)
    if deployment.deleted_at:
        restore_row(deployment)
        record("deployment.restored", deployment)


def record(action: str, deployment: Deployment) -> None:
    changes = {"project": deployment.project.name}
    audit.record(action, deployment, changes=changes)
