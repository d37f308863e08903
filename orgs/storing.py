"""Validating and saving, for services."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from orgs.text import problem_in_json


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
