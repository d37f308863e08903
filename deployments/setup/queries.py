"""Reading projects and deployments with what their pages show of them."""

from typing import Any

from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deployments.lookup import caseless
from deployments.models import Deploy, Deployment, Target
from orgs.deletion import restorable_since
from orgs.models import Environment, Organization, Project

# How many of a project's deployments the list of projects names.
NAMED_DEPLOYMENTS = 8


def projects_in_short(organization: Organization) -> QuerySet[Any]:
    """Each with ``deployment_count``, ``environments`` in promotion order and the first deployments by name."""
    first = Deployment.objects.order_by("name", "pk")[:NAMED_DEPLOYMENTS]
    projects: QuerySet[Any] = Project.objects.filter(organization=organization)
    projects = projects.annotate(deployment_count=active_deployments())
    return projects.prefetch_related(
        Prefetch("environments", Environment.objects.order_by("position", "pk")),
        Prefetch("deployments", first, to_attr="first_deployments"),
    )


def active_deployments() -> Coalesce:
    of_project = Deployment.objects.filter(project=OuterRef("pk")).order_by().values("project")
    return Coalesce(Subquery(of_project.annotate(count=Count("pk")).values("count")), 0)


def project_deployments(project: Project, *, search: str = "") -> QuerySet[Any]:
    """Each with ``last_deploy_at``."""
    live = (
        Target.objects.filter(deployment=OuterRef("pk"), environment__deleted_at=None).order_by().values("deployment")
    )
    last = live.annotate(last=Max("live_deploy__deployed_at")).values("last")
    deployments: QuerySet[Any] = Deployment.objects.filter(project=project).annotate(last_deploy_at=Subquery(last))
    if pattern := caseless(search):
        deployments = deployments.filter(Q(name__regex=pattern) | Q(slug__regex=pattern))
    return deployments


def targets_by_environment(deployment: Deployment) -> dict[int, Target]:
    return {target.environment_id: target for target in Target.objects.filter(deployment=deployment)}


def newest_deploy(deployment: Deployment, environment: Environment | None = None) -> Deploy | None:
    """The latest by its date: in an environment, or anywhere."""
    deploys = Deploy.objects.filter(deployment=deployment)
    if environment:
        # The one target, whose history an index has in order.
        target = Target.objects.filter(deployment=deployment, environment=environment)
        deploys = Deploy.objects.filter(target=Subquery(target.values("pk")[:1]))
    newest: Deploy | None = deploys.select_related("environment").order_by("-deployed_at", "-pk").first()
    return newest


# --- What was deleted, newest first; what was deleted with its project comes back with it. ---


def deleted_projects(organization: Organization) -> QuerySet[Any]:
    deployments = Deployment.all_objects.filter(project=OuterRef("pk"), deleted_at=OuterRef("deleted_at"))
    count = deployments.order_by().values("project").annotate(count=Count("pk")).values("count")
    counted: QuerySet[Any] = Project.all_objects.annotate(deployment_count=Coalesce(Subquery(count), 0))
    return counted.filter(organization=organization, deleted_at__gte=restorable_since())


def deleted_environments(organization: Organization) -> QuerySet[Any]:
    deleted = Environment.all_objects.filter(project__organization=organization, deleted_at__gte=restorable_since())
    return deleted.filter(project__deleted_at=None).select_related("project")


def deleted_deployments(organization: Organization) -> QuerySet[Any]:
    deleted = Deployment.all_objects.filter(organization=organization, deleted_at__gte=restorable_since())
    return deleted.filter(project__deleted_at=None).select_related("project")
