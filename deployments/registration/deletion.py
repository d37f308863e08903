"""Taking a deploy out of its history, and putting it back."""

from django.db import transaction
from django.utils import timezone

from deployments.models import Deploy
from deployments.registration.history import relink_target
from deployments.registration.statements import lock_target
from orgs import audit


@transaction.atomic
def delete_deploy(*, deploy: Deploy) -> None:
    """The deploy stays in the database for :func:`restore_deploy`; what it undid is as it was before it."""
    lock_target(deploy.target_id)
    if Deploy.everything.filter(pk=deploy.pk, deleted_at=None).update(deleted_at=timezone.now()):
        # Nothing may point to what is not in the history.
        Deploy.everything.filter(pk=deploy.pk).update(restores=None, rolled_back_by=None)
        relink_target(deploy.target_id)
        audit.record("deploy.deleted", deploy, organization=deploy.organization)


@transaction.atomic
def restore_deploy(*, deploy: Deploy) -> None:
    lock_target(deploy.target_id)
    if Deploy.everything.filter(pk=deploy.pk).exclude(deleted_at=None).update(deleted_at=None):
        relink_target(deploy.target_id)
        audit.record("deploy.restored", deploy, organization=deploy.organization)
