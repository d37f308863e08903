"""Sleuth's ``register_impact``: fields of a request → a report of an incident, or a value of a metric.

https://help.sleuth.io/sleuth-api/custom-incident-impact-registration and …/custom-metric-impact-registration; what
clients really send is in tests/compat.
"""

import math
from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from deployments.api.answers import answer_rejection, answer_text
from deployments.api.body import ExpectedBody, without_absent
from deployments.api.dates import CLOCK_SKEW, check_dates, read_date, read_optional_date
from deployments.api.dropped import Dropped, cut, dropped_header
from deployments.api.dry_run import answer_dry_run, dry_run
from deployments.api.schemas import accepted_fields, path_of, violations
from deployments.errors import InvalidField, MetricTooSoon, RegistrationError, UnknownImpactSource, UnusableNumber
from deployments.impacts.alerts import is_notification, read_notification
from deployments.impacts.incidents import IncidentReport, record_incident
from deployments.impacts.queries import (
    active_sources,
    find_incident_source,
    find_metric_source,
    open_incidents,
    read_incidents,
)
from deployments.impacts.sources import NO_METRIC_SOURCE, record_metric_value
from deployments.models import ImpactKind, ImpactSource, Incident, IncidentEventType
from deployments.models.impact import MAX_INCIDENT_TITLE_LENGTH
from deployments.registration.idempotency import answer_by_key, read_key
from deployments.registration.representation import as_text
from deployments.request_log.endpoint import CallView
from deployments.timeline.forms import text_field
from deployments.timeline.read_api import PAGING, ReadForm, ReadView
from deployments.token_limits import check_allowed, visible
from orgs.audit import acting_as
from orgs.pages import ROW_ID
from orgs.text import shortened
from tokens.scopes import Scope

# The text is Sleuth's; clients compare it.
NO_NUMBER = "Bad Request - impact value must be a number"


def read_metric_value(fields: dict[str, Any]) -> tuple[float, datetime | None]:
    """The value and its date, none for now. Raises InvalidField."""
    fields = without_absent(fields)
    broken = {path_of(violation) for violation in violations("register_impact_metric", fields)}
    if "value" not in fields or "value" in broken:
        raise InvalidField(NO_NUMBER)
    value = as_number(fields["value"])
    check_dates(fields.get("date"))
    return value, read_date(fields.get("date"))


def as_number(value: float | str) -> float:
    """Raises InvalidField if no double can hold the number."""
    number = float(value)
    if not math.isfinite(number):
        raise InvalidField(NO_NUMBER)
    return number


def read_incident_report(fields: dict[str, Any], dropped: Dropped) -> IncidentReport:
    """Raises InvalidField for the first problem with what names the incident."""
    fields = without_absent(fields)
    check_dates(fields.get("date"), fields.get("ended_date"))
    if isinstance(fields.get("id"), int) and not isinstance(fields["id"], bool):
        # Tools that number their incidents send a number in one template and a text in another.
        fields["id"] = str(fields["id"])
    fields = accepted_fields("register_impact_incident", fields, dropped)
    type_ = IncidentEventType(fields["type"].lower())
    occurred_at, ended_at = read_date(fields.get("date")), read_end(fields.get("ended_date"))
    if type_ != IncidentEventType.TRIGGERED:
        ended_at = None
    elif ended_at and occurred_at is None:
        raise InvalidField("date is required with ended_date: send when the incident began.")
    elif ended_at and occurred_at and ended_at < occurred_at:
        if occurred_at - ended_at > CLOCK_SKEW:
            raise InvalidField("ended_date is before date: send when the incident ended.")
        ended_at = occurred_at
    return IncidentReport(
        type=type_,
        external_id=fields.get("id", ""),
        occurred_at=occurred_at,
        ended_at=ended_at,
        # Alerting tools may send whole messages.
        title=cut("title", " ".join(fields.get("title", "").split()), MAX_INCIDENT_TITLE_LENGTH, dropped),
        url=fields.get("url", ""),
    )


