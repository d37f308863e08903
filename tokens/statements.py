"""The SQL that every API call runs, kept out of the ORM because it is the hot path.

The same statements serve SQLite and PostgreSQL; tests hold each against the ORM's answer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An access token as authentication needs it."""

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


FIND_TOKEN = """
SELECT token.id, token.name, token.scopes, token.limited_to_deployments, token.limited_to_environments,
       token.expires_at, token.revoked_at, token.last_used_at, organization.id, organization.slug
FROM tokens_accesstoken token
JOIN orgs_organization organization ON organization.id = token.organization_id
WHERE token.digest = %s
"""


def find_token(digest: str) -> TokenRow | None:
    with connection.cursor() as cursor:
        cursor.execute(FIND_TOKEN, [digest])
        row = cursor.fetchone()
    if row is None:
        return None
    id_, name, scopes, deployments, environments, expires_at, revoked_at, last_used_at, *organization = row
    return TokenRow(
        id_,
        name,
        scopes,
        bool(deployments),
        bool(environments),
        as_datetime(expires_at),
        as_datetime(revoked_at),
        as_datetime(last_used_at),
        *organization,
    )


def as_datetime(value: Any) -> datetime | None:
    """A column of a raw statement, aware: SQLite gives a naive datetime, or text where the column is computed."""
    if value is None:
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_parameter(value: datetime | None) -> Any:
    """What :func:`as_datetime` reads back."""
    return connection.ops.adapt_datetimefield_value(value)
