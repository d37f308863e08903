"""Deletion that can be undone: the row is kept, with the time of its deletion."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from orgs import audit
from orgs.aliases import check_name_is_free
from orgs.models import Environment
from orgs.rows import lock_active

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


@transaction.atomic
def restore_environment(*, environment: Environment) -> None:
    """Raises ValidationError if its project is deleted, or its slug has been taken since."""
    project = lock_active(environment.project)
    environment.refresh_from_db(fields=["deleted_at"])
    if environment.deleted_at:
        restore_row(environment)
        check_name_is_free(environment)
        audit.record("environment.restored", environment, changes={"project": project.name})


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
