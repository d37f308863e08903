from typing import Any

from django.db.models import Q
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.api.base import TokenView
from deployments.forms.timeline import Place, TimelineForm
from deployments.queries.export import every_entry
from deployments.wire.timeline_export import FORMATS, export_response
from orgs.models import Organization
from tokens.scopes import Scope


class TimelineView(TokenView):
    """The whole timeline as a stream, by the filters of its page. A limited token sees what it is limited to."""

    required_scope = Scope.READ

    def get(self, request: Request, organization: str) -> HttpResponseBase:
        form = request.query_params.get("format", "jsonl")
        if form not in FORMATS:
            return answer_text(400, f"There is no format '{form[:20]}': leave it out for jsonl, or send format=csv.")
        place = Place(organization=Organization.objects.get(pk=self.token.organization_id))
        filters = TimelineForm(request.query_params, place=place)
        if not filters.is_valid():
            name, errors = next(iter(filters.errors.items()))
            return answer_text(400, f"{name}: {errors[0]}")
        entries = every_entry(
            filters.filters(), allowed_deploys=self.allowed_deploys(), allowed_changes=self.allowed_changes()
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
