"""A GraphQL request as fields, in each form that https://graphql.github.io/graphql-over-http names, and more.

The Sleuth CLI sends GET with a JSON body.
"""

import json
from dataclasses import dataclass
from typing import Any

from deployments.registration.errors import InvalidField

MAX_QUERY_LENGTH = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphqlCall:
    query: str
    variables: dict[str, Any]
    operation_name: str | None


def read_call(fields: dict[str, Any]) -> GraphqlCall:
    """Raises InvalidField."""
    query, operation_name = fields.get("query"), fields.get("operationName") or None
    if not isinstance(query, str) or not query.strip():
        raise InvalidField('query is required: send {"query": "…"} as JSON.')
    if len(query) > MAX_QUERY_LENGTH:
        raise InvalidField(f"query is {len(query)} characters long: at most {MAX_QUERY_LENGTH} are accepted.")
    if operation_name is not None and not isinstance(operation_name, str):
        raise InvalidField("operationName must be text.")
    return GraphqlCall(query=query, variables=read_variables(fields.get("variables")), operation_name=operation_name)


def read_variables(value: Any) -> dict[str, Any]:
    """An object; in a query string or a form its JSON."""
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidField("variables must be an object, as JSON.") from None
    if not value:
        return {}
    if not isinstance(value, dict):
        raise InvalidField("variables must be an object, as JSON.")
    return value
