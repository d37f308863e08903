"""Taking turns at a row."""

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

Row = TypeVar("Row", bound=models.Model)


def lock_row(row: Row) -> Row:
    """The row as it is now, deleted or not; others who lock it wait until the transaction ends.

    Registrations, which only point to the row, do not wait for it.
    """
    manager: Any = getattr(type(row), "everything", None) or type(row)._default_manager  # noqa: SLF001 - Django's own name
    locked: Row = manager.select_for_update(no_key=True).get(pk=row.pk)
    return locked


def lock_living(row: Row) -> Row:
    """Raises ValidationError where somebody has deleted it."""
    locked: Any = lock_row(row)
    if locked.deleted_at:
        raise ValidationError(f"{locked} is deleted: restore it first.")
    return locked  # type: ignore[no-any-return]
