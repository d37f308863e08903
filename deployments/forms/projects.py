from typing import Any

from django import forms

from orgs.fields import EnvironmentNamesField, NameField
from orgs.models import Environment
from orgs.services import ENVIRONMENT_COLOURS, NewEnvironment
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug


def slug_field(help_text: str) -> forms.CharField:
    return forms.CharField(required=False, max_length=MAX_SLUG_LENGTH, validators=[validate_slug], help_text=help_text)


class NewProjectForm(forms.Form):
    name = NameField()
    slug = slug_field("Stands in addresses, and stays when the name changes. Empty: made of the name.")
    environments = EnvironmentNamesField()

    def clean_environments(self) -> list[NewEnvironment]:
        names = self.cleaned_data["environments"]
        return [NewEnvironment(name=name, is_default=name is names[-1]) for name in names]


class ProjectForm(forms.Form):
    name = NameField()


class ColourInput(forms.TextInput):
    input_type = "color"


class EnvironmentForm(forms.Form):
    name = NameField()
    description = forms.CharField(required=False, max_length=500, help_text="What it is for, or where it runs.")
    colour = forms.RegexField(
        r"^#[0-9a-fA-F]{6}\Z",
        label="Colour",
        widget=ColourInput(attrs={"list": "environment-colours"}),
        error_messages={"invalid": "Write the colour as # and six hexadecimal digits."},
    )
    suggested_colours = ENVIRONMENT_COLOURS

    def clean_colour(self) -> str:
        return str(self.cleaned_data["colour"]).lower()


class NewEnvironmentForm(EnvironmentForm):
    slug = slug_field("What calls write as environment; it stays when the name changes. Empty: made of the name.")
    is_default = forms.BooleanField(
        required=False, label="Default", help_text="Calls that name no environment go to the default one."
    )
    field_order = ("name", "slug", "description", "colour", "is_default")


def initial_of(environment: Environment) -> dict[str, Any]:
    return {"name": environment.name, "description": environment.description, "colour": environment.colour}
