"""What dry runs answer, in the OpenAPI document."""

from typing import Any

from deployments.api.dry_run import NO, YES
from deployments.openapi.parts import MOMENT, NULLABLE_TEXT, TEXT, TEXTS, WHOLE_NUMBER, record
from deployments.registration.representation import ChangeType

DRY_RUN_PARAMETER = {
    "name": "dry_run",
    "in": "query",
    "description": (
        "1, or the bare name, makes all checks, stores nothing and answers with what would have happened, which may "
        "be a refusal. What stands here is stronger than a dry_run in the body."
    ),
    "allowEmptyValue": True,
    "schema": {"enum": [*YES, *NO]},
}
WOULD_ANSWER: dict[str, Any] = {
    "type": "object",
    "description": "What the call itself would be answered.",
    "required": ["status", "text"],
    "properties": {
        "status": {"type": "integer"},
        "text": {"type": "string", "description": "The body of the answer."},
        "retry_after": {"type": "integer", "description": "Seconds to wait, where the status is 429."},
    },
    "additionalProperties": False,
}

DEPLOY_IN_SHORT: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        "id": {"type": "integer"},
        "url": {"type": "string"},
        "sha": {"type": "string"},
        "version": NULLABLE_TEXT,
        "deployed_at": MOMENT,
    },
}

DRY_RUN_OF_DEPLOY: dict[str, Any] = {
    "title": "Dry run of a deploy",
    "description": "What a call would have done. Nothing of it is stored.",
    "type": "object",
    "required": ["dry_run", "result", "would_answer", "organization", "project", "deployment", "environment"],
    "properties": {
        "dry_run": {"const": True},
        "result": {
            "enum": ["deploy", "rollback", "duplicate", "refused", "ignored"],
            "description": (
                "duplicate: this deploy is there already, as duplicate_of, which the other members tell of. "
                "refused: the branch does not match; the other members tell what would be if it did. "
                "ignored: the notification registers nothing, and the members behind environment are missing."
            ),
        },
        "would_answer": WOULD_ANSWER,
        "organization": {"type": "string"},
        "project": {"type": "string"},
        "deployment": {"type": "string"},
        "environment": {
            **NULLABLE_TEXT,
            "description": "null where a notification that registers nothing names none of the project's.",
        },
        "sha": {"type": "string"},
        "version": NULLABLE_TEXT,
        "deployed_at": MOMENT,
        "change_type": {
            "enum": ChangeType.values,
            "description": "Against the deploy before it; no_change: it has the same sha.",
        },
        "live": {"type": "boolean", "description": "Whether it would be live; false where its date is an earlier one."},
        "tags": {"type": "array", "items": {"type": "string"}},
        "branch": {
            "type": "object",
            "description": "mapping is what the environment takes: a branch, the beginning of one and *, or * for any.",
            "properties": {"sent": NULLABLE_TEXT, "mapping": {"type": "string"}, "matches": {"type": "boolean"}},
        },
        "duplicate_of": DEPLOY_IN_SHORT,
        "rollback": {"type": "boolean", "description": "Whether it would be one, of restores and rolls_back."},
        "restores": DEPLOY_IN_SHORT,
        "rolls_back": {
            "type": "array",
            "description": "What a rollback would undo, the newest 100.",
            "items": DEPLOY_IN_SHORT,
        },
        "would_create": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "kind": {"enum": ["project", "environment", "deployment"]},
                    "slug": {"type": "string"},
                    "name": {"type": "string"},
                },
            },
        },
    },
}


def dry_run(title: str, properties: dict[str, Any], *results: str) -> dict[str, Any]:
    places = dict.fromkeys(("organization", "project", "environment"), TEXT)
    description = "What a call would have done. Nothing of it is stored."
    about = {"dry_run": {"const": True}, "result": {"enum": results}, "would_answer": WOULD_ANSWER}
    return record(title, description, about | places | properties)


DRY_RUN_SCHEMAS = {
    "dry_run": DRY_RUN_OF_DEPLOY,
    "dry_run_of_manual_change": dry_run(
        "Dry run of a manual change",
        {
            "name": TEXT,
            "description": NULLABLE_TEXT,
            "changed_at": MOMENT,
            "author": NULLABLE_TEXT,
            "email": NULLABLE_TEXT,
            "tags": TEXTS,
            "links": {"type": "object", "additionalProperties": TEXT},
        },
        "manual_change",
    ),
    "dry_run_of_metric_value": dry_run(
        "Dry run of a metric's value",
        {"impact_source": TEXT, "value": {"type": "number"}, "measured_at": MOMENT},
        "metric_value",
        "refused",
    ),
    "dry_run_of_incident_event": dry_run(
        "Dry run of an incident's event",
        {
            "impact_source": TEXT,
            "type": {"enum": ["triggered", "resolved", "reopened"]},
            "id": NULLABLE_TEXT,
            "occurred_at": MOMENT,
            "open_incidents": {**WHOLE_NUMBER, "description": "How many the source would have open after it."},
        },
        "incident_event",
    ),
    "dry_run_of_import": dry_run(
        "Dry run of an import",
        {
            "deployment": TEXT,
            "deploys": {**WHOLE_NUMBER, "description": "How many would be stored."},
            "duplicates": {**WHOLE_NUMBER, "description": "How many rows would be left out."},
            "replaced": {**WHOLE_NUMBER, "description": "How many deploys would make way."},
            "rollbacks": {**WHOLE_NUMBER, "description": "How many of the deploys would be rollbacks."},
        },
        "import",
    ),
}
