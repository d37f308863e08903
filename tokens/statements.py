"""The SQL of every call of the API. The ORM would be too slow here.

The statements work on SQLite and PostgreSQL. Tests compare each with the answer of the ORM.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class RetiredRow:
    """The former secret with which a call was made."""

    id: int
    retired_at: datetime
    works_until: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """What authentication needs of an access token."""

    id: int
    name: str
    scopes: str
    limited_to_deployments: bool
    limited_to_environments: bool
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    organization_id: int
    organization_slug: str
    retired: RetiredRow | None = None


FIND_TOKEN = """
SELECT token.id, token.name, token.scopes, token.limited_to_deployments, token.limited_to_environments,
       token.expires_at, token.revoked_at, token.last_used_at, organization.id, organization.slug
FROM tokens_accesstoken token
JOIN orgs_organization organization ON organization.id = token.organization_id
WHERE token.digest = %s
"""


# Only if no token has the secret.
FIND_TOKEN_BY_RETIRED_SECRET = """
SELECT token.id, token.name, token.scopes, token.limited_to_deployments, token.limited_to_environments,
       token.expires_at, token.revoked_at, token.last_used_at, organization.id, organization.slug,
       retired.id, retired.retired_at, retired.works_until, retired.last_used_at
FROM tokens_retiredsecret retired
JOIN tokens_accesstoken token ON token.id = retired.token_id
JOIN orgs_organization organization ON organization.id = token.organization_id
WHERE retired.digest = %s
"""


def find_token(digest: str) -> TokenRow | None:
    """By its secret or by a former one, which may have stopped working; then ``retired`` is set."""
    with connection.cursor() as cursor:
        for statement in (FIND_TOKEN, FIND_TOKEN_BY_RETIRED_SECRET):
            cursor.execute(statement, [digest])
            if row := cursor.fetchone():
                return token_row(row)
    return None


def token_row(row: Sequence[Any]) -> TokenRow:
    id_, name, scopes, deployments, environments, expires_at, revoked_at, last_used_at, organization, slug, *old = row
    return TokenRow(
        *(id_, name, scopes, bool(deployments), bool(environments)),
        *(as_datetime(expires_at), as_datetime(revoked_at), as_datetime(last_used_at), organization, slug),
        RetiredRow(old[0], *map(as_datetime, old[1:])) if old else None,  # type: ignore[arg-type]  # two are never null
    )


def insert_sql(table: str, columns: Iterable[str]) -> str:
    names = tuple(columns)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"  # noqa: S608 - our names


def as_datetime(value: Any) -> datetime | None:
    """An aware datetime from a raw statement. SQLite gives a naive one, or text if the column is computed."""
    if value is None:
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_parameter(value: datetime | None) -> Any:
    """What :func:`as_datetime` reads back."""
    return connection.ops.adapt_datetimefield_value(value)
