"""The API as an OpenAPI 3.1 document, with the executed schemas in it. The API's pages are made from it, too."""

from functools import cache
from typing import Any

from django.conf import settings

from deployments.openapi import sweetr as openapi_sweetr
from deployments.openapi.dry_run import DRY_RUN_PARAMETER, DRY_RUN_SCHEMAS
from deployments.openapi.graphql import GRAPHQL_PATHS, GRAPHQL_SCHEMAS
from deployments.openapi.history import HISTORY_PATHS
from deployments.openapi.impacts import INCIDENT_PATHS, INCIDENT_PATHS_WITH_TOKEN, METRIC_PATHS, impact_paths
from deployments.openapi.manual import MANUAL_CHANGE_SCHEMA, REGISTER_MANUAL_PATHS, register_manual_deploy
from deployments.openapi.parts import (
    DEPLOYMENT,
    ORGANIZATION,
    REFUSALS,
    SENTENCE,
    body_of,
    headers_of_calls,
    schemas_of,
    success,
)
from deployments.openapi.reading import READING_PATHS, read_schema
from deployments.openapi.schemas import READING_SCHEMAS

REGISTER_PATHS = (
    "/api/1/deployments/{organization}/{deployment}/register_deploy",
    "/api/1/deployments/{organization}/{deployment}/register-deploy",
    "/api/1/{organization}/{deployment}/register_deploy",
)
# Paths that do the same, by the first of them.
OTHER_PATHS = {
    paths[0]: paths[1:]
    for paths in (REGISTER_PATHS, REGISTER_MANUAL_PATHS, METRIC_PATHS, INCIDENT_PATHS, INCIDENT_PATHS_WITH_TOKEN)
}
SWEETR_PATH = "/v1/deployments"
# The schemas of bodies, published at /api/1/schema/<name>, and of whose calls they are.
SCHEMAS = {
    "register_deploy": "register_deploy",
    "register_manual_deploy": "register_manual_deploy",
    "register_impact_incident": "register_impact for incidents",
    "register_impact_metric": "register_impact for metrics",
    "terraform_notification": "Terraform Cloud's notifications",
    "sweetr_deployment": "Sweetr's deployments",
}


def register_deploy(operation_id: str) -> dict[str, Any]:
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
        "parameters": [ORGANIZATION, DEPLOYMENT, DRY_RUN_PARAMETER, *headers_of_calls("deploy")],
        "requestBody": body_of(
            "register_deploy",
            example={"sha": "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80", "environment": "production"},
            or_json="terraform_notification",
        ),
        "responses": {
            "200": success(
                "The deploy is stored; or, with ignore_if_duplicate, was live already. "
                "Of a dry run: what the call would have done, also where it would be refused.",
                thing="deploy",
                id_header="X-Deploy-Id",
                schemas=("deploy", "dry_run"),
            ),
            "400": {"description": "Something to change in the call, in one sentence.", "content": SENTENCE},
            "404": {"description": "What the path names can be no deployment.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            "422": {"description": "The Idempotency-Key came before with another body.", "content": SENTENCE},
            **REFUSALS,
        },
    }


@cache
def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gumshoe",
            "version": "1",
            "description": (
                "Register deploys, manual changes, incidents and metrics, and read what is live where. "
                "Compatible with the APIs of Sleuth and Sweetr."
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
            **{
                path: {"post": register_manual_deploy(f"register_manual_deploy{'_' * number}")}
                for number, path in enumerate(REGISTER_MANUAL_PATHS)
            },
            **impact_paths(),
            SWEETR_PATH: {"post": openapi_sweetr.register_deployment()},
            **HISTORY_PATHS,
            **GRAPHQL_PATHS,
            **READING_PATHS,
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
                **{name: schema for published in SCHEMAS for name, schema in schemas_of(published).items()},
                "manual_change": MANUAL_CHANGE_SCHEMA,
                **DRY_RUN_SCHEMAS,
                "sweetr_error": openapi_sweetr.ERROR_SCHEMA,
                **GRAPHQL_SCHEMAS,
                **READING_SCHEMAS,
            },
        },
    }
