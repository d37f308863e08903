from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from orgs.models import Environment


class ImportForm(forms.Form):
    environment = forms.ChoiceField()
    csv_file = forms.FileField(
        label="CSV file",
        max_length=1000,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="UTF-8, with the columns sha and date in its first line. Columns branch, title, author, email and "
        "first_commit_at are taken too; others are ignored.",
        error_messages={"required": "Choose a file."},
    )

    def __init__(self, *args: Any, environments: Sequence[Environment], body_bytes: int = 0, **options: Any) -> None:
        super().__init__(*args, **options)
        self.environments = {environment.slug: environment for environment in environments}
        choices = [(environment.slug, environment.name) for environment in environments]
        default = next((environment.slug for environment in environments if environment.is_default), None)
        self.fields["environment"] = forms.ChoiceField(
            label="Environment",
            choices=choices,
            initial=default,
            help_text="The history there is replaced by that of the file.",
        )
        if body_bytes > settings.MAX_IMPORT_BYTES:
            most = filesizeformat(settings.MAX_IMPORT_BYTES)
            self.fields["csv_file"].error_messages["required"] = (
                f"The file is larger than {most}: leave out columns, or the oldest rows."
            )

    def clean_environment(self) -> Environment:
        return self.environments[self.cleaned_data["environment"]]
