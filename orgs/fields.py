"""Form fields that several forms share."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

MAX_NAME_LENGTH = 100
MAX_ENVIRONMENTS = 20


def validate_name(value: str) -> None:
    """As in ``provision.json``: format and combining characters alone show nothing."""
    if all(c.isspace() or unicodedata.category(c) in ("Cf", "Mc", "Me", "Mn") for c in value):
        raise ValidationError("A name must have a visible character.")


class NameField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_NAME_LENGTH, validators=[validate_name], **options)


class EnvironmentNamesField(forms.CharField):
    """The environments of a new project in order of promotion, as a list; the last one becomes the default."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=MAX_ENVIRONMENTS * (MAX_NAME_LENGTH + 2),
            initial="Staging, Production",
            help_text="In the order of promotion, with commas between. The last one is the default, where deploys go "
            "that name none.",
            **options,
        )

    def clean(self, value: Any) -> Any:
        names = [name.strip() for name in re.split(r"[,\n]", super().clean(value)) if name.strip()]
        if not names:
            raise ValidationError("Name at least one environment.")
        if len(names) > MAX_ENVIRONMENTS:
            raise ValidationError(f"Name at most {MAX_ENVIRONMENTS} environments; more can be added later.")
        if any(len(name) > MAX_NAME_LENGTH for name in names):
            raise ValidationError(f"A name has at most {MAX_NAME_LENGTH} characters.")
        for name in names:
            validate_name(name)
        if len({name.casefold() for name in names}) < len(names):
            raise ValidationError("Two environments have the same name.")
        return names
