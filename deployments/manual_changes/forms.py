"""The form of a manual change. It checks its fields with the same JSON schema as the API."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from deployments.api.dates import EARLIEST
from deployments.api.fields import read_tags
from deployments.api.schemas import check_fields
from deployments.errors import InvalidField
from deployments.manual_changes.api import SCHEMA
from deployments.manual_changes.services import ManualChangeFields
from deployments.models import ManualChange
from deployments.models.manual_change import MAX_DESCRIPTION_LENGTH
from deployments.pages import RowField
from orgs.models import Environment
from tokens.secrets import without_credentials

MAX_LINKS_LENGTH = 100_000
# A name that came with a call may contain "=".
LINK = re.compile(r"(.+?)=\s*(https?://.*)", re.IGNORECASE)


class MomentField(forms.CharField):
    """A date and time in the time zone ``zone``; None if it is left empty."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=40, **options)
        self.zone = ZoneInfo("UTC")

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="seconds")
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compares what the page shows, because in autumn an hour comes twice. Leaving it empty changes nothing."""
        if not data:
            return False
        try:
            return bool(datetime.fromisoformat(data).isoformat(timespec="seconds") != self.prepare_value(initial))
        except ValueError:
            return True

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError("Write a date and a time, such as 2024-05-01T14:30.") from None
        if moment < EARLIEST:
            raise forms.ValidationError("This is before 2000. Write when it happened, or leave it empty.")
        if moment > timezone.now():
            raise forms.ValidationError("This is in the future. Write when it happened, or leave it empty.")
        return moment


class ManualChangeForm(forms.Form):
    """``environments`` are the ones to choose from; ``change`` is the one to edit, if any."""

    name = forms.CharField(
        label="What was changed",
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": "Scaled up the web tier", "autocomplete": "off"}),
    )
    environment = RowField()
    changed_at = MomentField(label="When")
    description = forms.CharField(
        required=False, max_length=MAX_DESCRIPTION_LENGTH, widget=forms.Textarea(attrs={"rows": 4})
    )
    author = forms.CharField(
        required=False,
        max_length=254,
        label="Author",
        help_text="The e-mail address of the person who made the change.",
    )
    tags = forms.CharField(
        required=False,
        max_length=5000,
        help_text="Separate them with commas: database, feature-flag.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    links = forms.CharField(
        required=False,
        max_length=MAX_LINKS_LENGTH,
        help_text="One per line, as name=address: ticket=https://tracker.example.com/1.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "mono"}),
    )

    def __init__(
        self,
        *args: Any,
        environments: Sequence[Environment],
        zone: ZoneInfo,
        change: ManualChange | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.change = change
        fields: dict[str, Any] = self.fields
        fields["environment"].offer(environments, key="pk")
        fields["changed_at"].zone = zone
        if_empty = "keep the present time" if change else "use the current time"
        fields["changed_at"].help_text = f"In the time zone {zone.key.replace('_', ' ')}. Leave empty to {if_empty}."

    def clean_name(self) -> Any:
        return self.checked("name", without_credentials(self.cleaned_data["name"]))

    def clean_author(self) -> Any:
        return self.checked("author", self.cleaned_data["author"])

    def clean_tags(self) -> tuple[str, ...]:
        """Accepts tags with or without ``#``, in any case."""
        parts = (part.strip().lstrip("#").lower() for part in self.cleaned_data["tags"].split(","))
        with invalid_fields_as_errors():
            return read_tags([f"#{part}" for part in parts if part]) or ()

    def clean_links(self) -> tuple[tuple[str, str], ...]:
        links: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["links"].splitlines())):
            match = LINK.fullmatch(line)
            if match is None:
                raise forms.ValidationError(f"“{line[:60]}” is not a name=address line with an http or https address.")
            name, url = match[1].strip(), without_credentials(match[2])
            if name in links:
                raise forms.ValidationError(f"Two links have the name {name}.")
            links[name] = url
        return tuple(self.checked("links", links).items())

    def checked(self, name: str, value: Any) -> Any:
        """``value`` itself. Raises ValidationError if the schema rejects it."""
        if value:
            with invalid_fields_as_errors():
                check_fields(SCHEMA, {"name": "-", name: value})
        return value

    def fields_to_store(self) -> ManualChangeFields:
        """Needs a valid form. Keeps the user's address, which has no field, and a moment that was not edited."""
        data, change = self.cleaned_data, self.change
        changed_at = data["changed_at"] or timezone.now()
        if change and (not data["changed_at"] or "changed_at" not in self.changed_data):
            changed_at = change.changed_at
        return ManualChangeFields(
            name=data["name"],
            changed_at=changed_at,
            description=without_credentials(data["description"].replace("\r\n", "\n")),
            author_email=data["author"],
            user_email=change.user_email if change else "",
            tags=data["tags"],
            links=data["links"],
        )


@contextmanager
def invalid_fields_as_errors() -> Iterator[None]:
    try:
        yield
    except InvalidField as error:
        raise forms.ValidationError(str(error)) from None


def initial_of(change: ManualChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "environment": str(change.environment_id),
        "changed_at": change.changed_at,
        "description": change.description,
        "author": change.author_email,
        "tags": ", ".join(change.tag_list),
        "links": "\n".join("=".join(link) for link in change.links),
    }
