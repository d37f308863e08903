"""``register_impact`` in the OpenAPI document."""

from typing import Any

METRIC_PATH = "/api/1/impact/{impact_id}/register_impact"
INCIDENT_PATH = "/api/1/deployments/{organization}/{project}/{environment}/{impact_source}/register_impact"
INCIDENT_PATH_WITH_TOKEN = f"{INCIDENT_PATH}/{{token}}"

SENTENCE = {"text/plain": {"schema": {"type": "string"}}}
SUCCESS = {"text/plain": {"schema": {"const": "Success"}}}
WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}


def in_path(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


PLACE = [
    in_path("organization", "The organization's slug."),
    in_path("project", "The project's slug."),
    in_path("environment", "The environment's slug."),
    in_path("impact_source", "The impact source's slug."),
]


def body_of(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    body = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    media_types = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    return {"required": True, "content": dict.fromkeys(media_types, body)}


def impact_paths(refusals: dict[str, Any]) -> dict[str, Any]:
    """``refusals`` are the answers that all endpoints share."""
    return {
        METRIC_PATH: {"post": register_metric(refusals)},
        INCIDENT_PATH: {"post": register_incident("register_incident", refusals)},
        INCIDENT_PATH_WITH_TOKEN: {
            "post": {
                **register_incident("register_incident_by_path", refusals),
                "summary": "Register an incident event by its address alone",
                "description": "For tools that cannot send a header. Prefer the one above where you can: addresses "
                "are written to logs on the way.",
                "parameters": [*PLACE, in_path("token", "The access token.")],
                "security": [],
            }
        },
    }


def register_metric(refusals: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "register_metric",
        "summary": "Register a value of a custom metric",
        "description": "One value every 120 seconds of each impact source.",
        "tags": ["Registering"],
        "parameters": [in_path("impact_id", "The impact source's id, which its page shows.")],
        "requestBody": body_of("register_impact_metric", {"value": 12.5}),
        "responses": {
            "200": {"description": "The value is stored.", "content": SUCCESS},
            "400": {
                "description": "The value is no number, or the date cannot be read or is older than the impact source.",
                "content": SENTENCE,
            },
            "404": {"description": "There is no such custom metric.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            **refusals,
            "429": {
                "description": "The impact source got a value less than 120 seconds ago, or the access token made more "
                "requests than the limit allows.",
                "headers": WAIT,
                "content": SENTENCE,
            },
        },
    }


def register_incident(operation_id: str, refusals: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": "Register an incident event",
        "description": "What happened to an incident of a custom incident impact source. Events may come late, "
        "repeated and in any order.",
        "tags": ["Registering"],
        "parameters": PLACE,
        "requestBody": body_of("register_impact_incident", {"type": "triggered", "id": "4711", "title": "Shop down"}),
        "responses": {
            "200": {"description": "The event is stored, or was known.", "content": SUCCESS},
            "400": {"description": "Something to change in the call, in one sentence.", "content": SENTENCE},
            "404": {"description": "There is no such custom incident impact source.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            **refusals,
        },
    }
