"""Parts of the OpenAPI document that are about importing and exporting histories."""

from typing import Any

from deployments.imports.file import MOST_LINES
from deployments.openapi.dry_run import DRY_RUN_PARAMETER
from deployments.openapi.parts import (
    DEPLOYMENT,
    ORGANIZATION,
    REFUSALS,
    SENTENCE,
    headers_of_calls,
    query_parameter,
    reference,
)
from deployments.openapi.reading import (
    DEPLOYMENT_FILTER,
    ENVIRONMENT,
    PROJECT,
    SHA,
    SINCE,
    TAG,
    UNTIL,
    VERSION,
)
from deployments.timeline.export import FORMATS

IMPORT_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["csv_file"],
    "properties": {
        "csv_file": {
            "type": "string",
            "contentMediaType": "text/csv",
            "description": (
                "UTF-8. Its first line names the columns: sha and date, and of branch, title, author, email and "
                "first_commit_at what is known; others are ignored. A cell of environment or deployment must name "
                "the one that is imported into."
            ),
        },
        "environment": {
            "type": "string",
            "description": "The environment's slug or name. Default: the project's default environment.",
        },
        "api_key": {"type": "string", "description": "The access token, where no header carries it."},
    },
}
COUNT = {"type": "integer", "minimum": 0}
IMPORTED: dict[str, Any] = {
    "description": "All rows are stored, and the deploys that were there have made way.",
    "content": {
        "text/plain": {"schema": {"const": "Success"}},
        "application/json": {
            "schema": {
                "anyOf": [
                    {
                        "type": "object",
                        "required": ["deploys", "duplicates", "replaced"],
                        "properties": {"deploys": COUNT, "duplicates": COUNT, "replaced": COUNT},
                    },
                    reference("dry_run_of_import"),
                ]
            }
        },
    },
}


EXPORT_TIMELINE_QUERY = (
    query_parameter("format", "Default: jsonl.", {"enum": list(FORMATS)}),
    PROJECT,
    DEPLOYMENT_FILTER,
    ENVIRONMENT,
    query_parameter("kind", "Only these.", {"enum": ["deploy", "rollback", "rolled_back", "manual_change"]}),
    SINCE,
    UNTIL,
    query_parameter("author", "A part of the author's name or e-mail address."),
    TAG,
    SHA,
    VERSION,
    query_parameter("q", "A part of the title, of the version, or of a commit's message."),
)

IMPORT_DEPLOYS: dict[str, Any] = {
    "operationId": "import_deploys",
    "summary": "Import a history",
    "description": (
        "A CSV file replaces the deployment's history in one environment: all of it, or nothing. Repeated rows are "
        "left out. On the deployment's pages an import can be undone for 30 days."
    ),
    "tags": ["Registering"],
    "parameters": [ORGANIZATION, DEPLOYMENT, DRY_RUN_PARAMETER, headers_of_calls("import")[-1]],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": IMPORT_BODY,
                "example": {"csv_file": "@deploys.csv", "environment": "production"},
            }
        },
    },
    "responses": {
        "200": IMPORTED,
        "400": {
            "description": "Something to change in the call or the file, in one sentence. It names every wrong line, "
            f"up to {MOST_LINES:,} of them.",
            "content": SENTENCE,
        },
        "404": {"description": "What the path names can be no deployment.", "content": SENTENCE},
        "413": {"description": "The file is too large.", "content": SENTENCE},
        **REFUSALS,
    },
}

EXPORT_TIMELINE: dict[str, Any] = {
    "operationId": "export_timeline",
    "summary": "Export a timeline",
    "description": (
        "All deploys and manual changes that the filters leave, newest first, as a stream: a JSON object or a line of "
        "CSV for each. kind says which it is; new columns come last. What is exported of one deployment in one "
        "environment can be imported again."
    ),
    "tags": ["Reading"],
    "parameters": [ORGANIZATION, *EXPORT_TIMELINE_QUERY],
    "responses": {
        "200": {
            "description": "The entries of the timeline.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "400": {"description": "A filter or the format is not known.", "content": SENTENCE},
        **REFUSALS,
    },
}

HISTORY_PATHS = {
    "/api/1/deployments/{organization}/{deployment}/import_deploys": {"post": IMPORT_DEPLOYS},
    "/api/1/organizations/{organization}/timeline": {"get": EXPORT_TIMELINE},
}
