"""Writing access tokens."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from orgs.models import Environment, Organization, User
from tokens import secrets
from tokens.models import AccessToken
from tokens.scopes import Scope


@transaction.atomic
def create_token(
    *,
    organization: Organization,
    name: str,
    scopes: Collection[Scope],
    environments: Collection[Environment] = (),
    limited_to_deployments: bool = False,
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> tuple[AccessToken, str]:
    """The token and its secret, which cannot be had again.

    With ``limited_to_deployments`` the token is allowed nothing until deployments are given to it
    (:func:`deployments.services.limit_token`).
    """
    secret = secrets.new_secret()
    token = AccessToken(
        organization=organization,
        name=name,
        digest=secrets.digest(secret),
        hint=secrets.hint(secret),
        scopes=",".join(scope.value for scope in Scope if scope in scopes),
        limited_to_deployments=limited_to_deployments,
        limited_to_environments=bool(environments),
        expires_at=expires_at,
        created_by=created_by,
    )
    token.full_clean()
    token.save()
    token.environments.set(environments)
    return token, secret


@transaction.atomic
def revoke_token(*, token: AccessToken) -> None:
    """The token is refused from now on; it stays listed. Revoking twice keeps the first time."""
    AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    token.refresh_from_db(fields=["revoked_at"])
