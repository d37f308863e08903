"""Which deploy is live in each environment of each deployment, by project and in promotion order."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet, Sum, Window

from deployments.live.status import NORMAL, STATUS_FILTERS, LiveStatus, find_statuses
from deployments.lookup import caseless
from deployments.models import Call, Deploy, Deployment, Incident, Target
from deployments.timeline.queries import Filters, fingerprint
from orgs.models import Environment, Organization, Project

PAGE_SIZE = 50
INCIDENTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """A deployment in an environment; ``deploy`` is None if nothing is live there. ``status.behind`` compares it with
    ``before``, the nearest environment before this one in which something is live."""

    environment: Environment
    deploy: Deploy | None = None
    status: LiveStatus = NORMAL
    before: Environment | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A short-lived environment has a cell if something is live there."""

    deployment: Deployment
    cells: list[Cell]

    @property
    def path(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.environment.ends_at is None]

    @property
    def short_lived(self) -> list[Cell]:
        """Newest environment first."""
        return [cell for cell in reversed(self.cells) if cell.environment.ends_at]


@dataclass(frozen=True, slots=True)
class Group:
    project: Project
    environments: list[Environment]
    rows: list[Row] = field(default_factory=list)

    @property
    def path(self) -> list[Environment]:
        return [environment for environment in self.environments if environment.ends_at is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFilters:
    """``after`` is ``<project>/<deployment>``, the last row of the previous page."""

    text: str = ""
    project: str = ""
    state: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """``counts`` says for each of STATUS_FILTERS how many of the organization's deployments match it in at least one
    environment. ``following`` is the next page's ``after``, and is empty on the last page."""

    groups: list[Group]
    deployment_count: int
    counts: dict[str, int]
    following: str


def read_live(organization_id: int, filters: LiveFilters, *, now: datetime) -> Live:
    """One page, sorted by the slugs of projects and deployments."""
    statuses = find_statuses(organization_id, now)
    ids_in_state = {
        state: {status.deployment_id for status in statuses.values() if matches(status)}
        for state, matches in STATUS_FILTERS.items()
    }
    deployments = active_deployments(organization_id)
    count = deployments.count()
    if filters.text:
        pattern = caseless(filters.text)
        deployments = deployments.filter(
            Q(name__regex=pattern) | Q(slug__regex=pattern) | Q(project__name__regex=pattern)
        )
    if filters.project:
        deployments = deployments.filter(project__slug=filters.project)
    if filters.state:
        deployments = deployments.filter(pk__in=ids_in_state[filters.state])
    project, _, deployment = filters.after.partition("/")
    if deployment:
        deployments = deployments.filter(Q(project__slug__gt=project) | Q(project__slug=project, slug__gt=deployment))
    page = list(deployments[: PAGE_SIZE + 1])
    following = f"{page[PAGE_SIZE - 1].project.slug}/{page[PAGE_SIZE - 1].slug}" if len(page) > PAGE_SIZE else ""
    page = page[:PAGE_SIZE]
    targets = Target.objects.filter(deployment__in=[deployment.pk for deployment in page])
    counts = {state: len(ids) for state, ids in ids_in_state.items()}
    return Live(group_by_project(page, targets, statuses), count, counts, following)


def read_all_live(organization_id: int, *, now: datetime) -> list[Group]:
    targets = Target.objects.filter(deployment__organization=organization_id)
    return group_by_project(list(active_deployments(organization_id)), targets, find_statuses(organization_id, now))


def read_live_of(deployment: Deployment, *, now: datetime) -> list[Cell]:
    statuses = find_statuses(deployment.organization_id, now, deployment_id=deployment.pk)
    (group,) = group_by_project([deployment], Target.objects.filter(deployment=deployment), statuses)
    return group.rows[0].cells


def active_deployments(organization_id: int) -> QuerySet[Deployment]:
    return (
        Deployment.objects.filter(organization=organization_id, project__deleted_at=None)
        .select_related("project")
        .order_by("project__slug", "slug")
    )


def group_by_project(
    deployments: Sequence[Deployment], targets: QuerySet[Target], statuses: Mapping[int, LiveStatus]
) -> list[Group]:
    """``deployments`` are sorted by project; ``targets`` include all of theirs."""
    live = {
        (target.deployment_id, target.environment_id): target
        for target in targets.exclude(live_deploy=None).select_related("live_deploy")
    }
    projects = {deployment.project_id: deployment.project for deployment in deployments}
    environments = defaultdict(list)
    for environment in Environment.objects.filter(project__in=projects).order_by("position", "id"):
        environments[environment.project_id].append(environment)
    groups = {key: Group(project, environments[key]) for key, project in projects.items()}
    for deployment in deployments:
        group = groups[deployment.project_id]
        cells, before = [], None
        for environment in group.environments:
            target = live.get((deployment.pk, environment.pk))
            status = statuses.get(target.pk, NORMAL) if target else NORMAL
            if environment.ends_at:
                if target:
                    cells.append(Cell(environment, target.live_deploy, status))
            elif target is None:
                cells.append(Cell(environment))
            else:
                cells.append(Cell(environment, target.live_deploy, status, before))
                before = environment
        group.rows.append(Row(deployment, cells))
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """The ``newest`` INCIDENTS_SHOWN of them, with their sources, and how many there are."""

    newest: list[Incident]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.newest)


def read_open_incidents(organization_id: int) -> OpenIncidents:
    counted: QuerySet[Any] = open_incidents(organization_id).annotate(count=Window(Count("pk")))
    newest = counted.select_related("source", "project", "environment").order_by("-started_at", "-id")
    found = list(newest[:INCIDENTS_SHOWN])
    return OpenIncidents(found, found[0].count if found else 0)


def open_incidents(organization_id: int) -> QuerySet[Incident]:
    # By project, because an index finds the open ones of a project.
    return Incident.objects.filter(
        project__organization=organization_id,
        project__deleted_at=None,
        environment__deleted_at=None,
        source__deleted_at=None,
        ended_at__isnull=True,
    )


def live_fingerprint(organization: Organization, *, with_calls: bool, now: datetime) -> str:
    """Changes when a live deploy, how far it is behind or an open incident changes, and, ``with_calls``, when a call
    comes in."""
    targets = Target.objects.filter(deployment__organization=organization)
    live = targets.aggregate(count=Count("live_deploy"), sum=Sum("live_deploy"), newest=Max("live_deploy"))
    newest_call = Call.objects.filter(organization=organization).order_by("-id").values_list("id", flat=True)
    incidents = open_incidents(organization.pk).aggregate(count=Count("id"), newest=Max("updated_at"))
    facts = (
        fingerprint(Filters(organization_id=organization.pk)),
        sorted(live.items()),
        sorted(incidents.items()),
        list(newest_call[:1]) if with_calls else [],
        now.astimezone(ZoneInfo(organization.time_zone)).date(),
    )
    return hashlib.blake2s(repr(facts).encode(), digest_size=8).hexdigest()
