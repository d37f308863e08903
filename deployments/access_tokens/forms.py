"""The forms of access tokens."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypedDict, TypeVar

from django import forms
from django.db import models
from django.utils import timezone
from django.utils.html import format_html

from deployments.models import Deployment
from orgs.forms import DayField, NameField
from orgs.models import Environment, Organization
from orgs.queries import midnight
from tokens.models import AccessToken
from tokens.scopes import Scope

EXPLAINED_SCOPES = {
    Scope.REGISTER_DEPLOY: "what a CI needs",
    Scope.REGISTER_IMPACT: "what a monitoring needs",
    Scope.READ: "what a dashboard needs",
    Scope.ALL: "all of these, and whatever comes later",
}
LIFETIMES = {"30": "30 days", "90": "90 days", "365": "1 year"}
GRACE_TIMES = {
    "0": "Not at all: it stops now. For a secret that leaked.",
    "1": "1 hour",
    "24": "24 hours",
    "168": "7 days",
}

Row = TypeVar("Row", bound=models.Model)


class TokenPermissions(TypedDict):
    """What a token may do, where and until when; ``None`` is no limit."""

    scopes: list[Scope]
    deployments: Sequence[Deployment] | None
    environments: Sequence[Environment] | None
    expires_at: datetime | None


class RowsField(forms.MultipleChoiceField, Generic[Row]):
    """Some of the given rows, by checkboxes."""

    widget = forms.CheckboxSelectMultiple

    def offer(self, rows: Iterable[tuple[Row, str]]) -> None:
        labelled = list(rows)
        self.rows = {str(row.pk): row for row, _ in labelled}
        self.choices = [(str(row.pk), label) for row, label in labelled]

    def clean(self, value: Any) -> Any:
        return [self.rows[key] for key in super().clean(value)]


class TokenForm(forms.Form):
    """``token`` is the one to change; it may keep its expiry."""

    scopes = forms.MultipleChoiceField(
        label="It may",
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.REGISTER_DEPLOY],
        error_messages={"required": "Choose at least one thing that it may do."},
    )
    limit_deployments = forms.ChoiceField(
        label="Deployments",
        widget=forms.RadioSelect,
        choices=[("all", "Every deployment, also later ones"), ("some", "Only these, and no manual changes")],
        initial="all",
    )
    deployments = RowsField[Deployment](required=False)
    limit_environments = forms.ChoiceField(
        label="Environments",
        widget=forms.RadioSelect,
        choices=[("all", "Every environment, also later ones"), ("some", "Only these")],
        initial="all",
    )
    environments = RowsField[Environment](required=False)
    expiry = forms.ChoiceField(label="Expires", widget=forms.RadioSelect, initial="365")
    expires_on = DayField(label="Last day")

    def __init__(
        self,
        *args: Any,
        organization: Organization,
        deployments: Sequence[Deployment],
        environments: Sequence[Environment],
        token: AccessToken | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.organization, self.token = organization, token
        fields: dict[str, Any] = self.fields
        fields["scopes"].choices = [
            (scope.value, format_html('<strong>{}</strong> <span class="muted">{}</span>', scope.label, words))
            for scope, words in EXPLAINED_SCOPES.items()
        ]
        fields["deployments"].offer((item, item.name) for item in deployments)
        fields["environments"].offer((item, environment_label(item)) for item in environments)
        kept = [("keep", f"As it is: {expiry_in_words(token)}")] if token else []
        fields["expiry"].choices = [
            *kept,
            *((days, f"In {words}") for days, words in LIFETIMES.items()),
            ("never", "Never"),
            ("date", "After a day of your choice"),
        ]

    def clean(self) -> None:
        data = self.cleaned_data
        for kind in ("deployments", "environments"):
            if data.get(f"limit_{kind}") == "some" and kind in data and not data[kind]:
                self.add_error(kind, f"Choose at least one, or allow all {kind}.")
        if data.get("expiry") == "date" and "expires_on" in data:
            if data["expires_on"] is None:
                self.add_error("expires_on", "Write the last day on which it works.")
            elif self.expires_at() <= timezone.now():  # type: ignore[operator]  # a day is given
                self.add_error("expires_on", "That day is over: choose a later one.")

    def expires_at(self) -> datetime | None:
        expiry = self.cleaned_data["expiry"]
        if expiry == "keep" and self.token:
            return self.token.expires_at
        if expiry == "date":
            return midnight(self.organization, self.cleaned_data["expires_on"] + timedelta(days=1))
        return timezone.now() + timedelta(days=int(expiry)) if expiry in LIFETIMES else None

    def permissions(self) -> TokenPermissions:
        data = self.cleaned_data
        return {
            "scopes": [Scope(scope) for scope in data["scopes"]],
            "deployments": data["deployments"] if data["limit_deployments"] == "some" else None,
            "environments": data["environments"] if data["limit_environments"] == "some" else None,
            "expires_at": self.expires_at(),
        }


class NewTokenForm(TokenForm):
    """``nonce`` tells a form that is sent again, by a reload of the page that answers it, from a new one."""

    name = NameField(help_text="Where its secret will be, such as “GitHub Actions, storefront”.")
    nonce = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput)
    field_order = ("name",)


class RenameForm(forms.Form):
    name = NameField(widget=forms.TextInput(attrs={"autofocus": True}))


class RotateForm(forms.Form):
    """``hint`` is the secret's to replace: sent again, the form does not replace the one that came of it."""

    hint = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    grace = forms.ChoiceField(
        label="How long does the old secret go on working?",
        widget=forms.RadioSelect,
        choices=list(GRACE_TIMES.items()),
        initial="24",
    )

    def clean_grace(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["grace"]))


def environment_label(environment: Environment) -> str:
    return f"{environment.project.name}: {environment.name}"


def grace_in_words(grace: timedelta) -> str:
    """Empty where there is none."""
    return GRACE_TIMES[str(int(grace / timedelta(hours=1)))] if grace else ""


def expiry_in_words(token: AccessToken) -> str:
    return f"{token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "never"


def initial_of(token: AccessToken) -> dict[str, Any]:
    return {
        "scopes": token.scope_list,
        "limit_deployments": "some" if token.limited_to_deployments else "all",
        "deployments": [str(pk) for pk in token.deployments.values_list("pk", flat=True)],
        "limit_environments": "some" if token.limited_to_environments else "all",
        "environments": [str(pk) for pk in token.environments.values_list("pk", flat=True)],
        "expiry": "keep",
    }
