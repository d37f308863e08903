"""Forms about organizations and people, and fields that other forms share."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.html import format_html

from orgs.audit import words_of_action
from orgs.models import Membership, Organization, User, time_zones
from orgs.pages import errors_in
from orgs.roles import DESCRIPTIONS, Permission, Role, role_allows
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug
from orgs.text import is_invisible

MAX_NAME_LENGTH = 100
MAX_ENVIRONMENTS = 20


def validate_name(value: str) -> None:
    if is_invisible(value):
        raise ValidationError("A name must have a visible character.")


class NameField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_NAME_LENGTH, validators=[validate_name], **options)


class EnvironmentNamesField(forms.CharField):
    """The names of a new project's environments in order of promotion. The last one becomes the default."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=MAX_ENVIRONMENTS * (MAX_NAME_LENGTH + 2),
            initial="Staging, Production",
            help_text="In the order of promotion, with commas between. The last one is the default, for deploys that "
            "name no environment.",
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


# --- Forms about organizations and people ---

PASSWORD_HELP = "At least 10 characters; not your name or address, and not a common password."
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)


class RoleForm(forms.Form):
    """Offers the roles that ``by`` may give, each with what it may do."""

    role = forms.ChoiceField(label="Role", initial=Role.DEVELOPER, widget=forms.RadioSelect)

    def __init__(self, *args: Any, by: Membership, **options: Any) -> None:
        super().__init__(*args, **options)
        explained = '<strong>{}</strong> <span class="muted">{}</span>'
        self.fields["role"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (role.value, format_html(explained, role.label, DESCRIPTIONS[role]))
            for role in Role
            if role != Role.OWNER or role_allows(by.role, Permission.MANAGE_OWNERS)
        ]


class InvitationForm(RoleForm):
    email = forms.EmailField(label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autofocus": True}))
    field_order = ("email", "role")


class SignUpForm(forms.Form):
    """A new user with the address of the invitation."""

    email = forms.EmailField(label="E-mail address", disabled=True)
    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
    )

    def clean(self) -> None:
        """Reports a weak password together with the other mistakes."""
        data = self.cleaned_data
        if "password" in data:
            user = User(email=data.get("email", ""), name=data.get("name", ""))
            with errors_in(self, default_field="password"):
                password_validation.validate_password(data["password"], user)


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    name = NameField()
    slug = forms.CharField(
        max_length=MAX_SLUG_LENGTH,
        validators=[validate_slug],
        help_text="Part of the addresses of pages and API calls. After a change the old slug keeps working.",
    )
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(time_zones())],
        label="Time zone",
        help_text="Days begin at midnight there.",
    )

    class Meta:
        model = Organization
        fields = ("name", "slug", "time_zone")

    def validate_unique(self) -> None:
        """Left to the service, which also knows the former slugs of organizations."""


class NewOrganizationForm(forms.Form):
    name = NameField(
        label="Organization", widget=forms.TextInput(attrs={"autofocus": True}), help_text="Your company or team."
    )
    project = NameField(label="First project", help_text="A product or a group of services.")
    environments = EnvironmentNamesField(label="Its environments")


class DayField(forms.DateField):
    """A day that both databases and all time zones can represent."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, **options: Any) -> None:
        bounds = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
        super().__init__(required=False, validators=bounds, **options)


class AuditFilterForm(forms.Form):
    person = forms.CharField(
        required=False, max_length=254, label="Who", widget=forms.TextInput(attrs={"list": "people"})
    )
    action = forms.ChoiceField(required=False, label="Did what")
    subject = forms.CharField(required=False, max_length=200, label="To what")
    since = DayField(label="From")
    until = DayField(label="To")

    def __init__(self, *args: Any, actions: Sequence[str], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", "Anything"), *((action, words_of_action(action)) for action in actions)]
        self.fields["action"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def clean_person(self) -> str:
        return str(self.cleaned_data["person"]).lower()
