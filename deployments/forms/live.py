from django import forms
from django.utils.choices import CallableChoiceIterator

from deployments.queries.live import LiveFilters
from orgs.models import Organization, Project

STATES = (("", "Any state"), ("behind", "Behind"), ("rolled-back", "Rolled back"), ("stale", "Stale"))


class LiveForm(forms.Form):
    """The filters of what is live, as they stand in its address."""

    q = forms.CharField(
        required=False,
        max_length=100,
        label="Search deployments",
        widget=forms.TextInput(
            attrs={"class": "input", "type": "search", "placeholder": "Search deployments", "data-search": ""}
        ),
    )
    project = forms.CharField(
        required=False, max_length=100, label="Project", widget=forms.Select(attrs={"class": "input"})
    )
    state = forms.ChoiceField(
        required=False, choices=STATES, label="State", widget=forms.Select(attrs={"class": "input"})
    )
    after = forms.CharField(required=False, max_length=201)

    def __init__(self, data: object, *, organization: Organization) -> None:
        super().__init__(data, label_suffix="")  # type: ignore[arg-type]  # the stubs want a dict, not a QueryDict
        self.organization = organization
        self.fields["project"].widget.choices = CallableChoiceIterator(self.project_choices)

    def project_choices(self) -> list[tuple[str, str]]:
        projects = Project.objects.filter(organization=self.organization).values_list("slug", "name")
        return [("", "Any project"), *projects]

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("q", "project", "state")]

    def filters(self) -> LiveFilters:
        """What is valid of it."""
        self.is_valid()
        data = self.cleaned_data
        return LiveFilters(
            text=data.get("q", ""),
            project=data.get("project", ""),
            state=data.get("state", ""),
            after=data.get("after", ""),
        )
