"""Setting the health of a deploy, and deleting and restoring it."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from deployments.models import Deploy, Health
from deployments.registration.history import relink_target
from deployments.registration.statements import lock_target
from orgs import audit
from orgs.rows import lock_row


@transaction.atomic
def set_health(*, deploy: Deploy, health: Health | None, now: datetime) -> None:
    """Also stores who set it and when. None removes the health. Setting the present health again changes nothing, so
    that the first person stays on record."""
    locked = lock_row(deploy)
    before = locked.health_set
    if before == health:
        return
    locked.health_set = health
    locked.health_set_by = audit.current_actor.get().label if health else None
    locked.health_set_at = now if health else None
    locked.save(update_fields=("health_set", "health_set_by", "health_set_at", "updated_at"))
    action = "deploy.health_set" if health else "deploy.health_reset"
    audit.record(action, locked, changes={"health": [before, health]})


@transaction.atomic
def delete_deploy(*, deploy: Deploy) -> None:
    """Keeps the row for :func:`restore_deploy`. Deploys that it rolled back are no longer rolled back."""
    lock_target(deploy.target_id)
    if Deploy.all_objects.filter(pk=deploy.pk, deleted_at=None).update(deleted_at=timezone.now()):
        relink_target(deploy.target_id)
        record("deploy.deleted", deploy)


@transaction.atomic
def restore_deploy(*, deploy: Deploy) -> None:
    lock_target(deploy.target_id)
    if Deploy.all_objects.filter(pk=deploy.pk).exclude(deleted_at=None).update(deleted_at=None):
        relink_target(deploy.target_id)
        record("deploy.restored", deploy)


def record(action: str, deploy: Deploy) -> None:
    where = {"deployment": deploy.deployment.name, "environment": deploy.environment.name}
    audit.record(action, deploy, changes=where)
