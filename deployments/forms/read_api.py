"""The filters of the read API's lists that are in the order of time: those of a timeline, with moments besides days."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django import forms

from deployments.forms.timeline import (
    EARLIEST,
    KINDS,
    KINDS_OF_DEPLOYS,
    LATEST,
    Place,
    TimelineForm,
    kind_field,
    text_field,
)
from deployments.models import ImpactKind, ImpactSource
from deployments.queries.called import called, no_such
from deployments.queries.impacts import IncidentFilters, living_sources
from deployments.queries.timeline import Filters
from deployments.queries.visible import (
    limits_on_deployments,
    limits_on_environments,
    visible_deployments,
    visible_environments,
    visible_projects,
)
from deployments.registration.dates import parse_date
from orgs.models import Organization, Project
from tokens.statements import TokenRow

NO_DATE = "Write a day such as 2024-05-01, or a moment such as 2024-05-01T12:35:00Z."
NO_STATE = "Write open, closed or nothing."


class MomentField(forms.Field):
    """A day, or a moment within the days that a timeline's form takes."""

    def to_python(self, value: str | None) -> date | datetime | None:
        if not value:
            return None
        try:
            day: date | datetime | None = date.fromisoformat(value)
        except ValueError:
            day = parse_date(value)
        if day is None or not EARLIEST <= (day.date() if isinstance(day, datetime) else day) <= LATEST:
            raise forms.ValidationError(NO_DATE)
        return day


class ReadForm(TimelineForm):
    """Knows of nothing that the token may not see."""

    kinds: Sequence[tuple[str, str]] = KINDS
    # What a timeline is filtered by and this list is not.
    without: tuple[str, ...] = ()

    since = MomentField(required=False)  # type: ignore[assignment]  # a form's fields may be of any class
    until = MomentField(required=False)  # type: ignore[assignment]  # the same

    def __init__(self, data: Mapping[str, Any], *, token: TokenRow, organization: Organization) -> None:
        self.token = token
        super().__init__(data, place=Place(organization=organization))
        self.fields["kind"] = kind_field(self.kinds)
        valid = ", ".join(kind for kind, _ in self.kinds if kind)
        self.fields["kind"].error_messages["invalid_choice"] = f"Write {valid} or nothing."
        for name in self.without:
            del self.fields[name]

    def projects(self) -> Any:
        return visible_projects(self.token)

    def deployments(self) -> Any:
        return visible_deployments(self.token)

    def environments(self) -> Any:
        living = visible_environments(self.token)
        project = self.chosen_project()
        return living.filter(project=project) if project else living

    def named(self, rows: Any, text: str) -> Any:
        return called(rows, text)

    def unknown(self, noun: str, text: str, rows: Any) -> str:
        return no_such(noun, text, rows)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        text, environments = cleaned.get("environment"), self.environments()
        if text and not self.named(environments, text).exists():
            self.add_error("environment", self.unknown("environment", text, environments))
        return cleaned

    def filters(self) -> Filters:
        filters = super().filters()
        limits = limits_on_deployments(self.token)
        if limits is not None and filters.deployment_id is None:
            filters = replace(filters, deployment_ids=limits)
        return filters

    def environment_ids(self, slug: str, project: Project | None) -> tuple[int, ...] | None:
        chosen = super().environment_ids(slug, project)
        return limits_on_environments(self.token) if chosen is None else chosen

    def beginning_of(self, day: date) -> datetime:
        return day if isinstance(day, datetime) else super().beginning_of(day)

    def end_of(self, day: date) -> datetime:
        return day if isinstance(day, datetime) else super().end_of(day)

    def first_error(self) -> str:
        """Of an invalid form, in one sentence."""
        field, (error, *_) = next(iter(self.errors.items()))
        return f"{field}: {error}"


class DeploysForm(ReadForm):
    kinds = KINDS_OF_DEPLOYS


class EntriesForm(ReadForm):
    """Of deploys and manual changes, as they stand on a timeline."""


class ManualChangesForm(ReadForm):
    without = ("kind", "deployment", "sha", "version")


class IncidentsForm(ReadForm):
    without = ("kind", "deployment", "sha", "version", "q", "author", "tag")

    source = text_field("Impact source")
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), ("open", "Open"), ("closed", "Closed")],
        error_messages={"invalid_choice": NO_STATE},
    )

    def sources(self) -> Any:
        """Those in the chosen environments. An incident belongs to no deployment: a token that is limited to some sees
        none."""
        if self.token.limited_to_deployments:
            return ImpactSource.objects.none()
        environments, text = self.environments(), self.cleaned_data.get("environment")
        chosen = self.named(environments, text) if text else environments
        return living_sources(self.place.organization.pk).filter(kind=ImpactKind.INCIDENT, environment__in=chosen)

    def chosen_sources(self) -> Any:
        """Those that ``source`` names: a slug is unique in its environment."""
        return self.named(self.sources(), self.cleaned_data["source"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        text = cleaned.get("source")
        if text and not self.errors and not self.chosen_sources().exists():
            self.add_error("source", self.unknown("incident impact source", text, self.sources()))
        return cleaned

    def incident_filters(self) -> IncidentFilters:
        """Only of a valid form."""
        filters = self.filters()
        state = self.cleaned_data["state"]
        return IncidentFilters(
            organization_id=filters.organization_id,
            project_id=filters.project_id,
            environment_ids=() if self.token.limited_to_deployments else filters.environment_ids,
            source_ids=self.source_ids(),
            since=filters.since,
            until=filters.until,
            is_open=state == "open" if state else None,
        )

    def source_ids(self) -> tuple[int, ...] | None:
        if not self.cleaned_data["source"]:
            return None
        return tuple(self.chosen_sources().values_list("pk", flat=True))
