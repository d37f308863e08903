"""``dry_run``: a field of every registration endpoint, in the query string or the body."""

from collections.abc import Mapping
from typing import Any

from deployments.registration.errors import InvalidField

YES = ("1", "true", "yes")
NO = ("", "0", "false", "no")


def asks_for_dry_run(fields: Mapping[str, Any]) -> bool:
    """Raises InvalidField for what is neither yes nor no: a misspelt dry run must not store anything."""
    value = fields.get("dry_run")
    if value is None or isinstance(value, bool):
        return bool(value)
    text = str(value).strip().lower() if isinstance(value, str | int) else None
    if text in YES:
        return True
    if text in NO:
        return False
    raise InvalidField("dry_run must be 1 or 0.")
