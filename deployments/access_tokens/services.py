"""Writing access tokens and their limits."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from deployments.models import Deployment
from orgs.models import Environment, Organization, User
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import create_token, limit_token, update_token


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
    limit_token(token=token, deployments=deployments, environments=environments)
