from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from deployments.api.reading import ReadView
from deployments.api.representation import as_text
from deployments.forms.read_api import IncidentsForm
from deployments.models import Incident
from deployments.queries.impacts import read_incidents
from deployments.queries.keyset import Key


class IncidentsView(ReadView):
    """Those that began last come first."""

    def get(self, request: Request, organization: str) -> HttpResponse:
        key = self.cursor(Key)
        filters = self.filtered_by(IncidentsForm).incident_filters()
        incidents, following = read_incidents(filters, before=key, size=self.limit())
        return self.page([represent_incident(incident) for incident in incidents], str(following or ""))


def represent_incident(incident: Incident) -> dict[str, Any]:
    """``external_id``, ``title`` and ``url`` are those that the caller sent; dates are in UTC."""
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
