"""The API as an OpenAPI 3.1 document, with the executed schemas in it. The API's pages are made from it, too."""

from functools import cache
from typing import Any

from django.conf import settings

from deployments.wire.openapi_graphql import GRAPHQL_PATHS, GRAPHQL_SCHEMAS
from deployments.wire.openapi_parts import DEPLOYMENT, ORGANIZATION, REFUSALS, SENTENCE
from deployments.wire.openapi_reading import READING_PATHS
from deployments.wire.openapi_schemas import READING_SCHEMAS
from deployments.wire.schemas import load_schema

REGISTER_PATHS = (
    "/api/1/deployments/{organization}/{deployment}/register_deploy",
    "/api/1/deployments/{organization}/{deployment}/register-deploy",
    "/api/1/{organization}/{deployment}/register_deploy",
)


def register_deploy(operation_id: str) -> dict[str, Any]:
    body = {"schema": {"$ref": "#/components/schemas/register_deploy"}}
    return {
        "operationId": operation_id,
        "summary": "Register a deploy",
        "description": (
            "Call it when a deploy has succeeded. A sha that is live already is a duplicate; one that was live before "
            "is a rollback."
        ),
        "tags": ["Registering"],
        "parameters": [
            ORGANIZATION,
            DEPLOYMENT,
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Makes the call safe to repeat for 24 hours: the repetition gets the same answer.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            },
            {
                "name": "Prefer",
                "in": "header",
                "description": "return=representation gets the deploy as JSON.",
                "schema": {"type": "string"},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": body,
                "application/x-www-form-urlencoded": body,
                "multipart/form-data": body,
            },
        },
        "responses": {
            "200": {
                "description": "The deploy is stored; or, with ignore_if_duplicate, was live already.",
                "headers": {
                    "X-Deploy-Id": {"description": "The deploy's id.", "schema": {"type": "integer"}},
                    "Location": {"description": "Where the deploy is read.", "schema": {"type": "string"}},
                    "Idempotency-Replayed": {
                        "description": "true where the answer is that of an earlier call.",
                        "schema": {"type": "string"},
                    },
                },
                "content": {
                    "text/plain": {"schema": {"const": "Success"}},
                    "application/json": {"schema": {"$ref": "#/components/schemas/deploy"}},
                },
            },
            "400": {"description": "Something to change in the call, in one sentence.", "content": SENTENCE},
            "404": {"description": "What the path names can be no deployment.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            "422": {"description": "The Idempotency-Key came before with another body.", "content": SENTENCE},
            **REFUSALS,
        },
    }


@cache
def document() -> dict[str, Any]:
    schema = load_schema("register_deploy")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gumshoe",
            "version": "1",
            "description": "Register deploys and read what is live where. Compatible with Sleuth's registration API.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.SITE_URL}],
        "security": [{"token": []}, {"api_key": []}],
        "paths": {
            **{
                path: {"post": register_deploy(f"register_deploy{'_' * number}")}
                for number, path in enumerate(REGISTER_PATHS)
            },
            **GRAPHQL_PATHS,
            **READING_PATHS,
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An access token."},
                "api_key": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "api_key",
                    "description": "The same, in the query.",
                },
            },
            "schemas": {
                "register_deploy": with_components(
                    {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
                ),
                **with_components(schema["$defs"]),
                **GRAPHQL_SCHEMAS,
                **READING_SCHEMAS,
            },
        },
    }


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
