"""Reading access tokens with what their pages show of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from deployments.models import Deployment
from deployments.token_limits import visible
from orgs.models import Environment, Organization
from tokens.models import AccessToken, RetiredSecret

# How many of the deployments and environments that a token is limited to the list names; one more says there are more.
NAMED_LIMITS = 3


def tokens_in_short(organization: Organization, *, revoked: bool, now: datetime) -> QuerySet[Any]:
    """Each with ``first_deployments`` and ``first_environments`` of its limits, and with ``working_secrets``, the
    retired ones that still work."""
    tokens: QuerySet[Any] = AccessToken.objects.filter(organization=organization, revoked_at__isnull=not revoked)
    return tokens.select_related("created_by").prefetch_related(
        Prefetch("deployments", named_deployments()[: NAMED_LIMITS + 1], to_attr="first_deployments"),
        Prefetch("environments", named_environments()[: NAMED_LIMITS + 1], to_attr="first_environments"),
        Prefetch("retired_secrets", RetiredSecret.objects.filter(works_until__gt=now), to_attr="working_secrets"),
    )


def named_deployments() -> QuerySet[Any]:
    return Deployment.objects.order_by("name", "pk")


def named_environments() -> QuerySet[Any]:
    """By project, in promotion order."""
    return Environment.objects.select_related("project").order_by("project__name", "project_id", "position", "pk")


def deployments_to_choose(organization: Organization) -> list[Deployment]:
    return list(named_deployments().filter(organization=organization))


def environments_to_choose(organization: Organization) -> list[Environment]:
    return list(named_environments().filter(project__organization=organization, project__deleted_at=None))


def limits_of(token: AccessToken) -> tuple[list[Deployment], list[Environment]]:
    """The active ones."""
    return list(named_deployments().filter(tokens=token)), list(named_environments().filter(tokens=token))


def retired_secrets(token: AccessToken) -> Sequence[RetiredSecret]:
    """Newest first."""
    return list(token.retired_secrets.order_by("-retired_at", "-pk"))


def first_target(token: AccessToken) -> tuple[Deployment, Environment] | None:
    """Where the token may register a deploy: the first deployment by name, in the default environment if possible."""
    deployment = visible(named_deployments().select_related("organization"), token).first()
    if deployment is None:
        return None
    environments = visible(Environment.objects.filter(project=deployment.project_id), token)
    return deployment, environments.order_by("-is_default", "position")[0]
