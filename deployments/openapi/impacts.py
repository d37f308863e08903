"""``register_impact`` in the OpenAPI document."""

from typing import Any

from deployments.openapi.dry_run import DRY_RUN_PARAMETER
from deployments.openapi.parts import ORGANIZATION, REFUSALS, SENTENCE, body_of, path_parameter, reference

SPELLINGS = ("register_impact", "register-impact")
INCIDENT_SOURCE = "/api/1/deployments/{organization}/{project}/{environment}/{impact_source}"
METRIC_PATHS = tuple(f"/api/1/impact/{{impact_id}}/{spelling}" for spelling in SPELLINGS)
INCIDENT_PATHS = tuple(f"{INCIDENT_SOURCE}/{spelling}" for spelling in SPELLINGS)
INCIDENT_PATHS_WITH_TOKEN = tuple(f"{path}/{{token}}" for path in INCIDENT_PATHS)


def success(dry_run: str) -> dict[str, Any]:
    return {"text/plain": {"schema": {"const": "Success"}}, "application/json": {"schema": reference(dry_run)}}


WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}


PLACE = [
    ORGANIZATION,
    path_parameter("project", "The project's slug."),
    path_parameter("environment", "The environment's slug."),
    path_parameter("impact_source", "The impact source's slug."),
]


def impact_paths() -> dict[str, Any]:
    operations = (
        (METRIC_PATHS, register_metric, "register_metric"),
        (INCIDENT_PATHS, register_incident, "register_incident"),
        (INCIDENT_PATHS_WITH_TOKEN, register_incident_by_path, "register_incident_by_path"),
    )
    return {
        path: {"post": operation(f"{operation_id}{'_' * number}")}
        for paths, operation, operation_id in operations
        for number, path in enumerate(paths)
    }


def register_metric(operation_id: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": "Register a value of a custom metric",
        "description": "One value every 120 seconds of each impact source.",
        "tags": ["Registering"],
        "parameters": [path_parameter("impact_id", "The impact source's id, which its page shows."), DRY_RUN_PARAMETER],
        "requestBody": body_of("register_impact_metric", example={"value": 12.5}),
        "responses": {
            "200": {
                "description": "The value is stored. Of a dry run: what the call would have done, also where it comes "
                "too soon.",
                "content": success("dry_run_of_metric_value"),
            },
            "400": {
                "description": "The value is no number, or the date cannot be read or is older than the impact source.",
                "content": SENTENCE,
            },
            "404": {"description": "There is no such custom metric.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            **REFUSALS,
            "429": {
                "description": "The impact source got a value less than 120 seconds ago, or the access token made more "
                "requests than the limit allows.",
                "headers": WAIT,
                "content": SENTENCE,
            },
        },
    }


def register_incident(operation_id: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": "Register an incident event",
        "description": "What happened to an incident of a custom incident impact source. Events may come late, "
        "repeated and in any order.",
        "tags": ["Registering"],
        "parameters": [*PLACE, DRY_RUN_PARAMETER],
        "requestBody": body_of(
            "register_impact_incident", example={"type": "triggered", "id": "4711", "title": "Shop down"}
        ),
        "responses": {
            "200": {
                "description": "The event is stored, or was known.",
                "content": success("dry_run_of_incident_event"),
            },
            "400": {"description": "Something to change in the call, in one sentence.", "content": SENTENCE},
            "404": {"description": "There is no such custom incident impact source.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            **REFUSALS,
        },
    }


def register_incident_by_path(operation_id: str) -> dict[str, Any]:
    return {
        **register_incident(operation_id),
        "summary": "Register an incident event by its address alone",
        "description": "For tools that cannot send a header. Prefer the one above where you can: addresses are written "
        "to logs on the way.",
        "parameters": [*PLACE, DRY_RUN_PARAMETER, path_parameter("token", "The access token.")],
        "security": [],
    }
