"""The API as an OpenAPI 3.1 document, with the executed schemas in it. The API's pages are made from it, too."""

from functools import cache
from typing import Any

from django.conf import settings

from deployments.wire import openapi_sweetr
from deployments.wire.schemas import load_schema

SENTENCE = {"text/plain": {"schema": {"type": "string"}}}
SWEETR_PATH = "/v1/deployments"
# The schemas of bodies, published at /api/1/schema/<name>, and of whose calls they are.
SCHEMAS = {
    "register_deploy": "register_deploy",
    "terraform_notification": "Terraform Cloud's notifications",
    "sweetr_deployment": "Sweetr's deployments",
}
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
    json_body = {"schema": {"anyOf": [body["schema"], {"$ref": "#/components/schemas/terraform_notification"}]}}
    return {
        "operationId": operation_id,
        "summary": "Register a deploy",
        "description": (
            "Call it when a deploy has succeeded. A sha that is live already is a duplicate; one that was live before "
            "is a rollback. A webhook of Terraform Cloud may call it, too: with the token as api_key, and the "
            "environment, in the query string; each run that completes registers the newest change that is known of "
            "the deployment."
        ),
        "tags": ["Registering"],
        "parameters": [
            ORGANIZATION,
            DEPLOYMENT,
            openapi_sweetr.DRY_RUN_PARAMETER,
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
                "application/json": json_body,
                "application/x-www-form-urlencoded": body,
                "multipart/form-data": body,
            },
        },
        "responses": {
            "200": {
                "description": (
                    "The deploy is stored; or, with ignore_if_duplicate, was live already. Of a dry run: what the call "
                    "would have done."
                ),
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
                    "application/json": {
                        "schema": {
                            "anyOf": [
                                {"$ref": "#/components/schemas/deploy"},
                                {"$ref": "#/components/schemas/dry_run"},
                            ]
                        }
                    },
                },
            },
            "400": {"description": "Something to change in the call, in one sentence.", "content": SENTENCE},
            "404": {"description": "What the path names can be no deployment.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            "422": {"description": "The Idempotency-Key came before with another body.", "content": SENTENCE},
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
        "version": NULLABLE_TEXT,
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


def read_schema(name: str, of: str) -> dict[str, Any]:
    return {
        "operationId": f"read_schema_{name}",
        "summary": f"The schema of {of}",
        "description": "The JSON Schema that calls are checked by.",
        "tags": ["Reading"],
        "security": [],
        "responses": {"200": {"description": "A JSON Schema.", "content": {"application/schema+json": {}}}},
    }


@cache
def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gumshoe",
            "version": "1",
            "description": (
                "Register deploys and read what is live where. Compatible with the APIs of Sleuth and Sweetr."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.SITE_URL}],
        "security": [{"token": []}, {"api_key": []}],
        "paths": {
            **{
                path: {"post": register_deploy(f"register_deploy{'_' * number}")}
                for number, path in enumerate(REGISTER_PATHS)
            },
            SWEETR_PATH: {"post": openapi_sweetr.register_deployment()},
            "/api/1/organizations/{organization}/live": {"get": READ_LIVE},
            "/api/1/organizations/{organization}/deploys/{deploy_id}": {"get": READ_DEPLOY},
            **{f"/api/1/schema/{name}": {"get": read_schema(name, of)} for name, of in SCHEMAS.items()},
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
                **body_schemas(),
                "deploy": DEPLOY_SCHEMA,
                "dry_run": openapi_sweetr.DRY_RUN_SCHEMA,
                "sweetr_error": openapi_sweetr.ERROR_SCHEMA,
            },
        },
    }


def body_schemas() -> dict[str, Any]:
    components = {}
    for name in SCHEMAS:
        schema = load_schema(name)
        components[name] = with_components(
            {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
        )
        components |= with_components(schema.get("$defs", {}))
    return components


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
