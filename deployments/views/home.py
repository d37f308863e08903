from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from deployments.forms.live import LiveForm
from deployments.queries.live import Group, live_fingerprint, read_live
from deployments.views.deploys import deploys_path
from deployments.views.polling import has_seen, wants_part
from deployments.views.rejected import count_rejected_today, may_see_requests, rejected_today_of
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.roles import Permission

STATE_WORDS = {"behind": "behind", "rolled-back": "rolled back", "stale": "stale"}


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
    return render(request, "deployments/_live.html" if wants_part(request) else "deployments/home.html", context)


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
    for state, words in STATE_WORDS.items():
        if count := counts[state]:
            yield Clause(f"{count:,} {'is' if count == 1 else 'are'} {words}", f"?state={state}")
