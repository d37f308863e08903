"""``register_impact``: what custom metrics measured and what happened to custom incidents."""

import re
from contextlib import nullcontext
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from deployments.api.answers import answer_refusal, answer_text
from deployments.api.dry_run import answer_dry_run
from deployments.api.logged import RegistrationView
from deployments.api.representation import as_text
from deployments.impacts.access import check_source_allowed
from deployments.impacts.errors import MetricTooSoon, UnknownImpactSource
from deployments.impacts.incidents import record_incident
from deployments.impacts.metrics import NO_METRIC_SOURCE, record_metric_value
from deployments.models import ImpactSource
from deployments.queries.impacts import find_incident_source, find_metric_source, open_incidents
from deployments.registration.errors import InvalidField, UnusableNumber
from deployments.registration.trial import rolled_back
from deployments.wire.body import Expected
from deployments.wire.impacts import NO_NUMBER, read_incident_report, read_metric_value
from orgs.audit import Actor, acting_as
from orgs.text import shortened
from tokens.scopes import Scope

SOURCE_ID = re.compile(r"[0-9]{1,18}")


class ImpactView(RegistrationView):
    required_scope = Scope.REGISTER_IMPACT
    # Sleuth's pages name this text for both endpoints.
    unauthorized_text = "Unauthorized"


class RegisterMetricView(ImpactView):
    expected = Expected("value")

    def post(self, request: Request, impact_id: str) -> HttpResponse:
        source = self.find_source(impact_id)
        check_source_allowed(token=self.token, source=source)
        fields = self.read_fields()
        value, measured_at = read_metric_value(fields)
        now = timezone.now()

        def record() -> None:
            record_metric_value(source=source, value=value, measured_at=measured_at, now=now, token_id=self.token.id)

        accepted = answer_text(200, "Success")
        if not self.is_dry_run:
            record()
            return accepted
        report = {**named(source), "value": value, "measured_at": as_text(measured_at or now)}
        try:
            with rolled_back():
                record()
        except MetricTooSoon as refusal:
            return answer_dry_run("refused", report, would_answer=answer_refusal(refusal))
        return answer_dry_run("metric_value", report, would_answer=accepted)

    def find_source(self, impact_id: str) -> ImpactSource:
        source = (
            find_metric_source(organization_id=self.token.organization_id, source_id=int(impact_id))
            if SOURCE_ID.fullmatch(impact_id)
            else None
        )
        if source is None:
            raise UnknownImpactSource(NO_METRIC_SOURCE)
        return source

    def handle_exception(self, exc: Exception) -> Any:
        """Python's json writes NaN and Infinity, which are no JSON: here the value is what is wrong."""
        return super().handle_exception(InvalidField(NO_NUMBER) if isinstance(exc, UnusableNumber) else exc)


class RegisterIncidentView(ImpactView):
    """The token may be the last segment of the path, where tools can only be given an address."""

    expected = Expected("type")

    def post(
        self, request: Request, organization: str, project: str, environment: str, source: str, token: str = ""
    ) -> HttpResponse:
        found = find_incident_source(
            organization_id=self.token.organization_id, project=project, environment=environment, source=source
        )
        if found is None:
            place = f"'{shortened(source, 100)}' in environment '{shortened(environment, 100)}'"
            raise UnknownImpactSource(
                f"There is no incident impact source {place} of project '{shortened(project, 100)}'."
            )
        check_source_allowed(token=self.token, source=found)
        fields = self.read_fields()
        report = read_incident_report(fields)
        now, accepted = timezone.now(), answer_text(200, "Success")
        with rolled_back() if self.is_dry_run else nullcontext(), acting_as(self.actor(request)):
            record_incident(source=found, report=report, now=now, token_id=self.token.id)
            if self.is_dry_run:
                event = {
                    **named(found),
                    "type": report.type.value,
                    "id": report.external_id or None,
                    "occurred_at": as_text(report.occurred_at or now),
                    "open_incidents": open_incidents(found).count(),
                }
                return answer_dry_run("incident_event", event, would_answer=accepted)
        return accepted

    def actor(self, request: HttpRequest | Request) -> Actor:
        return Actor(label=f"access token {self.token.name}", address=request.META.get("REMOTE_ADDR", ""))


def named(source: ImpactSource) -> dict[str, str]:
    return {
        "organization": source.organization.slug,
        "project": source.project.slug,
        "environment": source.environment.slug,
        "impact_source": source.slug,
    }
