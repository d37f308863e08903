"""Reading access tokens, with what their pages show about them."""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from deployments.models import Deployment
from orgs.models import Environment, Organization
from tokens.models import AccessToken, RetiredSecret

# How many deployments and environments of a token's limits the list shows. It reads one more, to say "and more".
LIMITS_LISTED = 3


def tokens_with_summary(organization: Organization, *, revoked: bool, now: datetime) -> QuerySet[Any]:
    """Each has ``first_deployments`` and ``first_environments`` from its limits, and ``working_secrets``: retired
    secrets that still work."""
    tokens: QuerySet[Any] = AccessToken.objects.filter(organization=organization, revoked_at__isnull=not revoked)
    return tokens.select_related("created_by").prefetch_related(
        Prefetch("deployments", sorted_deployments()[: LIMITS_LISTED + 1], to_attr="first_deployments"),
        Prefetch("environments", sorted_environments()[: LIMITS_LISTED + 1], to_attr="first_environments"),
        Prefetch("retired_secrets", RetiredSecret.objects.filter(works_until__gt=now), to_attr="working_secrets"),
    )


def sorted_deployments() -> QuerySet[Any]:
    return Deployment.objects.order_by("name", "pk")


def sorted_environments() -> QuerySet[Any]:
    """By project and in promotion order."""
    return Environment.objects.select_related("project").order_by("project__name", "project_id", "position", "pk")


def limits_to_choose(organization: Organization) -> dict[str, Any]:
    """What a token of the organization can be limited to."""
    return {
        "deployments": list(sorted_deployments().filter(organization=organization)),
        "environments": list(
            sorted_environments().filter(project__organization=organization, project__deleted_at=None)
        ),
    }


def limits_of(token: AccessToken) -> tuple[list[Deployment], list[Environment]]:
    """The active deployments and environments that the token is limited to."""
    return list(sorted_deployments().filter(tokens=token)), list(sorted_environments().filter(tokens=token))
