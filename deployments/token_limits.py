"""What an access token may see and write: all of its organization, or only what it is limited to.

A token may be limited to some deployments, to some environments, or to both. What belongs to no deployment, such as a
manual change, concerns all of them: a token that is limited to deployments may neither see nor write it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet

from deployments.errors import OutsideTokenLimits
from deployments.models import Deploy, Deployment, ImpactSource, ManualChange
from orgs.models import Environment, Project
from tokens.models import AccessToken
from tokens.scopes import Scope, allows
from tokens.statements import TokenRow

Token = TokenRow | AccessToken
Row = TypeVar("Row", bound=Model)


class Lookups(NamedTuple):
    """How to find a row's organization, and the tokens that are limited to its deployment or its environment.

    A look-up that ends in ``__in`` is compared with the projects of what the token is limited to. ``deployment`` is
    None for rows that belong to no deployment.
    """

    organization: str
    deployment: str | None
    environment: str


LOOKUPS: dict[type[Model], Lookups] = {
    Project: Lookups("organization", "pk__in", "pk__in"),
    Deployment: Lookups("organization", "tokens", "project__in"),
    Environment: Lookups("project__organization", "project__in", "tokens"),
    Deploy: Lookups("organization", "deployment__tokens", "environment__tokens"),
    ManualChange: Lookups("organization", None, "environment__tokens"),
    ImpactSource: Lookups("organization", None, "environment__tokens"),
}


def visible(rows: QuerySet[Row], token: Token) -> QuerySet[Row]:
    """Those of ``rows`` that the token may see. Raises KeyError for a model that LOOKUPS does not name."""
    lookups = LOOKUPS[rows.model]
    rows = rows.filter(Q((lookups.organization, token.organization_id)))
    if token.limited_to_deployments:
        rows = limited(rows, lookups.deployment, Deployment.objects.filter(tokens=token.id), token)
    if token.limited_to_environments:
        rows = limited(rows, lookups.environment, Environment.objects.filter(tokens=token.id), token)
    return rows


def limited(
    rows: QuerySet[Row], lookup: str | None, limit: QuerySet[Deployment] | QuerySet[Environment], token: Token
) -> QuerySet[Row]:
    if lookup is None:
        return rows.none()
    return rows.filter(Q((lookup, limit.values("project") if lookup.endswith("__in") else token.id)))


def allowed_deployment_ids(token: Token) -> tuple[int, ...] | None:
    """With those of deleted deployments; None for any."""
    if not token.limited_to_deployments:
        return None
    return tuple(Deployment.all_objects.filter(tokens=token.id).values_list("pk", flat=True))


def allowed_environment_ids(token: Token) -> tuple[int, ...] | None:
    """With those of deleted environments; None for any."""
    if not token.limited_to_environments:
        return None
    return tuple(Environment.all_objects.filter(tokens=token.id).values_list("pk", flat=True))


def check_allowed(
    token: Token, *, deployment: str | None = None, environment_id: int | None = None, shared: str = "", new: str = ""
) -> None:
    """Raises OutsideTokenLimits if the token may not write to all that is named. Costs a query for each limit.

    ``deployment`` is a slug, whether or not there is such a deployment. ``shared`` is what belongs to no deployment,
    such as "a manual change". ``new`` is what the call would create: no token can be limited to it yet.
    """
    if token.limited_to_deployments:
        if shared:
            raise OutsideTokenLimits(
                f"This access token is limited to some deployments, and {shared} belongs to none: "
                "use a token without this limit."
            )
        if deployment is not None:
            slugs = Deployment.objects.filter(tokens=token.id).values_list("slug", flat=True)
            if deployment not in slugs:
                raise OutsideTokenLimits(f"This access token is limited to {in_words(slugs) or 'no deployment'}.")
    if token.limited_to_environments and (new or environment_id is not None):
        environments = Environment.objects.filter(tokens=token.id).order_by()
        allowed = dict(environments.values_list("pk", "slug"))
        if new or environment_id not in allowed:
            limit = f"the environments {in_words(allowed.values())}" if allowed else "no environment"
            advice = f" and may not create {new}: create it first, or use a token without limits" if new else ""
            raise OutsideTokenLimits(f"This access token is limited to {limit}{advice}.")


def in_words(slugs: Iterable[str]) -> str:
    return ", ".join(sorted(set(slugs)))


# --- Which tokens are concerned ---


def tokens_that_may_register(deployment: Deployment, now: datetime) -> list[AccessToken]:
    """The active tokens that may register a deploy of it in some environment of its project, by name."""
    active = AccessToken.objects.filter(organization=deployment.organization_id, revoked_at=None)
    environments = Environment.objects.filter(project=deployment.project_id)
    tokens = active.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        Q(limited_to_deployments=False) | Q(pk__in=deployment.tokens.values("pk")),
        Q(limited_to_environments=False) | Q(environments__in=environments),
    )
    return [token for token in tokens.order_by("name", "pk").distinct() if allows(token.scopes, Scope.REGISTER_DEPLOY)]


def tokens_limited_within(project: Project) -> list[AccessToken]:
    """The tokens that are limited to environments of the project and not revoked, by name."""
    limited = AccessToken.objects.filter(environments__project=project, revoked_at=None, limited_to_environments=True)
    return list(limited.order_by("name").distinct())
