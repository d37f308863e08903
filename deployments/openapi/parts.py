"""What the endpoints of the OpenAPI document have in common."""

from collections.abc import Sequence
from typing import Any

from deployments.api.schemas import load_schema

SENTENCE = {"text/plain": {"schema": {"type": "string"}}}
NULLABLE_TEXT = {"type": ["string", "null"]}
WHOLE_NUMBER = {"type": "integer"}
TEXT = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}
NULLABLE_MOMENT = {"type": ["string", "null"], "format": "date-time"}
TEXTS = {"type": "array", "items": TEXT}


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
        "description": "The database does not answer, or the deployment was just moved: try again.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
        "content": SENTENCE,
    },
}


def headers_of_calls(thing: str) -> list[dict[str, Any]]:
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes the call safe to repeat for 24 hours: the repetition gets the same answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
        {
            "name": "Prefer",
            "in": "header",
            "description": f"return=representation gets the {thing} as JSON.",
            "schema": {"type": "string"},
        },
    ]


def body_of(schema: str, *, example: dict[str, Any], or_json: str = "") -> dict[str, Any]:
    """``or_json`` is another schema that JSON may follow."""
    body = {"schema": reference(schema), "example": example}
    labels = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    content = dict.fromkeys(labels, body)
    if or_json:
        content["application/json"] = body | {"schema": {"anyOf": [reference(schema), reference(or_json)]}}
    return {"required": True, "content": content}


def success(description: str, *, thing: str, id_header: str, schemas: Sequence[str]) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {
            id_header: {"description": f"The {thing}'s id.", "schema": {"type": "integer"}},
            "Location": {"description": f"Where the {thing} is read.", "schema": {"type": "string"}},
            "Idempotency-Replayed": {
                "description": "true where the answer is that of an earlier call.",
                "schema": {"type": "string"},
            },
        },
        "content": {
            "text/plain": {"schema": {"const": "Success"}},
            "application/json": {"schema": {"anyOf": [reference(schema) for schema in schemas]}},
        },
    }


def schemas_of(name: str) -> dict[str, Any]:
    """A published schema and its $defs as components."""
    schema = load_schema(name)
    own = {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
    return {name: with_components(own), **with_components(schema.get("$defs", {}))}


def with_components(value: Any) -> Any:
    """``value`` with its references to $defs turned into such to the document's components."""
    if isinstance(value, dict):
        return {
            key: item.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else with_components(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [with_components(item) for item in value]
    return value


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
