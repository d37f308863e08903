"""Writing access tokens, and what is written on their behalf."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from orgs import audit
from orgs.audit import Actor
from orgs.models import Environment, Organization, User
from orgs.rows import lock_row, store
from orgs.services import save_changes
from orgs.text import digest
from tokens import secrets
from tokens.models import AccessToken, RetiredSecret
from tokens.scopes import Scope
from tokens.statements import TokenRow


def token_actor(token: TokenRow | AccessToken, *, address: str) -> Actor:
    """The token as the audit log names it."""
    return Actor(label=f"access token {token.name}", address=address)


# For so long the request log can say why a call with such a secret is rejected.
ENDED_SECRETS_ARE_KEPT = timedelta(days=30)


class TokenFields(TypedDict, total=False):
    name: str
    scopes: Collection[Scope]
    expires_at: datetime | None


class TokenLimits(TypedDict, total=False):
    deployments: Collection[Any] | None
    environments: Collection[Environment] | None


def join_scopes(scopes: Collection[Scope]) -> str:
    return ",".join(scope.value for scope in Scope if scope in scopes)


def slugs_in_words(items: Iterable[Any]) -> str:
    """Deployments or environments as the audit log shows them."""
    return ", ".join(sorted(item.slug for item in items))


@transaction.atomic
def create_token(
    *,
    organization: Organization,
    name: str,
    scopes: Collection[Scope],
    environments: Collection[Environment] = (),
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> tuple[AccessToken, str]:
    """The token and its secret, which is not stored."""
    secret = secrets.new_secret()
    token = AccessToken(
        organization=organization,
        name=name,
        digest=digest(secret),
        hint=secrets.hint(secret),
        scopes=join_scopes(scopes),
        limited_to_environments=bool(environments),
        expires_at=expires_at,
        created_by=created_by,
    )
    store(token)
    token.environments.set(environments)
    changes = {
        "name": name,
        "scopes": token.scopes,
        "expires_at": expires_at and expires_at.isoformat(),
        "environments": slugs_in_words(environments) if environments else None,
    }
    audit.record("token.created", token, changes=changes)
    return token, secret


@transaction.atomic
def update_token(*, token: AccessToken, **fields: Unpack[TokenFields]) -> None:
    values: dict[str, Any] = dict(fields)
    if "scopes" in fields:
        values["scopes"] = join_scopes(fields["scopes"])
    audit.record_changes("token.changed", token, save_changes(token, values))


@transaction.atomic
def limit_token(*, token: AccessToken, **limits: Unpack[TokenLimits]) -> None:
    """Limit ``token`` to these deployments or environments. ``None`` removes the limit."""
    for kind in limits:
        rows: Collection[Any] | None = limits[kind]  # type: ignore[literal-required]  # a key of the same dictionary
        related, is_limited = getattr(token, kind), f"limited_to_{kind}"
        before = slugs_in_words(related.all()) if getattr(token, is_limited) else None
        after = slugs_in_words(rows) if rows is not None else None
        save_changes(token, {is_limited: rows is not None})
        related.set(rows or ())
        audit.record_changes("token.limited", token, {kind: [before, after]} if before != after else {})


@transaction.atomic
def rotate_token(*, token: AccessToken, grace: timedelta) -> str:
    """The new secret, which is not stored. The old one works for ``grace``, and older ones no longer than that.

    Raises ValidationError if the token is not active, or got another secret since ``token`` was read.
    """
    current = lock_row(token)
    if current.digest != token.digest:
        raise ValidationError(f"{token} has been rotated meanwhile.", code="rotated")
    if (state := current.state()) != "active":
        raise ValidationError(f"{token} is {state}, so that a new secret would not work either.", code=state)
    secret, now = secrets.new_secret(), timezone.now()
    works_until = now + grace
    end_retired_secrets(token, at=works_until)
    store(RetiredSecret(token=token, digest=current.digest, hint=current.hint, retired_at=now, works_until=works_until))
    token.digest, token.hint = digest(secret), secrets.hint(secret)
    store(token, only=["digest", "hint", "updated_at"])
    changes = {"secret": [current.hint, token.hint], "old_secret_works_until": works_until.isoformat()}
    audit.record("token.rotated", token, changes=changes)
    return secret


def end_retired_secrets(token: AccessToken, *, at: datetime) -> None:
    token.retired_secrets.filter(works_until__gt=at).update(works_until=at)


@transaction.atomic
def revoke_token(*, token: AccessToken) -> None:
    """Reject all its secrets from now on. It remains listed. Revoking it again keeps the first time."""
    now = timezone.now()
    if AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        end_retired_secrets(token, at=now)
        audit.record("token.revoked", token)
    token.refresh_from_db(fields=["revoked_at"])


def delete_ended_secrets() -> int:
    """How many were deleted, because the request log need not explain them any more."""
    ended = RetiredSecret.objects.filter(works_until__lte=timezone.now() - ENDED_SECRETS_ARE_KEPT)
    return ended.delete()[0]
