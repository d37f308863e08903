"""The filters of the read API's deploys: those of a timeline, with moments besides days."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django import forms

from deployments.forms.timeline import EARLIEST, KINDS, LATEST, Place, TimelineForm
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
from orgs.text import shortened
from tokens.statements import TokenRow

NO_DATE = "Write a day such as 2024-05-01, or a moment such as 2024-05-01T12:35:00Z."
NO_KIND = f"Write {', '.join(kind for kind, _ in KINDS if kind)} or nothing."


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


class DeploysForm(TimelineForm):
    """Knows of nothing that the token may not see."""

    since = MomentField(required=False)  # type: ignore[assignment]  # a form's fields may be of any class
    until = MomentField(required=False)  # type: ignore[assignment]  # the same

    def __init__(self, data: Mapping[str, Any], *, token: TokenRow, organization: Organization) -> None:
        self.token = token
        super().__init__(data, place=Place(organization=organization))
        self.fields["kind"].error_messages["invalid_choice"] = NO_KIND

    def projects(self) -> Any:
        return visible_projects(self.token)

    def deployments(self) -> Any:
        return visible_deployments(self.token)

    def environments(self) -> Any:
        living = visible_environments(self.token)
        project = self.chosen_project()
        return living.filter(project=project) if project else living

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        slug = cleaned.get("environment")
        if slug and not self.environments().filter(slug=slug).exists():
            self.add_error("environment", f"There is no environment {shortened(slug, 100)}.")
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
