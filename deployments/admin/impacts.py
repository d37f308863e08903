"""Impact sources, which the operator may set up here, and what they reported, which is only shown."""

from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from deployments.impacts.sources import create_impact_source
from deployments.models import ImpactKind, ImpactSource, Incident, IncidentEvent, MetricValue
from orgs.admin.base import FactAdmin, OperatorAdmin, fact_inline
from orgs.admin.organizations import SluggedForm


class ImpactSourceForm(SluggedForm):
    parent = "environment"


@admin.register(ImpactSource)
class ImpactSourceAdmin(OperatorAdmin):
    form = ImpactSourceForm
    fixed_fields = ("environment", "kind", "slug")
    history = {"incident_events": "incidents", "values": "values"}  # noqa: RUF012 - typed by the base
    # Chosen from its list, since every project has a production.
    raw_id_fields = ("environment",)
    fields = ("environment", "kind", "name", "slug")
    list_display = ("name", "slug", "kind", "environment", "project", "organization", "last_value_at")
    list_filter = (("organization", RelatedOnlyFieldListFilter), "kind")
    list_select_related = ("environment", "project", "organization")
    search_fields = ("name", "slug", "project__slug", "organization__slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImpactSource]:
        return ImpactSource.objects.all()

    def create(self, obj: ImpactSource) -> ImpactSource:
        return create_impact_source(
            environment=obj.environment, kind=ImpactKind(obj.kind), name=obj.name, slug=obj.slug
        )


@admin.register(Incident)
class IncidentAdmin(FactAdmin):
    list_display = ("__str__", "source", "environment", "organization", "started_at", "ended_at")
    list_filter = ("organization", "started_at")
    list_select_related = ("source", "environment", "organization")
    search_fields = ("external_id__startswith", "title")
    inlines = (fact_inline(IncidentEvent, "type", "occurred_at", "reported_at", "title", "token", "created_at"),)
    fields = (
        *("title", "external_id", "url", "organization", "project", "environment", "source", "started_at", "ended_at"),
        *("created_at", "updated_at"),
    )


admin.site.register(
    IncidentEvent,
    FactAdmin,
    list_display=("type", "source", "external_id", "occurred_at", "created_at"),
    list_filter=("type",),
    list_select_related=("source",),
    search_fields=("external_id__startswith", "title"),
)
admin.site.register(
    MetricValue,
    FactAdmin,
    list_display=("value", "source", "measured_at", "created_at"),
    list_select_related=("source",),
    search_fields=("source__slug",),
)
