"""The forms of an impact source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from deployments.impacts import queries
from deployments.impacts import sources as services
from deployments.impacts.charts import Span, bars_of, line_chart
from deployments.impacts.sources import register_path
from deployments.models import ImpactKind, ImpactSource
from deployments.pages import add_errors, filled_in, find_project, slug_field
from orgs.access import MemberRequest, member_page
from orgs.forms import NameField
from orgs.models import Environment
from orgs.pages import offer_undo, page_of
from orgs.queries import promotion_path
from orgs.roles import Permission

EXPLAINED_KINDS = {
    ImpactKind.INCIDENT: "An alerting tool says when something fails and when it works again.",
    ImpactKind.METRIC: "A script sends a number every two minutes or less often, such as an error rate.",
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
    environment = forms.ChoiceField(help_text="Where it sees failure. It stays, as the kind does.")
    slug = slug_field("Stands in the address that your tools call, and stays when the name changes.")
    field_order = ("kind", "name", "environment", "slug")

    def __init__(self, *args: Any, environments: Sequence[Environment], **options: Any) -> None:
        super().__init__(*args, **options)
        self.environments = {environment.slug: environment for environment in environments}
        choice: Any = self.fields["environment"]
        choice.choices = [(environment.slug, environment.name) for environment in environments]
        choice.initial = next((item.slug for item in environments if item.is_default), None)

    def clean_kind(self) -> ImpactKind:
        return ImpactKind(self.cleaned_data["kind"])

    def clean_environment(self) -> Environment:
        return self.environments[self.cleaned_data["environment"]]


# --- Impact sources of a project: the list, one with what it reported, create, rename, delete ---


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that can call us. ``slug`` also names its template in templates/impacts/."""

    slug: str
    name: str
    place: str


INCIDENT_TOOLS = (
    Tool("curl-incident", "curl", "In the script that notices the failure. resolved ends the incident again."),
    Tool(
        "webhook",
        "Webhook",
        "In a tool that posts JSON to an address and lets you write the body. The token stands in the address, where "
        "the tool cannot send a header; Gumshoe writes it into no log, but proxies on the way may.",
    ),
    Tool(
        "grafana-oncall",
        "Grafana OnCall",
        "As two outgoing webhooks with this address: the first for alert groups that are created, the second for those "
        "that are resolved.",
    ),
)
METRIC_TOOLS = (
    Tool("curl-metric", "curl", "In a job that runs every two minutes or less often: more values are refused."),
)
RANGES = {"day": ("24 hours", timedelta(days=1)), "week": ("7 days", timedelta(days=7))}
RANGES |= {"month": ("30 days", timedelta(days=30))}


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
    tools = METRIC_TOOLS if source.is_metric else INCIDENT_TOOLS
    tool = next((tool for tool in tools if tool.slug == request.GET.get("tool")), tools[0])
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
        "snippet": snippet(tool, source),
        **(values(request, source, span) if source.is_metric else incidents(request, source, span)),
    }
    return render(request, "impacts/source.html", context)


def values(request: MemberRequest, source: ImpactSource, span: Span) -> dict[str, Any]:
    # Clients without a zone in their date may be ahead of us.
    buckets = queries.buckets_between(source, span.since, span.until + timedelta(seconds=1))
    return {
        "chart": line_chart(buckets, span) if buckets else None,
        "page": page_of(queries.values_of(source), after=request.GET.get("after", ""), by="-measured_at"),
    }


def incidents(request: MemberRequest, source: ImpactSource, span: Span) -> dict[str, Any]:
    listed = queries.with_events(queries.incidents_of(source))
    return {
        "bars": bars_of(queries.incidents_since(source, span.since), span),
        "open_count": queries.open_incidents(source).count(),
        "page": page_of(listed, after=request.GET.get("after", ""), by="-started_at"),
    }


def snippet(tool: Tool, source: ImpactSource) -> str:
    """Only slugs, ids and the site's address are filled in: nothing a shell could take for its own."""
    url = f"{settings.SITE_URL}{register_path(source)}"
    return filled_in(f"impacts/{tool.slug}.txt", {"url": url})


@member_page(Permission.MANAGE_PROJECTS)
def new_impact_source(request: MemberRequest, project: str) -> HttpResponse:
    found = find_project(request, project)
    form = NewImpactSourceForm(request.POST or None, environments=promotion_path(found))
    if request.method == "POST" and form.is_valid():
        try:
            source = services.create_impact_source(**form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{source} is created. Now let your tool call.")
            return redirect("impact-source", request.organization.slug, found.slug, source.pk)
    return render(request, "impacts/new_source.html", {"project": found, "form": form})


@member_page(Permission.MANAGE_PROJECTS)
def impact_source_settings(request: MemberRequest, project: str, pk: int) -> HttpResponse:
    source = find_source(request, project, pk)
    form = ImpactSourceForm(request.POST or None, initial={"name": source.name})
    if request.method == "POST" and form.is_valid():
        try:
            services.rename_impact_source(source=source, name=form.cleaned_data["name"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{source} is saved.")
            return redirect("impact-source", request.organization.slug, source.project.slug, source.pk)
    context = {"project": source.project, "source": source, "form": form}
    return render(request, "impacts/source_settings.html", context)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def delete_impact_source(request: MemberRequest, project: str, pk: int) -> HttpResponse:
    source = find_source(request, project, pk)
    services.delete_impact_source(source=source)
    undo = reverse("restore-impact-source", args=[request.organization.slug, source.pk])
    offer_undo(request, f"{source} is deleted. Its calls are refused.", undo)
    return redirect("impact-sources", request.organization.slug, source.project.slug)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def restore_impact_source(request: MemberRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(queries.deleted_sources(request.organization), pk=pk)
    try:
        services.restore_impact_source(source=source)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect(f"{reverse('deleted', args=[request.organization.slug])}?kind=impact-sources")
    messages.success(request, f"{source} is back.")
    return redirect("impact-source", request.organization.slug, source.project.slug, source.pk)


def find_source(request: MemberRequest, project: str, pk: int) -> ImpactSource:
    found: ImpactSource = get_object_or_404(
        queries.active_sources(request.organization.pk), project__slug=project, pk=pk
    )
    return found
