"""What an access token may see: everything of its organization, or what it is limited to."""

from typing import Any

from django.db.models import QuerySet

from deployments.models import Deploy, Deployment
from deployments.queries.deploys import deploys_with_place
from orgs.models import Environment, Organization, Project
from tokens.statements import TokenRow


def visible_organizations(token: TokenRow) -> QuerySet[Any]:
    return Organization.objects.filter(pk=token.organization_id)


def visible_projects(token: TokenRow) -> QuerySet[Any]:
    """Those in which it sees a deployment and an environment."""
    projects = Project.objects.filter(organization=token.organization_id)
    if token.limited_to_deployments:
        projects = projects.filter(pk__in=Deployment.objects.filter(tokens=token.id).values("project"))
    if token.limited_to_environments:
        projects = projects.filter(pk__in=Environment.objects.filter(tokens=token.id).values("project"))
    return projects


def visible_environments(token: TokenRow) -> QuerySet[Any]:
    environments = Environment.objects.filter(project__in=visible_projects(token))
    if token.limited_to_environments:
        environments = environments.filter(tokens=token.id)
    return environments.select_related("project")


def visible_deployments(token: TokenRow) -> QuerySet[Any]:
    deployments = Deployment.objects.filter(project__in=visible_projects(token))
    if token.limited_to_deployments:
        deployments = deployments.filter(tokens=token.id)
    return deployments.select_related("project")


def visible_deploys(token: TokenRow) -> QuerySet[Deploy]:
    """Also those of deployments and environments that were deleted."""
    deploys = deploys_with_place(token.organization_id)
    if token.limited_to_deployments:
        deploys = deploys.filter(deployment__tokens=token.id)
    if token.limited_to_environments:
        deploys = deploys.filter(environment__tokens=token.id)
    return deploys


def limits_on_deployments(token: TokenRow) -> tuple[int, ...] | None:
    """None: any deployment."""
    if not token.limited_to_deployments:
        return None
    return tuple(Deployment.everything.filter(tokens=token.id).values_list("pk", flat=True))


def limits_on_environments(token: TokenRow) -> tuple[int, ...] | None:
    if not token.limited_to_environments:
        return None
    return tuple(Environment.everything.filter(tokens=token.id).values_list("pk", flat=True))
