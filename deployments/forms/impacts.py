"""The forms of an impact source."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.html import format_html

from deployments.forms.projects import slug_field
from deployments.models import ImpactKind
from orgs.fields import NameField
from orgs.models import Environment

EXPLAINED_KINDS = {
    ImpactKind.INCIDENT: "An alerting tool says when something fails and when it works again.",
    ImpactKind.METRIC: "A script sends a number every two minutes or less often, such as an error rate.",
}


class ImpactSourceForm(forms.Form):
    name = NameField()


class NewImpactSourceForm(ImpactSourceForm):
    kind = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[
            (kind.value, format_html('<strong>{}</strong> <span class="muted">{}</span>', kind.label, words))
            for kind, words in EXPLAINED_KINDS.items()
        ],
    )
    environment = forms.ChoiceField(help_text="Where it sees failure. It stays, as the kind does.")
    slug = slug_field("Stands in the address that your tools call, and stays when the name changes.")
    field_order = ("kind", "name", "environment", "slug")

    def __init__(self, *args: Any, environments: Sequence[Environment], **options: Any) -> None:
        super().__init__(*args, **options)
        self.environments = {environment.slug: environment for environment in environments}
        choice: Any = self.fields["environment"]
        choice.choices = [(environment.slug, environment.name) for environment in environments]
        choice.initial = next((item.slug for item in environments if item.is_default), None)

    def clean_kind(self) -> ImpactKind:
        return ImpactKind(self.cleaned_data["kind"])

    def clean_environment(self) -> Environment:
        return self.environments[self.cleaned_data["environment"]]
