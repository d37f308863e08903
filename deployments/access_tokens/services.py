"""Writing access tokens and their limits."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from deployments.models import Deployment
from orgs import audit
from orgs.models import Environment, Organization, User
from orgs.services import save_changes
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import create_token, limit_token_environments, slugs_in_words, update_token


@transaction.atomic
def limit_token(*, token: AccessToken, deployments: Collection[Deployment] | None) -> None:
    """Limits the token to these deployments; ``None`` removes the limit."""
    before = slugs_in_words(token.deployments.all()) if token.limited_to_deployments else None
    after = slugs_in_words(deployments) if deployments is not None else None
    save_changes(token, {"limited_to_deployments": deployments is not None})
    token.deployments.set(deployments or ())
    changes = {"deployments": [before, after]} if before != after else {}
    audit.record_changes("token.limited", token, changes)


@transaction.atomic
def create_limited_token(
    *,
    organization: Organization,
    name: str,
    deployments: Collection[Deployment] | None,
    environments: Collection[Environment] | None,
    scopes: Collection[Scope],
    expires_at: datetime | None,
    created_by: User,
) -> tuple[AccessToken, str]:
    """Returns the token and its secret, which cannot be read again. ``None`` means no limit."""
    token, secret = create_token(
        organization=organization,
        name=name,
        scopes=scopes,
        environments=environments or (),
        expires_at=expires_at,
        created_by=created_by,
    )
    if deployments is not None:
        limit_token(token=token, deployments=deployments)
    return token, secret


@transaction.atomic
def change_token(
    *,
    token: AccessToken,
    deployments: Collection[Deployment] | None,
    environments: Collection[Environment] | None,
    scopes: Collection[Scope],
    expires_at: datetime | None,
) -> None:
    """Changes what the token may do, where, and until when. ``None`` means no limit."""
    update_token(token=token, scopes=scopes, expires_at=expires_at)
    limit_token(token=token, deployments=deployments)
    limit_token_environments(token=token, environments=environments)
