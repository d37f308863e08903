"""The filters of the request log, taken from its query string."""

from datetime import timedelta
from typing import Any

from django import forms

from deployments.models.call import Outcome
from deployments.request_log.queries import UNRESOLVED, CallFilter
from deployments.timeline.forms import search_field, text_field
from orgs.forms import DayField
from orgs.models import Organization
from orgs.queries import midnight

OUTCOMES = [
    ("", "All"),
    (UNRESOLVED, "Rejected and unresolved"),
    ("all-rejected", "Rejected for any reason"),
    *Outcome.choices,
]


class CallFilterForm(forms.Form):
    text = search_field("Search what was sent and answered", 200)
    outcome = forms.ChoiceField(
        required=False, choices=OUTCOMES, label="Outcome", widget=forms.Select(attrs={"class": "input"})
    )
    deployment = text_field("Deployment", placeholder="Its slug")
    environment = text_field("Environment", placeholder="Its slug")
    token = text_field("Token", placeholder="Part of its name")
    request_id = text_field("Request id", placeholder="Part of X-Request-Id")
    since = DayField(label="From")
    until = DayField(label="To")

    def __init__(self, data: Any, *, organization: Organization) -> None:
        super().__init__(data, label_suffix="")
        self.organization = organization
        for name in ("since", "until"):
            self.fields[name].widget.attrs["class"] = "input"

    def chosen(self) -> CallFilter:
        """Ignores what is invalid, which the form marks."""
        self.is_valid()
        data = dict(self.cleaned_data)
        if data.get("since"):
            data["since"] = midnight(self.organization, data["since"])
        if data.get("until"):
            data["until"] = midnight(self.organization, data["until"] + timedelta(days=1))
        data["deployment"] = data.get("deployment", "").lower()
        return CallFilter(**data)

    @property
    def common_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("text", "outcome", "deployment")]

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("environment", "token", "request_id", "since", "until")]

    @property
    def has_rare_filters(self) -> bool:
        return any(field.value() for field in self.rare_fields)
