from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.choices import CallableChoiceIterator

from deployments.live.queries import (
    Group,
    LiveFilters,
    live_fingerprint,
    read_live,
    read_live_of,
    read_open_incidents,
)
from deployments.pages import deploys_path, find_deployment, has_seen, wants_part
from deployments.request_log.queries import count_rejected_today, may_see_requests, rejected_today_of
from deployments.timeline.forms import TimelineScope, search_field
from deployments.timeline.views import show_timeline
from orgs.access import MemberRequest, member_page
from orgs.models import Organization, Project
from orgs.roles import Permission

STATUS_CHOICES = [
    ("", "Any state"),
    ("behind", "Behind"),
    ("differs", "Differs"),
    ("rolled-back", "Rolled back"),
    ("stale", "Stale"),
]
# In a sentence about one deployment, and about several.
STATUS_WORDS = {
    "behind": ("is behind", "are behind"),
    "differs": ("differs from the environment before", "differ from the environment before"),
    "rolled-back": ("is rolled back", "are rolled back"),
    "stale": ("is stale", "are stale"),
}


class LiveForm(forms.Form):
    """The filters of the home page, taken from its query string."""

    q = search_field("Search deployments", 100)
    project = forms.CharField(
        required=False, max_length=100, label="Project", widget=forms.Select(attrs={"class": "input"})
    )
    state = forms.ChoiceField(
        required=False, choices=STATUS_CHOICES, label="State", widget=forms.Select(attrs={"class": "input"})
    )
    after = forms.CharField(required=False, max_length=201)

    def __init__(self, data: object, *, organization: Organization) -> None:
        super().__init__(data, label_suffix="")  # type: ignore[arg-type]  # the stubs want a dict, not a QueryDict
        self.organization = organization
        self.fields["project"].widget.choices = CallableChoiceIterator(self.project_choices)

    def project_choices(self) -> list[tuple[str, str]]:
        projects = Project.objects.filter(organization=self.organization).values_list("slug", "name")
        return [("", "Any project"), *projects]

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("q", "project", "state")]

    def filters(self) -> LiveFilters:
        """Ignores invalid filters."""
        self.is_valid()
        data = self.cleaned_data
        texts = {name: data.get(name, "") for name in ("project", "state", "after")}
        return LiveFilters(text=data.get("q", ""), **texts)


@member_page(Permission.VIEW)
def home(request: MemberRequest) -> HttpResponse:
    """What is live where. htmx gets only the table, or 204 if nothing changed."""
    now = timezone.now()
    seen = f'"{live_fingerprint(request.organization, with_calls=may_see_requests(request), now=now)}"'
    if has_seen(request, seen):
        return HttpResponse(status=204)
    form = LiveForm(request.GET, organization=request.organization)
    filters = form.filters()
    live = read_live(request.organization.pk, filters, now=now)
    shown = [row.deployment for group in live.groups for row in group.rows]
    context = {
        "form": form,
        "deploys_path": deploys_path(request.organization.slug),
        "live": live,
        "status_links": list(status_links(live.counts)),
        "incidents": read_open_incidents(request.organization.pk),
        "rejected_count": count_rejected_today(request),
        "rejected_today": rejected_today_of(request, shown),
        "tables": group_into_tables(live.groups),
        "is_filtered": bool(filters.text or filters.project or filters.state),
        "seen": seen,
        "wants_table": wants_part(request),
    }
    return render(request, "live/_live.html" if wants_part(request) else "live/home.html", context)


def group_into_tables(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Consecutive projects share a table if their environments have the same names. Short-lived ones share a column."""

    def names(group: Group) -> list[tuple[str, str]]:
        return [(environment.slug, environment.name) for environment in group.path]

    runs = (list(run) for _, run in groupby(groups, key=names))
    return [
        {
            "environments": run[0].path,
            "groups": run,
            "has_short_lived": any(row.short_lived for group in run for row in group.rows),
        }
        for run in runs
    ]


def status_links(counts: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """For the sentence above the table: how many deployments have each status somewhere, and the list of those."""
    for state, words in STATUS_WORDS.items():
        if count := counts[state]:
            yield {"words": f"{count:,} {words[count > 1]}", "url": f"?state={state}"}


@member_page(Permission.VIEW)
def deployment(request: MemberRequest, deployment: str) -> HttpResponseBase:
    """What is live in each of its environments, and its timeline."""
    found = find_deployment(request, deployment)

    def live() -> dict[str, Any]:
        return {
            "deployment": found,
            "cells": read_live_of(found, now=timezone.now()),
            "rejected_today": rejected_today_of(request, [found]),
        }

    scope = TimelineScope(organization=request.organization, deployment=found)
    return show_timeline(request, scope, "live/deployment.html", live)
