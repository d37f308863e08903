"""Impact sources, which the operator may set up here, and what they reported, which is only shown."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from deployments.impacts.sources import create_impact_source
from deployments.models import ImpactKind, ImpactSource, Incident, IncidentEvent, MetricValue
from orgs.admin.base import FactAdmin, FactInline, OperatorAdmin
from orgs.admin.organizations import SluggedForm, adopt

REPORTS = {"incident_events": "incidents", "values": "values"}


class ImpactSourceForm(SluggedForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        environment, slug = cleaned.get("environment"), cleaned.get("slug")
        if environment and slug and ImpactSource.objects.filter(environment=environment, slug=slug).exists():
            self.add_error("slug", f"{environment} has another impact source with this slug.")
        return cleaned


@admin.register(ImpactSource)
class ImpactSourceAdmin(OperatorAdmin):
    form = ImpactSourceForm
    fixed_fields = ("environment", "kind", "slug")
    history = REPORTS
    # Chosen from its list, since every project has a production.
    raw_id_fields = ("environment",)
    fields = ("environment", "kind", "name", "slug")
    list_display = ("name", "slug", "kind", "environment", "project", "organization", "last_value_at")
    list_filter = (("organization", RelatedOnlyFieldListFilter), "kind")
    list_select_related = ("environment", "project", "organization")
    search_fields = ("name", "slug", "project__slug", "organization__slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImpactSource]:
        return ImpactSource.objects.all()

    def save_model(self, request: HttpRequest, obj: ImpactSource, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        source = create_impact_source(
            environment=obj.environment, kind=ImpactKind(obj.kind), name=obj.name, slug=obj.slug
        )
        adopt(obj, source)


class IncidentEventInline(FactInline):
    model = IncidentEvent
    fields = ("type", "occurred_at", "reported_at", "title", "token", "created_at")


@admin.register(Incident)
class IncidentAdmin(FactAdmin):
    list_display = ("__str__", "source", "environment", "organization", "started_at", "ended_at")
    list_filter = ("organization", "started_at")
    list_select_related = ("source", "environment", "organization")
    search_fields = ("external_id__startswith", "title")
    inlines = (IncidentEventInline,)
    fields = (
        *("title", "external_id", "url", "organization", "project", "environment", "source", "started_at", "ended_at"),
        *("created_at", "updated_at"),
    )


class ReportAdmin(FactAdmin):
    list_select_related = ("source",)


@admin.register(IncidentEvent)
class IncidentEventAdmin(ReportAdmin):
    list_display = ("type", "source", "external_id", "occurred_at", "created_at")
    list_filter = ("type",)
    search_fields = ("external_id__startswith", "title")


@admin.register(MetricValue)
class MetricValueAdmin(ReportAdmin):
    list_display = ("value", "source", "measured_at", "created_at")
    search_fields = ("source__slug",)
