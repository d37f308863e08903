from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from deployments.forms.timeline import Place, TimelineForm
from deployments.queries.entries import EntryPage, fingerprint, read_entries
from deployments.queries.entry_key import EntryKey
from deployments.queries.export import every_entry
from deployments.views.deploys import deploys_path
from deployments.views.manual_changes import changes_path
from deployments.views.polling import has_seen, wants_part
from deployments.views.timeline_rows import lines_of
from deployments.wire.timeline_export import FORMATS, export_response
from orgs.access import MemberRequest, member_page
from orgs.models import Environment, Project
from orgs.roles import Permission


@member_page(Permission.VIEW)
def timeline(request: MemberRequest) -> HttpResponseBase:
    return show_timeline(request, Place(organization=request.organization), "deployments/timeline.html")


@member_page(Permission.VIEW)
def project_timeline(request: MemberRequest, project: str) -> HttpResponseBase:
    place = Place(
        organization=request.organization,
        project=get_object_or_404(Project.objects.filter(organization=request.organization), slug=project),
    )
    return show_timeline(request, place, "deployments/timeline.html")


@member_page(Permission.VIEW)
def environment_timeline(request: MemberRequest, project: str, environment: str) -> HttpResponseBase:
    environments = Environment.objects.select_related("project").filter(
        project__organization=request.organization, project__deleted_at=None
    )
    found = get_object_or_404(environments, project__slug=project, slug=environment)
    place = Place(organization=request.organization, project=found.project, environment=found)
    return show_timeline(request, place, "deployments/timeline.html")


def show_timeline(
    request: MemberRequest, place: Place, template: str, more: Callable[[], dict[str, Any]] = dict
) -> HttpResponseBase:
    """The whole page with ``more`` in its context; to htmx its list alone, or 204 where nothing has come since the
    list it has. ``?format=csv`` and ``?format=jsonl`` give all that the filters leave."""
    form = TimelineForm(request.GET, place=place)
    before, after = (EntryKey.parse(request.GET.get(name, "")) for name in ("before", "after"))
    filters = form.filters() if form.is_valid() else None
    if filters and (wanted := request.GET.get("format")) in FORMATS:
        return export_response(wanted, every_entry(filters), organization_slug=request.organization.slug)
    is_first_page = before is None and after is None
    wants_list = wants_part(request)
    seen = f'"{fingerprint(filters)}"' if filters and is_first_page else ""
    if has_seen(request, seen):
        return HttpResponse(status=204)
    page = read_entries(filters, before=before, after=after) if filters else EntryPage()
    now = timezone.now()
    context = {
        **more(),
        "form": form,
        "deploys_path": deploys_path(request.organization),
        "changes_path": changes_path(request.organization),
        "place": place,
        "timeline": lines_of(page.entries, zone=form.zone, now=now),
        "page": page,
        "seen": seen,
        "wants_list": wants_list,
        "is_filtered": next(form.chips(), None) is not None,
    }
    return render(request, "deployments/_timeline.html" if wants_list else template, context)
