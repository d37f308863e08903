from typing import Any

from django.db.models import Q
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.api.reading import ReadView
from deployments.forms.read_api import EntriesForm
from deployments.queries.export import every_entry
from deployments.wire.timeline_export import FORMATS, export_response
from orgs.text import shortened


class TimelineView(ReadView):
    """The whole timeline as a stream, by the filters of the lists. A limited token sees what it is limited to."""

    def get(self, request: Request, organization: str) -> HttpResponseBase:
        form = self.parameters.get("format") or "jsonl"
        if form not in FORMATS:
            return answer_text(
                400, f"There is no format '{shortened(form, 20)}': leave it out for jsonl, or send format=csv."
            )
        entries = every_entry(
            self.filtered_by(EntriesForm).filters(),
            allowed_deploys=self.allowed_deploys(),
            allowed_changes=self.allowed_changes(),
        )
        return export_response(form, entries, organization_slug=self.token.organization_slug)

    def allowed_deploys(self) -> Q:
        limits: dict[str, Any] = {}
        if self.token.limited_to_deployments:
            limits["deployment__tokens"] = self.token.id
        if self.token.limited_to_environments:
            limits["environment__tokens"] = self.token.id
        return Q(**limits)

    def allowed_changes(self) -> Q:
        """As queries.manual_changes.manual_changes_for_token."""
        if self.token.limited_to_deployments:
            return Q(pk__in=())
        return Q(environment__tokens=self.token.id) if self.token.limited_to_environments else Q()
