"""Manual changes in the OpenAPI document."""

from typing import Any

from deployments.openapi.dry_run import DRY_RUN_PARAMETER
from deployments.openapi.parts import (
    MOMENT,
    NULLABLE_TEXT,
    ORGANIZATION,
    REFUSALS,
    SENTENCE,
    TEXT,
    TEXTS,
    WHOLE_NUMBER,
    body_of,
    headers_of_calls,
    path_parameter,
    record,
    success,
)

REGISTER_MANUAL_PATHS = (
    "/api/1/deployments/{organization}/{project}/register_manual_deploy",
    "/api/1/deployments/{organization}/{project}/register-manual-deploy",
)
PROJECT = path_parameter("project", "The project's slug.")


def register_manual_deploy(operation_id: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": "Register a manual change",
        "description": (
            "A change without code, which stands on the timeline beside the deploys. A token that is limited to "
            "deployments may not register one, since it belongs to no deployment."
        ),
        "tags": ["Registering"],
        "parameters": [ORGANIZATION, PROJECT, DRY_RUN_PARAMETER, *headers_of_calls("manual change")],
        "requestBody": body_of(
            "register_manual_deploy", example={"name": "Scaled up the web tier", "environment": "production"}
        ),
        "responses": {
            "200": success(
                "The manual change is stored. Of a dry run: what the call would have done.",
                thing="manual change",
                id_header="X-Manual-Change-Id",
                schemas=("manual_change", "dry_run_of_manual_change"),
            ),
            "400": {"description": "Something to change in the call, in one sentence.", "content": SENTENCE},
            "404": {"description": "There is no such project.", "content": SENTENCE},
            "413": {"description": "The body is too large.", "content": SENTENCE},
            "422": {
                "description": "name is missing, or the Idempotency-Key came before with another body.",
                "content": SENTENCE,
            },
            **REFUSALS,
        },
    }


MANUAL_CHANGE_SCHEMA: dict[str, Any] = record(
    "Manual change",
    "What was changed where and when without code. Dates are in UTC.",
    {
        "id": WHOLE_NUMBER,
        "url": TEXT,
        "organization": TEXT,
        "project": TEXT,
        "environment": TEXT,
        "name": TEXT,
        "description": NULLABLE_TEXT,
        "changed_at": MOMENT,
        "registered_at": MOMENT,
        "author": NULLABLE_TEXT,
        "email": NULLABLE_TEXT,
        "tags": TEXTS,
        "links": {"type": "object", "additionalProperties": TEXT},
    },
)
