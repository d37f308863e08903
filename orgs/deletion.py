"""Deletion that can be undone: the row is kept, with the time of its deletion."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from orgs import audit
from orgs.aliases import check_name_is_free, free_aliases, set_aliases
from orgs.models import Environment, Project
from orgs.rows import lock_active, lock_row
from orgs.short_lived import end_of

# How far back the lists of deleted things go.
RESTORABLE = timedelta(days=30)


def restorable_since() -> datetime:
    return timezone.now() - RESTORABLE


@transaction.atomic
def delete_environment(*, environment: Environment) -> None:
    """Its deploys are kept in the history. Raises ValidationError for the default environment."""
    project = lock_active(environment.project)
    environment.refresh_from_db(fields=["is_default", "deleted_at"])
    if environment.deleted_at:
        return
    if environment.is_default:
        raise ValidationError(
            f"{environment} is the default environment of {project}, for calls that name no environment: "
            "make another one the default first."
        )
    environment.deleted_at = timezone.now()
    environment.save(update_fields=["deleted_at", "updated_at"])
    audit.record("environment.deleted", environment, changes={"project": project.name})


def delete_ended_environments(*, now: datetime) -> int:
    """How many short-lived environments were deleted whose end had come."""
    ended = Environment.objects.filter(ends_at__lte=now, project__deleted_at=None).select_related("project")
    return sum(delete_if_ended(environment, now) for environment in ended)


@transaction.atomic
def delete_if_ended(environment: Environment, now: datetime) -> bool:
    """A deploy may have moved the end on meanwhile."""
    project = lock_row(environment.project)
    current = lock_row(environment)
    if project.deleted_at or current.deleted_at or current.ends_at is None or current.ends_at > now:
        return False
    current.deleted_at = now
    current.save(update_fields=["deleted_at", "updated_at"])
    audit.record("environment.ended", current, changes={"project": project.name, "ends_at": current.ends_at})
    return True


@transaction.atomic
def restore_environment(*, environment: Environment) -> None:
    """One that ended gets another end. Aliases that were taken since are dropped. Raises ValidationError if its project
    is deleted, or its slug has been taken since."""
    project: Project = lock_active(environment.project)
    environment.refresh_from_db(fields=["deleted_at", "ends_at"])
    if environment.deleted_at:
        restore_row(environment)
        if environment.ends_at and environment.ends_at <= (now := timezone.now()):
            environment.ends_at = end_of(project, now)
            environment.save(update_fields=["ends_at"])
        check_name_is_free(environment)
        changes: dict[str, Any] = {"project": project.name}
        if dropped := set_aliases(environment, free_aliases(environment, project)):
            changes["aliases"] = [", ".join(names) for names in dropped]
        audit.record("environment.restored", environment, changes=changes)


def restore_row(row: Any) -> None:
    """Clear ``deleted_at`` of a locked row. Raises ValidationError if its slug has been taken since."""
    row.deleted_at = None
    try:
        with transaction.atomic():
            row.save(update_fields=["deleted_at", "updated_at"])
    except IntegrityError:
        kind = row._meta.verbose_name  # noqa: SLF001 - documented in spite of its name
        raise ValidationError(
            f"{row} cannot be restored, because another {kind} has its slug {row.slug} now: delete that one first."
        ) from None