def read_end(value: str | float | None) -> datetime | None:
    """Go's templates write its zero time for an incident that has not ended."""
    ended_at = read_optional_date(value, "ended_date")
    return read_date(value, "ended_date") if ended_at else None


# --- The endpoints that register values of custom metrics and events of custom incidents ---


class ImpactView(CallView):
    required_scope = Scope.REGISTER_IMPACT
    # Sleuth documents this text for both endpoints.
    unauthorized_text = "Unauthorized"


class RegisterMetricView(ImpactView):
    kind = "register-metric"
    expected = ExpectedBody("value")

    def post(self, request: Request, impact_id: str) -> HttpResponse:
        source = self.find_source(impact_id)
        check_allowed(self.token, shared="an impact source", environment_id=source.environment_id)
        fields = self.read_fields()
        now = timezone.now()
        value, measured_at = read_metric_value(fields)

        def record() -> None:
            record_metric_value(source=source, value=value, measured_at=measured_at, now=now, token_id=self.token.id)

        def answer() -> HttpResponse:
            record()
            return answer_text(200, "Success")

        if not self.is_dry_run:
            # Tools that repeat a POST by themselves would be told that the value comes too soon.
            return answer_by_key(
                request,
                token_id=self.token.id,
                called=f"register_impact {source.pk}",
                fields=fields,
                answer=answer,
                or_by_bytes=True,
            )
        read_key(request)
        report = {**slugs_of(source), "value": value, "measured_at": as_text(min(measured_at or now, now))}
        try:
            with dry_run():
                record()
        except MetricTooSoon as rejection:
            return answer_dry_run("refused", report, would_answer=answer_rejection(rejection))
        return answer_dry_run("metric_value", report, would_answer=answer_text(200, "Success"))

    def find_source(self, impact_id: str) -> ImpactSource:
        source = (
            find_metric_source(organization_id=self.token.organization_id, source_id=int(impact_id))
            if ROW_ID.fullmatch(impact_id)
            else None
        )
        if source is None:
            raise UnknownImpactSource(NO_METRIC_SOURCE)
        return source

    def handle_exception(self, exc: Exception) -> Any:
        """Answers that the value is wrong if the body has NaN or Infinity, which Python writes although JSON has
        neither."""
        return super().handle_exception(InvalidField(NO_NUMBER) if isinstance(exc, UnusableNumber) else exc)


class RegisterIncidentView(ImpactView):
    """The token may be the last segment of the path, for tools that can only be configured with an address."""

    kind = "register-incident"
    expected = ExpectedBody("type")

    def post(
        self, request: Request, organization: str, project: str, environment: str, source: str, token: str = ""
    ) -> HttpResponse:
        found = find_incident_source(
            organization_id=self.token.organization_id, project=project, environment=environment, source=source
        )
        if found is None:
            where = f"'{shortened(source, 100)}' in environment '{shortened(environment, 100)}'"
            raise UnknownImpactSource(
                f"There is no incident impact source {where} of project '{shortened(project, 100)}'."
            )
        check_allowed(self.token, shared="an impact source", environment_id=found.environment_id)
        fields = self.read_fields()
        now, is_of_alerts = timezone.now(), is_notification(fields)
        if is_of_alerts:
            reports = read_notification(fields, self.dropped)
        else:
            reports = [read_incident_report(fields, self.dropped)]
        dropped = self.dropped.sentences()
        accepted = answer_text(200, "Success", dropped_header(dropped))

        def record() -> HttpResponse:
            with acting_as(self.actor), transaction.atomic():
                for report in reports:
                    record_incident(source=found, report=report, now=now, token_id=self.token.id)
            return accepted

        if not self.is_dry_run:
            called = f"register_impact {found.pk}"
            return answer_by_key(request, token_id=self.token.id, called=called, fields=fields, answer=record)
        read_key(request)
        event: dict[str, Any] = {"alerts": len(reports)} if is_of_alerts else event_of(reports[0], now)
        with dry_run():
            record()
            event |= {**slugs_of(found), "open_incidents": open_incidents(found).count(), "dropped": dropped}
        return answer_dry_run("incident_event", event, would_answer=accepted)

    def handle_exception(self, exc: Exception) -> Any:
        """Answers 503 to Alertmanager if it calls too often: it takes every 4xx for final, and would not come again for
        hours."""
        response = super().handle_exception(exc)
        if isinstance(exc, Throttled) and self.sends_alerts():
            response.status_code = 503
        return response

    def sends_alerts(self) -> bool:
        try:
            return is_notification(self.fields)
        except RegistrationError:
            return False


