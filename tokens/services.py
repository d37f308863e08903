"""Writing access tokens."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from orgs.models import Environment, Organization, User
from orgs.services import save_changes, store
from tokens import secrets
from tokens.models import AccessToken
from tokens.scopes import Scope


class TokenFields(TypedDict, total=False):
    name: str
    scopes: Collection[Scope]
    expires_at: datetime | None


def join_scopes(scopes: Collection[Scope]) -> str:
    return ",".join(scope.value for scope in Scope if scope in scopes)


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
        scopes=join_scopes(scopes),
        limited_to_deployments=limited_to_deployments,
        limited_to_environments=bool(environments),
        expires_at=expires_at,
        created_by=created_by,
    )
    store(token)
    token.environments.set(environments)
    return token, secret


@transaction.atomic
def update_token(*, token: AccessToken, **fields: Unpack[TokenFields]) -> None:
    values: dict[str, Any] = dict(fields)
    if "scopes" in fields:
        values["scopes"] = join_scopes(fields["scopes"])
    save_changes(token, values)


@transaction.atomic
def limit_token_environments(*, token: AccessToken, environments: Collection[Environment] | None) -> None:
    """Let ``token`` act on these environments only; ``None`` lifts the limit."""
    save_changes(token, {"limited_to_environments": environments is not None})
    token.environments.set(environments or ())


@transaction.atomic
def revoke_token(*, token: AccessToken) -> None:
    """The token is refused from now on; it stays listed. Revoking twice keeps the first time."""
    AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    token.refresh_from_db(fields=["revoked_at"])
