"""What is live where: deployments by project, each in the environments of its project in promotion order."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet, Sum

from deployments.live.status import NORMAL, STATUS_FILTERS, LiveStatus, find_statuses
from deployments.lookup import caseless
from deployments.models import Call, Deploy, Deployment, Target
from deployments.timeline.queries import Filters, fingerprint
from orgs.models import Environment, Organization, Project

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """A deployment in an environment; ``deploy`` is none where nothing is live. ``status.behind`` compares with
    ``before``, the nearest environment before it where anything is."""

    environment: Environment
    deploy: Deploy | None = None
    status: LiveStatus = NORMAL
    before: Environment | None = None


@dataclass(frozen=True, slots=True)
class Row:
    deployment: Deployment
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Group:
    project: Project
    environments: list[Environment]
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFilters:
    """``after`` is ``<project>/<deployment>``, the last row of the page before."""

    text: str = ""
    project: str = ""
    state: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """``counts`` has how many of the organization's deployments match each of STATUS_FILTERS in some environment;
    ``following`` is the next page's ``after``, empty on the last one."""

    groups: list[Group]
    deployment_count: int
    counts: dict[str, int]
    following: str


def read_live(organization_id: int, filters: LiveFilters, *, now: datetime) -> Live:
    """A page, in the order of the slugs of projects and deployments."""
    statuses = find_statuses(organization_id, now)
    in_state = {
        state: {status.deployment_id for status in statuses.values() if is_so(status)}
        for state, is_so in STATUS_FILTERS.items()
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
        deployments = deployments.filter(pk__in=in_state[filters.state])
    project, _, deployment = filters.after.partition("/")
    if deployment:
        deployments = deployments.filter(Q(project__slug__gt=project) | Q(project__slug=project, slug__gt=deployment))
    page = list(deployments[: PAGE_SIZE + 1])
    following = f"{page[PAGE_SIZE - 1].project.slug}/{page[PAGE_SIZE - 1].slug}" if len(page) > PAGE_SIZE else ""
    page = page[:PAGE_SIZE]
    targets = Target.objects.filter(deployment__in=[deployment.pk for deployment in page])
    counts = {state: len(ids) for state, ids in in_state.items()}
    return Live(by_project(page, targets, statuses), count, counts, following)


def read_all_live(organization_id: int, *, now: datetime) -> list[Group]:
    targets = Target.objects.filter(deployment__organization=organization_id)
    return by_project(list(active_deployments(organization_id)), targets, find_statuses(organization_id, now))


def read_live_of(deployment: Deployment, *, now: datetime) -> list[Cell]:
    statuses = find_statuses(deployment.organization_id, now, deployment_id=deployment.pk)
    (group,) = by_project([deployment], Target.objects.filter(deployment=deployment), statuses)
    return group.rows[0].cells


def active_deployments(organization_id: int) -> QuerySet[Deployment]:
    return (
        Deployment.objects.filter(organization=organization_id, project__deleted_at=None)
        .select_related("project")
        .order_by("project__slug", "slug")
    )


def by_project(
    deployments: Sequence[Deployment], targets: QuerySet[Target], statuses: Mapping[int, LiveStatus]
) -> list[Group]:
    """``targets`` are at least those of ``deployments``, which come in order of their projects."""
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
        group.rows.append(Row(deployment, list(cells_of(deployment, group.environments, live, statuses))))
    return list(groups.values())


def cells_of(
    deployment: Deployment,
    environments: Sequence[Environment],
    live: Mapping[tuple[int, int], Target],
    statuses: Mapping[int, LiveStatus],
) -> Iterator[Cell]:
    before = None
    for environment in environments:
        target = live.get((deployment.pk, environment.pk))
        if target is None:
            yield Cell(environment)
        else:
            yield Cell(environment, target.live_deploy, statuses.get(target.pk, NORMAL), before)
            before = environment


def live_fingerprint(organization: Organization, *, with_calls: bool, now: datetime) -> str:
    """Changes whenever what is live does, how far it is behind, or ``with_calls`` what was rejected today."""
    targets = Target.objects.filter(deployment__organization=organization)
    live = targets.aggregate(count=Count("live_deploy"), sum=Sum("live_deploy"), newest=Max("live_deploy"))
    newest_call = Call.objects.filter(organization=organization).order_by("-id").values_list("id", flat=True)
    facts = (
        fingerprint(Filters(organization_id=organization.pk)),
        sorted(live.items()),
        list(newest_call[:1]) if with_calls else [],
        now.astimezone(ZoneInfo(organization.time_zone)).date(),
    )
    return hashlib.blake2s(repr(facts).encode(), digest_size=8).hexdigest()
