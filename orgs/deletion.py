"""Deleting what can be brought back: the row stays, with the moment of its deletion."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from orgs import audit
from orgs.models import Environment
from orgs.rows import lock_active

# How long the lists of what was deleted go back.
RESTORABLE = timedelta(days=30)


def restorable_since() -> datetime:
    return timezone.now() - RESTORABLE


@transaction.atomic
def delete_environment(*, environment: Environment) -> None:
    """Its deploys stay in the history. Raises ValidationError for the default environment."""
    project = lock_active(environment.project)
    environment.refresh_from_db(fields=["is_default", "deleted_at"])
    if environment.deleted_at:
        return
    if environment.is_default:
        raise ValidationError(
            f"{environment} is the default environment of {project}, where calls go that name none: "
            "make another one the default first."
        )
    environment.deleted_at = timezone.now()
    environment.save(update_fields=["deleted_at", "updated_at"])
    audit.record(
        "environment.deleted", environment, organization=project.organization, changes={"project": project.name}
    )


@transaction.atomic
def restore_environment(*, environment: Environment) -> None:
    """Raises ValidationError where its project is deleted or its slug has been taken since."""
    project = lock_active(environment.project)
    environment.refresh_from_db(fields=["deleted_at"])
    if environment.deleted_at:
        restore_row(environment)
        audit.record(
            "environment.restored", environment, organization=project.organization, changes={"project": project.name}
        )


def restore_row(row: Any) -> None:
    """Make a locked or owned row an active one. Raises ValidationError where its slug has been taken since."""
    row.deleted_at = None
    try:
        with transaction.atomic():
            row.save(update_fields=["deleted_at", "updated_at"])
    except IntegrityError:
        raise slug_taken(row) from None


def slug_taken(row: models.Model) -> ValidationError:
    kind = row._meta.verbose_name  # noqa: SLF001 - Django's documented name for it
    return ValidationError(
        f"{row} cannot be restored, for its slug {row.slug} is another {kind}'s now: delete that one first."  # type: ignore[attr-defined]
    )
