"""Sweetr's endpoint in the OpenAPI document."""

from typing import Any

from deployments.api.schemas import load_schema
from deployments.openapi.dry_run import DRY_RUN_PARAMETER
from deployments.openapi.parts import body_of

ERROR_SCHEMA: dict[str, Any] = {
    "title": "Error as Sweetr writes it",
    "description": "validationErrors has a sentence for each field that is wrong: none unless the status is 422.",
    "type": "object",
    "required": ["error", "statusCode", "validationErrors"],
    "properties": {
        "error": {"type": "string"},
        "statusCode": {"type": "integer"},
        "validationErrors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/sweetr_error"}}}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
}


def register_deployment() -> dict[str, Any]:
    (example,) = load_schema("sweetr_deployment")["examples"]
    return {
        "operationId": "sweetr_create_deployment",
        "summary": "Register a deploy as Sweetr takes it",
        "description": (
            "For teams that come from Sweetr: the application and its environment are created where they do not exist. "
            "The deploy is stored when the answer comes. The token may also stand in the Authorization header alone."
        ),
        "tags": ["Registering"],
        "parameters": [DRY_RUN_PARAMETER],
        "requestBody": body_of("sweetr_deployment", example=example),
        "responses": {
            "202": {
                "description": "The deploy is stored; or the commit was live already in this version.",
                "headers": {
                    "X-Deploy-Id": {"description": "The deploy's id.", "schema": {"type": "integer"}},
                    "Location": {"description": "Where the deploy is read.", "schema": {"type": "string"}},
                },
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["status"],
                            "properties": {"status": {"const": 202}},
                        }
                    }
                },
            },
            "200": {
                "description": "A dry run: what the call would have done.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/dry_run"}}},
            },
            "400": {"description": "The body cannot be read.", "content": ERROR},
            "401": {"description": "The access token is missing or not valid.", "content": ERROR},
            "403": {
                "description": "The access token's scopes or limits do not allow it. A limited token creates nothing.",
                "content": ERROR,
            },
            "413": {"description": "The body is too large.", "content": ERROR},
            "422": {"description": "Fields are missing or not valid; each is named.", "content": ERROR},
            "429": {
                "description": "The access token made more requests than the limit allows, 100 a minute by default.",
                "headers": RETRY_AFTER,
                "content": ERROR,
            },
            "503": {
                "description": "The database does not answer, or the deployment was just moved: try again.",
                "headers": RETRY_AFTER,
                "content": ERROR,
            },
        },
    }
