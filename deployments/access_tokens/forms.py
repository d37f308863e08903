"""The forms of access tokens."""

from collections.abc import Callable, Sequence
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
    Scope.REGISTER_DEPLOY: "for a CI",
    Scope.IMPORT_DEPLOYS: "for a move from another tool",
    Scope.REGISTER_IMPACT: "for a monitoring tool",
    Scope.READ: "for a dashboard",
    Scope.ALL: "all of the above, and permissions that are added later",
}
LIFETIMES = {"30": "30 days", "90": "90 days", "365": "1 year"}
GRACE_TIMES = {
    "0": "It stops now. Choose this if the secret leaked.",
    "1": "1 hour",
    "24": "24 hours",
    "168": "7 days",
}

Row = TypeVar("Row", bound=models.Model)


class TokenPermissions(TypedDict):
    """``None`` means no limit."""

    scopes: list[Scope]
    deployments: Sequence[Deployment] | None
    environments: Sequence[Environment] | None
    expires_at: datetime | None


class RowsField(forms.MultipleChoiceField, Generic[Row]):
    """Lets a person check some rows of a table."""

    widget = forms.CheckboxSelectMultiple

    def offer(self, rows: Sequence[Row], label: Callable[[Row], str]) -> None:
        self.rows = {str(row.pk): row for row in rows}
        self.choices = [(str(row.pk), label(row)) for row in rows]

    def clean(self, value: Any) -> Any:
        return [self.rows[key] for key in super().clean(value)]


class TokenForm(forms.Form):
    """``token`` is the token to change, if any. It may keep its expiry."""

    scopes = forms.MultipleChoiceField(
        label="It may",
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.REGISTER_DEPLOY],
        error_messages={"required": "Choose at least one permission."},
    )
    limit_deployments = forms.ChoiceField(
        label="Deployments",
        widget=forms.RadioSelect,
        choices=[("all", "All deployments, including future ones"), ("some", "Only these, and no manual changes")],
        initial="all",
    )
    deployments = RowsField[Deployment](required=False)
    limit_environments = forms.ChoiceField(
        label="Environments",
        widget=forms.RadioSelect,
        choices=[("all", "All environments, including future ones"), ("some", "Only these")],
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
        fields["deployments"].offer(deployments, lambda item: item.name)
        fields["environments"].offer(environments, lambda item: f"{item.project.name}: {item.name}")
        kept = [("keep", f"Do not change ({expiry_in_words(token)})")] if token else []
        fields["expiry"].choices = [
            *kept,
            *((days, f"In {words}") for days, words in LIFETIMES.items()),
            ("never", "Never"),
            ("date", "After a day that you choose"),
        ]

    def clean(self) -> None:
        data = self.cleaned_data
        for kind in ("deployments", "environments"):
            if data.get(f"limit_{kind}") == "some" and kind in data and not data[kind]:
                self.add_error(kind, f"Choose at least one, or choose all {kind}.")
        if data.get("expiry") == "date" and "expires_on" in data:
            if data["expires_on"] is None:
                self.add_error("expires_on", "Write the last day on which the token works.")
            elif self.expires_at() <= timezone.now():  # type: ignore[operator]  # a day is given
                self.add_error("expires_on", "That day is in the past: choose a later one.")

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
    """``nonce`` distinguishes a new form from one that a reload sends again."""

    name = NameField(help_text="Where you will store its secret, such as “GitHub Actions, storefront”.")
    nonce = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput)
    field_order = ("name",)


class RenameForm(forms.Form):
    name = NameField(widget=forms.TextInput(attrs={"autofocus": True}))


class RotateForm(forms.Form):
    """``hint`` is the hint of the secret to replace. If a reload sends the form again, the hint no longer matches."""

    hint = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    grace = forms.ChoiceField(
        label="How long should the old secret keep working?",
        widget=forms.RadioSelect,
        choices=list(GRACE_TIMES.items()),
        initial="24",
    )

    def clean_grace(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["grace"]))


def grace_in_words(grace: timedelta) -> str:
    """Empty if there is no grace time."""
    return GRACE_TIMES[str(int(grace / timedelta(hours=1)))] if grace else ""


def expiry_in_words(token: AccessToken) -> str:
    return f"{timezone.localtime(token.expires_at):%Y-%m-%d %H:%M %Z}" if token.expires_at else "never"


def initial_of(token: AccessToken) -> dict[str, Any]:
    return {
        "scopes": token.scope_list,
        "limit_deployments": "some" if token.limited_to_deployments else "all",
        "deployments": [str(pk) for pk in token.deployments.values_list("pk", flat=True)],
        "limit_environments": "some" if token.limited_to_environments else "all",
        "environments": [str(pk) for pk in token.environments.values_list("pk", flat=True)],
        "expiry": "keep",
    }
