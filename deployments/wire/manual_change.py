"""Sleuth's ``register_manual_deploy``: fields of a request → ManualRegistration.

https://help.sleuth.io/sleuth-api; what its clients really send is in tests/compat.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployments.registration.errors import InvalidField, NameMissing
from deployments.registration.manual_changes import ManualChangeFields
from deployments.wire.schemas import check_fields
from deployments.wire.sleuth import INVALID_DATE, read_date, read_tags, split_link, without_absent

SCHEMA = "register_manual_deploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRegistration:
    """``environment`` is a slug or name, empty for the default."""

    environment: str
    fields: ManualChangeFields


def read_manual_change(fields: dict[str, Any], *, now: datetime) -> ManualRegistration:
    """Raises NameMissing, and InvalidField with the first problem. Without a date it was ``now``."""
    fields = without_absent(fields)
    if "name" not in fields:
        # The text is Sleuth's; clients compare it.
        raise NameMissing("Name is required.")
    if "date" in fields and not isinstance(fields["date"], str):
        raise InvalidField(INVALID_DATE)
    if isinstance(fields.get("links"), str):
        fields["links"] = split_link(fields["links"])
    check_fields(SCHEMA, fields)
    return ManualRegistration(
        environment=fields.get("environment", ""),
        fields=ManualChangeFields(
            name=fields["name"],
            changed_at=read_date(fields.get("date")) or now,
            description=fields.get("description", ""),
            author_email=fields.get("author", ""),
            user_email=fields.get("email", ""),
            tags=read_tags(fields.get("tags")) or (),
            links=tuple(fields.get("links", {}).items()),
        ),
    )
