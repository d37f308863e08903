"""Locking, validating and saving rows."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from orgs.slugs import slug_alike, slug_from_name
from orgs.text import problem_in_json

Row = TypeVar("Row", bound=models.Model)


def lock_row(row: Row) -> Row:
    """The present row, deleted or not. Others who lock it wait for the end of this transaction.

    Inserts that only refer to the row, such as registrations, do not wait.
    """
    manager: Any = getattr(type(row), "all_objects", None) or type(row)._default_manager  # noqa: SLF001 - documented in spite of its name
    locked: Row = manager.select_for_update(no_key=True).get(pk=row.pk)
    return locked


def lock_active(row: Row) -> Row:
    """Raises ValidationError if the row is deleted."""
    locked: Any = lock_row(row)
    if locked.deleted_at:
        raise ValidationError(f"{locked} is deleted: restore it first.")
    return locked  # type: ignore[no-any-return]


def store(instance: models.Model, *, only: Sequence[str] | None = None) -> None:
    """Validate and save all fields, or ``only`` these.

    Raises ValidationError, also if another transaction stored a conflicting row at the same time.
    """
    for field in instance._meta.concrete_fields:  # noqa: SLF001 - documented in spite of its name
        if problem := problem_in_json(getattr(instance, field.attname)):
            raise ValidationError({field.name: f"The text {problem}."})
    instance.full_clean()
    try:
        with transaction.atomic():
            instance.save(update_fields=only)
    except IntegrityError:
        # The other transaction has committed by now, so validation sees its row and says what conflicts.
        instance.full_clean()
        raise


ATTEMPTS = 5


def save_with_slug(row: Any, *, slug: str, among: models.QuerySet[Any]) -> None:
    """Store a new row with ``slug`` or, if that is empty, with a slug made from its name that none ``among`` these has.

    Raises ValidationError if ``slug`` is taken. Tries again if another transaction takes the free slug meanwhile.
    """

    def is_taken(slug: str) -> bool:
        return among.filter(slug=slug).exists()

    fallback = slug_alike(row._meta.verbose_name)  # noqa: SLF001 - documented in spite of its name
    for attempt in range(1, ATTEMPTS + 1):
        row.slug = slug or slug_from_name(row.name, fallback=fallback, is_taken=is_taken)
        if slug and is_taken(slug):
            raise ValidationError({"slug": f"The slug {slug} is taken: choose another."})
        try:
            store(row)
        except ValidationError:
            if attempt == ATTEMPTS or not is_taken(row.slug):
                raise
        else:
            return
