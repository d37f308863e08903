"""What ``manage.py provision`` prints: objects as they are now, in the words of the file."""

from typing import Any

from django.conf import settings

from deployments.impacts.sources import register_path
from deployments.models import BranchMatch, Deployment, ImpactSource, Target
from orgs.models import Environment, Membership, Organization, Project
from tokens.models import AccessToken


def describe_organization(organization: Organization, *, created: bool) -> dict[str, Any]:
    return {"slug": organization.slug, "name": organization.name, "created": created}


def describe_member(membership: Membership, *, created: bool) -> dict[str, Any]:
    user = membership.user
    return {"email": user.email, "name": user.name, "role": str(membership.role), "created": created}


def describe_token(token: AccessToken, *, created: bool) -> dict[str, Any]:
    """``None`` for a limit or an end that the token does not have."""
    deployments = token.deployments.order_by("slug").values_list("slug", flat=True)
    environments = token.environments.order_by("project__slug", "slug").values_list("project__slug", "slug")
    return {
        "name": token.name,
        "scopes": token.scope_list,
        "deployments": list(deployments) if token.limited_to_deployments else None,
        "environments": ["/".join(slugs) for slugs in environments] if token.limited_to_environments else None,
        "expires": token.expires_at.isoformat() if token.expires_at else None,
        "created": created,
    }


def describe_project(project: Project, *, created: bool) -> dict[str, Any]:
    return {"slug": project.slug, "name": project.name, "created": created}


def describe_environment(environment: Environment, *, created: bool) -> dict[str, Any]:
    return {
        "slug": environment.slug,
        "name": environment.name,
        "description": environment.description,
        "colour": environment.colour,
        "default": environment.is_default,
        "created": created,
    }


def describe_deployment(deployment: Deployment, *, created: bool) -> dict[str, Any]:
    targets = deployment.targets.select_related("environment").order_by("environment__position", "environment_id")
    return {
        "slug": deployment.slug,
        "name": deployment.name,
        "repository": {"provider": str(deployment.repository_provider), "url": deployment.repository_url},
        "path_includes": deployment.path_includes,
        "path_excludes": deployment.path_excludes,
        "branches": {target.environment.slug: branch_text(target) for target in targets},
        "created": created,
    }


def describe_impact_source(source: ImpactSource, *, created: bool) -> dict[str, Any]:
    """``register_url`` of an incident source takes the token in a header, or as one more segment."""
    return {
        "id": source.pk,
        "slug": source.slug,
        "name": source.name,
        "kind": str(source.kind),
        "environment": source.environment.slug,
        "register_url": f"{settings.SITE_URL}{register_path(source)}",
        "created": created,
    }


def branch_text(target: Target) -> str:
    return target.branch if target.branch_match == BranchMatch.EXACT else f"{target.branch}*"
