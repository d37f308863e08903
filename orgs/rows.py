"""Taking turns at a row."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from orgs.slugs import slug_from_name
from orgs.text import problem_in_json

Row = TypeVar("Row", bound=models.Model)


def lock_row(row: Row) -> Row:
    """The row as it is now, deleted or not; others who lock it wait until the transaction ends.

    Registrations, which only point to the row, do not wait for it.
    """
    manager: Any = getattr(type(row), "all_objects", None) or type(row)._default_manager  # noqa: SLF001 - Django's own name
    locked: Row = manager.select_for_update(no_key=True).get(pk=row.pk)
    return locked


def lock_active(row: Row) -> Row:
    """Raises ValidationError where somebody has deleted it."""
    locked: Any = lock_row(row)
    if locked.deleted_at:
        raise ValidationError(f"{locked} is deleted: restore it first.")
    return locked  # type: ignore[no-any-return]


# --- Validating and saving, for services ---


def store(instance: models.Model, *, only: Sequence[str] | None = None) -> None:
    """Validate and save, all fields or ``only`` these.

    Raises ValidationError, also where another transaction stored the like at the same time.
    """
    for field in instance._meta.concrete_fields:  # noqa: SLF001 - a documented interface
        if problem := problem_in_json(getattr(instance, field.attname)):
            raise ValidationError({field.name: f"The text {problem}."})
    instance.full_clean()
    try:
        with transaction.atomic():
            instance.save(update_fields=only)
    except IntegrityError:
        # The other one has committed by now, so that validation sees its row and finds the words.
        instance.full_clean()
        raise


# --- New rows under slugs that nobody else has, also where two are created at the same moment ---

ATTEMPTS = 5


def save_with_slug(row: Any, *, slug: str, fallback: str, is_taken: Callable[[str], bool]) -> None:
    """Store a new row under ``slug``, or where that is empty under a free one made of its name.

    Raises ValidationError where ``slug`` is taken. ``is_taken`` is asked again after somebody was faster.
    """
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
