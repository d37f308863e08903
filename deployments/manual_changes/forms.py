"""Recording a manual change by hand; its fields are checked by the schema that calls are checked by."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from deployments.api.fields import EARLIEST, read_tags
from deployments.api.schemas import check_fields
from deployments.errors import InvalidField
from deployments.manual_changes.api import SCHEMA
from deployments.manual_changes.services import ManualChangeFields
from deployments.models import ManualChange
from deployments.models.manual_change import MAX_DESCRIPTION_LENGTH
from orgs.models import Environment

MAX_LINKS_LENGTH = 100_000
# A name that a call gave may have a = in it.
LINK = re.compile(r"(.+?)=\s*(https?://.*)", re.IGNORECASE)


class MomentField(forms.CharField):
    """A date and time by the clock of ``zone``; none where it is left empty."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=40, **options)
        self.zone = ZoneInfo("UTC")

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="seconds")
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """By the clock that is shown: an hour that comes twice in autumn is no change. Empty is none either."""
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
            raise forms.ValidationError("This is before 1970: write when it happened, or leave it empty.")
        if moment > timezone.now():
            raise forms.ValidationError("This is in the future: write when it happened, or leave it empty.")
        return moment


class ManualChangeForm(forms.Form):
    """``environments`` are those to choose from, ``change`` is one to edit."""

    name = forms.CharField(
        label="What was changed",
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": "Scaled up the web tier", "autocomplete": "off"}),
    )
    environment = forms.ChoiceField()
    changed_at = MomentField(label="When")
    description = forms.CharField(
        required=False, max_length=MAX_DESCRIPTION_LENGTH, widget=forms.Textarea(attrs={"rows": 4})
    )
    author = forms.CharField(required=False, max_length=254, label="Author", help_text="E-mail address of who did it.")
    tags = forms.CharField(
        required=False,
        max_length=5000,
        help_text="With commas between: database, feature-flag.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    links = forms.CharField(
        required=False,
        max_length=MAX_LINKS_LENGTH,
        help_text="One a line, each a name and its address: ticket=https://tracker.example.com/1.",
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
        self.environments = {str(environment.pk): environment for environment in environments}
        self.fields["environment"] = forms.ChoiceField(
            choices=[(pk, item.name) for pk, item in self.environments.items()]
        )
        moment: MomentField = self.fields["changed_at"]  # type: ignore[assignment]  # as it stands above
        moment.zone = zone
        empty = "as it was" if change else "now"
        moment.help_text = f"By the clock of {zone.key.replace('_', ' ')}. Empty: {empty}."

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        self.check("name", name)
        return name

    def clean_environment(self) -> Environment:
        return self.environments[self.cleaned_data["environment"]]

    def clean_author(self) -> str:
        author: str = self.cleaned_data["author"]
        self.check("author", author)
        return author

    def clean_tags(self) -> tuple[str, ...]:
        """With or without #, in any case."""
        parts = (part.strip().lstrip("#").lower() for part in self.cleaned_data["tags"].split(","))
        return refused(read_tags)([f"#{part}" for part in parts if part]) or ()

    def clean_links(self) -> tuple[tuple[str, str], ...]:
        links: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["links"].splitlines())):
            match = LINK.fullmatch(line)
            if match is None:
                raise forms.ValidationError(
                    f"Write a name, = and an http or https address in each line: “{line[:60]}” is none."
                )
            name, url = match[1].strip(), match[2]
            if name in links:
                raise forms.ValidationError(f"Two links are called {name}.")
            links[name] = url
        self.check("links", links)
        return tuple(links.items())

    def check(self, name: str, value: Any) -> None:
        """Raises ValidationError where the schema refuses ``value``."""
        if value:
            refused(check_fields)(SCHEMA, {"name": "-", name: value})

    def fields_to_store(self) -> ManualChangeFields:
        """Of a valid form. What the form does not ask, and a moment that was not touched, stays as it was."""
        data, change = self.cleaned_data, self.change
        changed_at = data["changed_at"] or timezone.now()
        if change and (not data["changed_at"] or "changed_at" not in self.changed_data):
            changed_at = change.changed_at
        return ManualChangeFields(
            name=data["name"],
            changed_at=changed_at,
            description=data["description"].replace("\r\n", "\n"),
            author_email=data["author"],
            user_email=change.user_email if change else "",
            tags=data["tags"],
            links=data["links"],
        )


def refused(check: Callable[..., Any]) -> Callable[..., Any]:
    """``check`` with ValidationError for InvalidField."""

    def checking(*args: Any) -> Any:
        try:
            return check(*args)
        except InvalidField as error:
            raise forms.ValidationError(str(error)) from None

    return checking


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
