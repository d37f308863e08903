"""What several operations of the OpenAPI document have in common."""

from typing import Any

SENTENCE = {"text/plain": {"schema": {"type": "string"}}}


def path_parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


ORGANIZATION = path_parameter("organization", "The organization's slug.")
DEPLOYMENT = path_parameter("deployment", "The deployment's slug, unique in its organization.")

REFUSALS: dict[str, dict[str, Any]] = {
    "401": {
        "description": "The access token is missing or not valid, or what the path names is not in its organization.",
        "content": SENTENCE,
    },
    "403": {"description": "The access token's scopes or limits do not allow it.", "content": SENTENCE},
    "429": {
        "description": "The access token made more requests than the limit allows.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
        "content": SENTENCE,
    },
    "503": {
        "description": "The database does not answer: try again.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
        "content": SENTENCE,
    },
}


NULLABLE_TEXT = {"type": ["string", "null"]}
WHOLE_NUMBER = {"type": "integer"}
TEXT = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}
NULLABLE_MOMENT = {"type": ["string", "null"], "format": "date-time"}
TEXTS = {"type": "array", "items": TEXT}


def record(title: str, description: str, properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of ``properties`` and no others."""
    return {
        "title": title,
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def query_parameter(name: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema or TEXT}
