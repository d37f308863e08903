"""Pages of impact sources: a project's list, what one reported, create, rename and delete."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from deployments.impacts import queries, sources
from deployments.impacts.charts import Span, bars_of, line_chart
from deployments.impacts.sources import register_path
from deployments.models import ImpactKind, ImpactSource
from deployments.pages import RowField, choose_environment, choose_tool, find_project, render_text, slug_field
from deployments.request_log.queries import may_see_requests, newest_rejected_call
from orgs.access import MemberRequest, member_page
from orgs.forms import NameField
from orgs.models import Environment
from orgs.pages import errors_in, offer_undo, page_of
from orgs.queries import promotion_path
from orgs.roles import Permission

EXPLAINED_KINDS = {
    ImpactKind.INCIDENT: "An alerting tool reports when something fails and when it works again.",
    ImpactKind.METRIC: "A script sends a number such as an error rate, at most every two minutes.",
}


class ImpactSourceForm(forms.Form):
    name = NameField()


class NewImpactSourceForm(ImpactSourceForm):
    kind = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[
            (kind.value, format_html('<strong>{}</strong> <span class="muted">{}</span>', kind.label, words))
            for kind, words in EXPLAINED_KINDS.items()
        ],
    )
    environment = RowField(help_text="The environment that it watches. This and the kind cannot be changed.")
    slug = slug_field(
        "Part of the address that your tools call. It cannot be changed. Leave empty to derive it from the name."
    )
    field_order = ("kind", "name", "environment", "slug")

    def __init__(self, *args: Any, environments: Sequence[Environment], **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["environment"].offer(environments)
        fields["environment"].initial = choose_environment(environments, "").slug

    def clean_kind(self) -> ImpactKind:
        return ImpactKind(self.cleaned_data["kind"])


RANGES = {
    "day": ("24 hours", timedelta(days=1)),
    "week": ("7 days", timedelta(days=7)),
    "month": ("30 days", timedelta(days=30)),
}


@member_page(Permission.VIEW)
def impact_sources(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    page = page_of(queries.sources_of(found), after=request.GET.get("after", ""))
    return render(request, "impacts/sources.html", {"project": found, "page": page})


@member_page(Permission.VIEW)
def impact_source(request: MemberRequest, project: str, pk: int) -> HttpResponse:
    source = find_source(request, project, pk)
    chosen = request.GET.get("range", "")
    chosen = chosen if chosen in RANGES else "month"
    tools, tool = choose_tool(source.kind, request.GET.get("tool", ""))
    now = timezone.now()
    span = Span(now - RANGES[chosen][1], now, ZoneInfo(request.organization.time_zone))
    context = {
        "project": source.project,
        "source": source,
        "span": span,
        "range": chosen,
        "ranges": [(name, words) for name, (words, _) in RANGES.items()],
        "tools": tools,
        "tool": tool,
        "snippet": render_text(f"impacts/{tool['slug']}.txt", {"url": f"{settings.SITE_URL}{register_path(source)}"}),
        **(values_context if source.is_metric else incidents_context)(request, source, span),
        **reports_context(request, source),
    }
    return render(request, "impacts/source.html", context)


def reports_context(request: MemberRequest, source: ImpactSource) -> dict[str, Any]:
    """Whether anything was reported, and the newest call that was rejected since."""
    reported_at = queries.last_report_at(source)
    rejected = newest_rejected_call(request.organization, register_path(source)) if may_see_requests(request) else None
    if rejected and (rejected.created_at < source.created_at or (reported_at and reported_at > rejected.created_at)):
        rejected = None
    return {"reported_at": reported_at, "rejected": rejected}


def values_context(request: MemberRequest, source: ImpactSource, span: Span) -> dict[str, Any]:
    # Includes values that the clock of a client dates slightly ahead.
    buckets = queries.buckets_between(source, span.since, span.until + timedelta(seconds=1))
    return {
        "chart": line_chart(buckets, span) if buckets else None,
        "page": page_of(queries.values_of(source), after=request.GET.get("after", ""), by="-measured_at"),
    }


def incidents_context(request: MemberRequest, source: ImpactSource, span: Span) -> dict[str, Any]:
    incidents = queries.incidents_of(source)
    return {
        "bars": bars_of(queries.incidents_since(source, span.since), span),
        "open_count": queries.open_incidents(source).count(),
        "page": page_of(queries.with_events(incidents), after=request.GET.get("after", ""), by="-started_at"),
    }


@member_page(Permission.MANAGE_PROJECTS)
def new_impact_source(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    form = NewImpactSourceForm(request.POST or None, environments=promotion_path(found))
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            source = sources.create_impact_source(**form.cleaned_data)
            messages.success(request, f"{source} is created. Now let your tool report to it.")
            return redirect("impact-source", request.organization.slug, found.slug, source.pk)
    return render(request, "impacts/new_source.html", {"project": found, "form": form})


@member_page(Permission.MANAGE_PROJECTS)
def impact_source_settings(request: MemberRequest, project: str, pk: int) -> HttpResponse:
    source = find_source(request, project, pk)
    form = ImpactSourceForm(request.POST or None, initial={"name": source.name})
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            sources.rename_impact_source(source=source, name=form.cleaned_data["name"])
            messages.success(request, f"{source} is saved.")
            return redirect("impact-source", request.organization.slug, source.project.slug, source.pk)
    context = {"project": source.project, "source": source, "form": form}
    return render(request, "impacts/source_settings.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_impact_source(request: MemberRequest, project: str, pk: int) -> HttpResponse:
    source = find_source(request, project, pk)
    sources.delete_impact_source(source=source)
    undo = reverse("restore-impact-source", args=[request.organization.slug, source.pk])
    offer_undo(request, f"{source} is deleted. Calls to it are rejected.", undo)
    return redirect("impact-sources", request.organization.slug, source.project.slug)


def find_source(request: MemberRequest, project: str, pk: int) -> ImpactSource:
    return get_object_or_404(queries.active_sources(request.organization.pk), project__slug=project, pk=pk)
