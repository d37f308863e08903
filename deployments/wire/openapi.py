"""The API as an OpenAPI 3.1 document, with the executed schemas in it. The API's pages are made from it, too."""

from functools import cache
from typing import Any

from django.conf import settings

from deployments.wire.openapi_history import EXPORT_TIMELINE_QUERY, IMPORT_BODY, IMPORTED
from deployments.wire.schemas import load_schema

SENTENCE = {"text/plain": {"schema": {"type": "string"}}}
REGISTER_PATHS = (
    "/api/1/deployments/{organization}/{deployment}/register_deploy",
    "/api/1/deployments/{organization}/{deployment}/register-deploy",
    "/api/1/{organization}/{deployment}/register_deploy",
)


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


def import_deploys() -> dict[str, Any]:
    registering = register_deploy("import_deploys")
    return {
        **registering,
        "summary": "Import a history",
        "description": (
            "A CSV file replaces the deployment's history in one environment: all of it, or nothing. Repeated rows are "
            "left out. On the deployment's pages an import can be undone for 30 days."
        ),
        "parameters": [ORGANIZATION, DEPLOYMENT, registering["parameters"][-1]],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": IMPORT_BODY}}},
        "responses": {**registering["responses"], "200": IMPORTED},
    }


EXPORT_TIMELINE = {
    "operationId": "export_timeline",
    "summary": "Export a timeline",
    "description": (
        "All deploys that the filters leave, newest first, as a stream: a JSON object or a line of CSV for each. kind "
        "is deploy; more kinds may come, and new columns come last. What is exported of one deployment in one "
        "environment can be imported again."
    ),
    "tags": ["Reading"],
    "parameters": [ORGANIZATION, *EXPORT_TIMELINE_QUERY],
    "responses": {
        "200": {
            "description": "The deploys.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "400": {"description": "A filter or the format is not known.", "content": SENTENCE},
        **REFUSALS,
    },
}

NULLABLE_TEXT = {"type": ["string", "null"]}
MOMENT = {"type": "string", "format": "date-time"}

DEPLOY_SCHEMA: dict[str, Any] = {
    "title": "Deploy",
    "description": "What was deployed where and when. lead_time is in seconds, dates are in UTC.",
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "url": {"type": "string"},
        "organization": {"type": "string"},
        "project": {"type": "string"},
        "deployment": {"type": "string"},
        "environment": {"type": "string"},
        "sha": {"type": "string"},
        "branch": NULLABLE_TEXT,
        "title": NULLABLE_TEXT,
        "deployed_at": MOMENT,
        "registered_at": MOMENT,
        "live": {"type": "boolean"},
        "restores": {"type": ["integer", "null"], "description": "The deploy that this rollback restored."},
        "rolled_back_by": {"type": ["integer", "null"], "description": "The rollback that undid this deploy."},
        "author": {"type": "object", "properties": {"name": NULLABLE_TEXT, "email": NULLABLE_TEXT}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
        "first_commit_at": {"type": ["string", "null"], "format": "date-time"},
        "lead_time": {"type": ["integer", "null"]},
        "commit_count": {"type": "integer"},
        "file_count": {"type": "integer"},
        "pull_request_count": {"type": "integer"},
        "additions": {"type": "integer"},
        "deletions": {"type": "integer"},
    },
}

READ_DEPLOY = {
    "operationId": "read_deploy",
    "summary": "Read a deploy",
    "tags": ["Reading"],
    "parameters": [
        ORGANIZATION,
        {"name": "deploy_id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}},
    ],
    "responses": {
        "200": {
            "description": "The deploy.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/deploy"}}},
        },
        "404": {"description": "There is no such deploy, or not for this token.", "content": SENTENCE},
        **REFUSALS,
    },
}

READ_LIVE = {
    "operationId": "read_live",
    "summary": "What is live where",
    "description": "Every deployment of the organization with what is live in each of its environments.",
    "tags": ["Reading"],
    "parameters": [
        ORGANIZATION,
        {
            "name": "format",
            "in": "query",
            "description": "csv gets a row for each deployment and environment.",
            "schema": {"enum": ["json", "csv"]},
        },
    ],
    "responses": {
        "200": {
            "description": "Projects with their deployments and environments.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "400": {"description": "The format is not known.", "content": SENTENCE},
        **REFUSALS,
    },
}

READ_SCHEMA = {
    "operationId": "read_schema",
    "summary": "The schema of register_deploy",
    "description": "The JSON Schema that calls are checked by.",
    "tags": ["Reading"],
    "security": [],
    "responses": {"200": {"description": "A JSON Schema.", "content": {"application/schema+json": {}}}},
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
            "/api/1/deployments/{organization}/{deployment}/import_deploys": {"post": import_deploys()},
            "/api/1/organizations/{organization}/timeline": {"get": EXPORT_TIMELINE},
            "/api/1/organizations/{organization}/live": {"get": READ_LIVE},
            "/api/1/organizations/{organization}/deploys/{deploy_id}": {"get": READ_DEPLOY},
            "/api/1/schema/register_deploy": {"get": READ_SCHEMA},
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
                "deploy": DEPLOY_SCHEMA,
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