def event_of(report: IncidentReport, now: datetime) -> dict[str, Any]:
    return {
        "type": report.type.value,
        "id": report.external_id or None,
        "occurred_at": as_text(min(report.occurred_at or now, now)),
    }


def slugs_of(source: ImpactSource) -> dict[str, str]:
    return {
        "organization": source.organization.slug,
        "project": source.project.slug,
        "environment": source.environment.slug,
        "impact_source": source.slug,
    }


NO_STATE = "Write open, closed or nothing."


class IncidentsForm(ReadForm):
    without = ("kind", "status", "deployment", "sha", "version", "q", "author", "tag")

    source = text_field("Impact source")
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), ("open", "Open"), ("closed", "Closed")],
        error_messages={"invalid_choice": NO_STATE},
    )

    def sources(self) -> Any:
        """Sources in the chosen environments."""
        environments, text = self.environments(), self.cleaned_data.get("environment")
        chosen = self.matching(environments, text) if text else environments
        sources = active_sources(self.scope.organization.pk).filter(kind=ImpactKind.INCIDENT, environment__in=chosen)
        return visible(sources, self.token)

    def chosen_sources(self) -> Any:
        """Several sources may have the slug ``source``, each in another environment."""
        return self.matching(self.sources(), self.cleaned_data["source"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        text = cleaned.get("source")
        if text and not self.errors and not self.chosen_sources().exists():
            self.add_error("source", self.unknown("incident impact source", text, self.sources()))
        return cleaned

    def incidents(self) -> QuerySet[Incident]:
        """Needs a valid form."""
        filters, state = self.filters(), self.cleaned_data["state"]
        if filters.deployment_ids is not None:
            # An incident belongs to no deployment: a token that is limited to some sees none.
            return Incident.objects.none()
        found = Incident.objects.filter(filters.indexed_dates("started_at"), source__deleted_at=None)
        if filters.project_id is not None:
            found = found.filter(project=filters.project_id)
        else:
            found = found.filter(organization=filters.organization_id)
        if filters.environment_ids is not None:
            found = found.filter(environment__in=filters.environment_ids)
        if self.cleaned_data["source"]:
            found = found.filter(source__in=list(self.chosen_sources().values_list("pk", flat=True)))
        return found.filter(ended_at__isnull=state == "open") if state else found


class IncidentsView(ReadView):
    """Sorted by when they began, newest first."""

    takes = (*IncidentsForm.names(), *PAGING)

    def get(self, request: Request, organization: str) -> HttpResponse:
        key, found = self.cursor(), self.filtered_by(IncidentsForm).incidents()
        incidents, following = read_incidents(found, before=key, size=self.limit())
        return self.page([represent_incident(incident) for incident in incidents], str(following or ""))


def represent_incident(incident: Incident) -> dict[str, Any]:
    """``external_id``, ``title`` and ``url`` are the caller's; dates are in UTC."""
    return {
        "id": incident.pk,
        "organization": incident.organization.slug,
        "project": incident.project.slug,
        "environment": incident.environment.slug,
        "source": {"slug": incident.source.slug, "name": incident.source.name},
        "external_id": incident.external_id or None,
        "title": incident.title or None,
        "url": incident.url or None,
        "started_at": as_text(incident.started_at),
        "ended_at": as_text(incident.ended_at),
    }
