from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.choices import CallableChoiceIterator

from deployments.live.queries import Group, LiveFilters, live_fingerprint, read_live, read_live_of
from deployments.models import Deployment
from deployments.pages import deploys_path, has_seen, wants_part
from deployments.request_log.queries import count_rejected_today, may_see_requests, rejected_today_of
from deployments.timeline.forms import TimelineScope
from deployments.timeline.views import show_timeline
from orgs.access import MemberRequest, member_page
from orgs.models import Environment, Organization, Project
from orgs.roles import Permission

STATUS_CHOICES = (("", "Any state"), ("behind", "Behind"), ("rolled-back", "Rolled back"), ("stale", "Stale"))


class LiveForm(forms.Form):
    """The filters of what is live, as they stand in its address."""

    q = forms.CharField(
        required=False,
        max_length=100,
        label="Search deployments",
        widget=forms.TextInput(
            attrs={"class": "input", "type": "search", "placeholder": "Search deployments", "data-search": ""}
        ),
    )
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
        """What is valid of it."""
        self.is_valid()
        data = self.cleaned_data
        return LiveFilters(
            text=data.get("q", ""),
            project=data.get("project", ""),
            state=data.get("state", ""),
            after=data.get("after", ""),
        )


STATUS_WORDS = {"behind": "behind", "rolled-back": "rolled back", "stale": "stale"}


@member_page(Permission.VIEW)
def home(request: MemberRequest) -> HttpResponse:
    """What is live where: the whole page; to htmx the table alone, or 204 where it is as before."""
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
        "deploys_path": deploys_path(request.organization),
        "live": live,
        "clauses": list(clauses_of(live.counts)),
        "rejected_count": count_rejected_today(request),
        "rejected_today": rejected_today_of(request, shown),
        "tables": list(tables_of(live.groups)),
        "is_filtered": bool(filters.text or filters.project or filters.state),
        "seen": seen,
        "wants_table": wants_part(request),
    }
    return render(request, "live/_live.html" if wants_part(request) else "live/home.html", context)


@dataclass(frozen=True, slots=True)
class Table:
    environments: Sequence[Environment]
    groups: list[Group]


def tables_of(groups: Sequence[Group]) -> Iterator[Table]:
    """Projects that follow each other share a table where their paths are called the same."""
    table: Table | None = None
    for group in groups:
        if table and names(table.environments) == names(group.environments):
            table.groups.append(group)
            continue
        if table:
            yield table
        table = Table(group.environments, [group])
    if table:
        yield table


def names(environments: Sequence[Environment]) -> list[tuple[str, str]]:
    return [(environment.slug, environment.name) for environment in environments]


@dataclass(frozen=True, slots=True)
class Clause:
    words: str
    url: str


def clauses_of(counts: Mapping[str, int]) -> Iterator[Clause]:
    """The sentence above the table: how many deployments are off somewhere, and where those are shown."""
    for state, words in STATUS_WORDS.items():
        if count := counts[state]:
            yield Clause(f"{count:,} {'is' if count == 1 else 'are'} {words}", f"?state={state}")


@member_page(Permission.VIEW)
def deployment(request: MemberRequest, deployment: str) -> HttpResponseBase:
    """What is live in each of its environments, and its timeline."""
    deployments = Deployment.objects.select_related("project").filter(organization=request.organization)
    found = get_object_or_404(deployments, slug=deployment)

    def live() -> dict[str, Any]:
        return {
            "deployment": found,
            "cells": read_live_of(found, now=timezone.now()),
            "rejected_today": rejected_today_of(request, [found]),
        }

    scope = TimelineScope(organization=request.organization, deployment=found)
    return show_timeline(request, scope, "live/deployment.html", live)
