"""Parts of the OpenAPI document that are about importing and exporting histories."""

from typing import Any

from deployments.wire.timeline_export import FORMATS

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
                "type": "object",
                "required": ["deploys", "duplicates", "replaced"],
                "properties": {"deploys": COUNT, "duplicates": COUNT, "replaced": COUNT},
            }
        },
    },
}


def query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema or {"type": "string"}}


EXPORT_TIMELINE_QUERY = (
    query("format", "Default: jsonl.", enum=list(FORMATS)),
    query("project", "A project's slug."),
    query("deployment", "A deployment's slug."),
    query("environment", "An environment's slug."),
    query("kind", "What stands on the timeline.", enum=["", "deploy", "rollback", "rolled_back"]),
    query("since", "From the beginning of this day in the organization's time zone.", type="string", format="date"),
    query("until", "To the end of this day.", type="string", format="date"),
    query("author", "A part of the author's name or e-mail address."),
    query("tag", "A tag, with or without #."),
    query("sha", "How the sha begins, in at least four characters."),
    query("q", "A part of the title or of a commit's message."),
)
