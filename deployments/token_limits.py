"""Reading deploys."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from deployments.errors import OutsideTokenLimits
from deployments.models import Commit, Deploy, Deployment, ImpactSource
from orgs.models import Environment, Organization, Project
from tokens.models import AccessToken
from tokens.scopes import Scope, allows
from tokens.statements import TokenRow


def deploys_with_place(organization_id: int) -> QuerySet[Deploy]:
    """An organization's deploys with what it takes to show one: its place, tags and links."""
    return (
        Deploy.objects.filter(organization=organization_id)
        .select_related("organization", "project", "deployment", "environment", "target")
        .prefetch_related("tags", "links")
    )


def live_deploy(target_id: int | None) -> Deploy | None:
    found: Deploy | None = Deploy.objects.filter(live_in=target_id).first() if target_id else None
    return found


def count_rollbacks(target_id: int) -> int:
    return Deploy.objects.filter(target=target_id, restores__isnull=False).count()


def deploy_of(deployment_id: int, deploy_id: int) -> Deploy | None:
    found: Deploy | None = Deploy.objects.filter(deployment=deployment_id, pk=deploy_id).first()
    return found


def commits_of(deploy: Deploy) -> QuerySet[Any]:
    """Without their parents, which the Sleuth CLI sends by the hundred."""
    return Commit.objects.filter(deploy=deploy).defer("parents")


# --- What an access token may see: everything of its organization, or what it is limited to ---


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
    return tuple(Deployment.all_objects.filter(tokens=token.id).values_list("pk", flat=True))


def limits_on_environments(token: TokenRow) -> tuple[int, ...] | None:
    if not token.limited_to_environments:
        return None
    return tuple(Environment.all_objects.filter(tokens=token.id).values_list("pk", flat=True))


# --- Whether a token may report to an impact source ---


def check_source_allowed(*, token: TokenRow, source: ImpactSource) -> None:
    """A source belongs to an environment and to no deployment. Raises OutsideTokenLimits."""
    if token.limited_to_deployments:
        raise OutsideTokenLimits(
            "This access token is limited to some deployments, and an impact source belongs to none: "
            "use a token without that limit."
        )
    if not token.limited_to_environments:
        return
    allowed = Environment.objects.filter(tokens=token.id)
    if not allowed.filter(pk=source.environment_id).exists():
        slugs = ", ".join(sorted({environment.slug for environment in allowed}))
        raise OutsideTokenLimits(
            f"This access token is limited to {f'the environments {slugs}' if slugs else 'no environment'}."
        )


def may_register(deployment: Deployment, now: datetime) -> list[AccessToken]:
    """The active tokens that may register a deploy of it in some environment of its project, by name."""
    active = AccessToken.objects.filter(organization=deployment.organization_id, revoked_at=None)
    environments = Environment.objects.filter(project=deployment.project_id)
    tokens = active.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        Q(limited_to_deployments=False) | Q(pk__in=deployment.tokens.values("pk")),
        Q(limited_to_environments=False) | Q(environments__in=environments),
    )
    return [token for token in tokens.order_by("name", "pk").distinct() if allows(token.scopes, Scope.REGISTER_DEPLOY)]
