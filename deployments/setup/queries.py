"""Reading projects and deployments, with what their pages show about them."""

from typing import Any

from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deployments.lookup import caseless
from deployments.models import Deploy, Deployment, ManualChange, Target
from orgs.deletion import restorable_since
from orgs.models import AuditEvent, Environment, Organization, Project

# How many of each project's deployments the list of projects shows.
DEPLOYMENTS_LISTED = 8


def projects_with_summary(organization: Organization) -> QuerySet[Any]:
    """Each has ``deployment_count``, ``environments`` in promotion order, and ``first_deployments`` by name."""
    first = Deployment.objects.order_by("name", "pk")[:DEPLOYMENTS_LISTED]
    projects: QuerySet[Any] = Project.objects.filter(organization=organization)
    projects = projects.annotate(deployment_count=count_by_project(Deployment.objects.all()))
    return projects.prefetch_related(
        Prefetch("environments", Environment.objects.filter(ends_at=None).order_by("position", "pk")),
        Prefetch("deployments", first, to_attr="first_deployments"),
    )


def count_by_project(deployments: QuerySet[Deployment]) -> Coalesce:
    """How many of ``deployments`` are in the project that is annotated with this."""
    in_project = deployments.filter(project=OuterRef("pk")).order_by().values("project")
    return Coalesce(Subquery(in_project.annotate(count=Count("pk")).values("count")), 0)


def project_deployments(project: Project, *, search: str = "") -> QuerySet[Any]:
    """Each has ``last_deploy_at``."""
    live = (
        Target.objects.filter(deployment=OuterRef("pk"), environment__deleted_at=None).order_by().values("deployment")
    )
    last = live.annotate(last=Max("live_deploy__deployed_at")).values("last")
    deployments: QuerySet[Any] = Deployment.objects.filter(project=project).annotate(last_deploy_at=Subquery(last))
    if pattern := caseless(search):
        deployments = deployments.filter(Q(name__regex=pattern) | Q(slug__regex=pattern))
    return deployments


def newest_deploy(deployment: Deployment, environment: Environment | None = None) -> Deploy | None:
    """The deploy with the latest date, in ``environment`` or in any environment."""
    deploys = Deploy.objects.filter(deployment=deployment)
    if environment:
        # By target, because an index sorts the deploys of a target.
        target = Target.objects.filter(deployment=deployment, environment=environment)
        deploys = Deploy.objects.filter(target=Subquery(target.values("pk")[:1]))
    newest: Deploy | None = deploys.select_related("environment").order_by("-deployed_at", "-pk").first()
    return newest


# --- What was deleted and can be restored. What was deleted with its project is restored with it. ---


def deleted_deploys(organization: Organization) -> QuerySet[Any]:
    """Those that somebody deleted. What made way for an import comes back when that is undone."""
    deleted: QuerySet[Any] = Deploy.all_objects.filter(deleted_by_somebody(organization, "deploy.deleted"))
    return deleted.select_related("deployment", "environment")


def deleted_manual_changes(organization: Organization) -> QuerySet[Any]:
    deleted: QuerySet[Any] = ManualChange.all_objects.filter(deleted_by_somebody(organization, "manual_change.deleted"))
    return deleted.select_related("project", "environment")


def deleted_by_somebody(organization: Organization, action: str) -> Q:
    """By the audit log, since an index finds the few events there and none the few deleted rows among many."""
    events = AuditEvent.objects.filter(organization=organization, action=action, created_at__gte=restorable_since())
    return Q(organization=organization, deleted_at__isnull=False, pk__in=events.values("subject_id"))


def deleted_projects(organization: Organization) -> QuerySet[Any]:
    """Each has ``deployment_count``, the number of deployments that would be restored with it."""
    deleted_together = count_by_project(Deployment.all_objects.filter(deleted_at=OuterRef("deleted_at")))
    deleted: QuerySet[Any] = Project.all_objects.annotate(deployment_count=deleted_together)
    return deleted.filter(organization=organization, deleted_at__gte=restorable_since())


def deleted_environments(organization: Organization) -> QuerySet[Any]:
    deleted = Environment.all_objects.filter(project__organization=organization, deleted_at__gte=restorable_since())
    return deleted.filter(project__deleted_at=None).select_related("project")


def deleted_deployments(organization: Organization) -> QuerySet[Any]:
    deleted = Deployment.all_objects.filter(organization=organization, deleted_at__gte=restorable_since())
    return deleted.filter(project__deleted_at=None).select_related("project")
