"""``dry_run``: a field of every registration endpoint, in the query string or the body."""

from collections.abc import Mapping
from typing import Any

from deployments.registration.errors import InvalidField

FIELD = "dry_run"
YES = ("1", "true", "yes", "on")
NO = ("0", "false", "no", "off")


def asks_for_dry_run(*, query: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """The query string decides where it has the field, for whoever wrote it there may not know the body.

    There the bare name is a yes, as that of a flag; in a body what is empty is absent, as with every field. Raises
    InvalidField for what is neither yes nor no: a misspelt dry run must not store anything.
    """
    if FIELD in query:
        return query[FIELD] == "" or is_yes(query[FIELD])
    value = body.get(FIELD)
    return value not in (None, "") and is_yes(value)


def is_yes(value: Any) -> bool:
    text = str(value).strip().lower() if isinstance(value, str | int) else None
    if text in YES:
        return True
    if text in NO:
        return False
    raise InvalidField("dry_run must be 1 or 0.")
