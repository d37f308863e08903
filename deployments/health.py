"""Whether a deploy was good, as somebody judged it."""

from datetime import datetime

from django.db import transaction

from deployments.models import Deploy, Health
from orgs import audit
from orgs.locking import lock_row


@transaction.atomic
def set_health(*, deploy: Deploy, health: Health | None, now: datetime) -> None:
    """Keeps who and when, too; none takes the judgement back. Nothing is written where it is the present one already,
    so that a repeated call keeps who was first."""
    locked = lock_row(deploy)
    before = locked.health_set
    if before == health:
        return
    locked.health_set = health
    locked.health_set_by = audit.current_actor.get().label if health else None
    locked.health_set_at = now if health else None
    locked.save(update_fields=("health_set", "health_set_by", "health_set_at", "updated_at"))
    action = "deploy.health_set" if health else "deploy.health_reset"
    audit.record(action, locked, organization=locked.organization, changes={"health": [before, health]})
