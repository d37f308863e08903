"""What the read API answers, as JSON Schemas."""

from typing import Any

from deployments.models import Health
from deployments.openapi.parts import (
    MOMENT,
    NULLABLE_MOMENT,
    NULLABLE_TEXT,
    TEXT,
    TEXTS,
    WHOLE_NUMBER,
    list_of,
    record,
    reference,
)
from deployments.registration.representation import ChangeType

NULLABLE_NUMBER = {"type": ["integer", "null"]}
PERSON = record("Person", "Who wrote a change.", {"name": NULLABLE_TEXT, "email": NULLABLE_TEXT})

LISTED_DEPLOY: dict[str, Any] = {
    "id": WHOLE_NUMBER,
    "url": TEXT,
    "organization": TEXT,
    "project": TEXT,
    "deployment": TEXT,
    "environment": TEXT,
    "sha": TEXT,
    "version": NULLABLE_TEXT,
    "branch": NULLABLE_TEXT,
    "title": NULLABLE_TEXT,
    "deployed_at": MOMENT,
    "registered_at": MOMENT,
    "change_type": {
        "enum": ChangeType.values,
        "description": "Against the deploy before it in the environment; no_change: it has the same sha.",
    },
    "live": {"type": "boolean"},
    "health": {"enum": [*Health.values, None], "description": "Where somebody set it."},
    "health_set_by": {**NULLABLE_TEXT, "description": "The access token or the person that set it."},
    "health_set_at": NULLABLE_MOMENT,
    "restores": {**NULLABLE_NUMBER, "description": "The deploy that this rollback restored."},
    "rolled_back_by": {**NULLABLE_NUMBER, "description": "The rollback that undid this deploy."},
    "author": PERSON,
    "tags": TEXTS,
    "links": {"type": "object", "additionalProperties": TEXT},
    "first_commit_at": NULLABLE_MOMENT,
    "lead_time": NULLABLE_NUMBER,
    "commit_count": WHOLE_NUMBER,
    "file_count": WHOLE_NUMBER,
    "pull_request_count": WHOLE_NUMBER,
    "additions": WHOLE_NUMBER,
    "deletions": WHOLE_NUMBER,
}

PLACE: dict[str, Any] = {
    "project": TEXT,
    "deployment": TEXT,
    "environment": TEXT,
}
DEPLOY_LINK = record("Deploy in short", "", {"id": WHOLE_NUMBER, "url": TEXT})
STAY: dict[str, Any] = {
    **PLACE,
    "since": MOMENT,
    "deploy": {**DEPLOY_LINK, "description": "The deploy that brought it."},
    "until": {**NULLABLE_MOMENT, "description": "When a rollback took it away."},
    "rolled_back_by": {"anyOf": [DEPLOY_LINK, {"type": "null"}]},
}
# Where nothing is live, each of these is null.
LIVE_FACTS: dict[str, Any] = {
    "sha": NULLABLE_TEXT,
    "version": NULLABLE_TEXT,
    "title": NULLABLE_TEXT,
    "branch": NULLABLE_TEXT,
    "deployed_at": NULLABLE_MOMENT,
    "age": {**NULLABLE_NUMBER, "description": "Seconds."},
    "author": {"anyOf": [PERSON, {"type": "null"}]},
    "behind": {**NULLABLE_NUMBER, "description": "Deploys behind behind_environment, 100 at the most."},
    "behind_environment": NULLABLE_TEXT,
    "rolled_back": {"type": ["boolean", "null"]},
    "stale": {"type": ["boolean", "null"]},
    "deploy_id": NULLABLE_NUMBER,
    "url": NULLABLE_TEXT,
}

READING_SCHEMAS: dict[str, dict[str, Any]] = {
    "organization": record(
        "Organization",
        "The organization of the access token.",
        {"slug": TEXT, "name": TEXT, "time_zone": TEXT, "created_at": MOMENT},
    ),
    "project": record(
        "Project", "Deployments and their environments.", {"slug": TEXT, "name": TEXT, "created_at": MOMENT}
    ),
    "environment": record(
        "Environment",
        "Where deploys go; position is that in the project's promotion path.",
        {
            "project": TEXT,
            "slug": TEXT,
            "name": TEXT,
            "description": TEXT,
            "colour": TEXT,
            "position": WHOLE_NUMBER,
            "default": {"type": "boolean"},
            "created_at": MOMENT,
        },
    ),
    "deployment": record(
        "Deployment",
        "What gets deployed.",
        {
            "project": TEXT,
            "slug": TEXT,
            "name": TEXT,
            "repository": record("Repository", "", {"provider": TEXT, "url": NULLABLE_TEXT}),
            "path_includes": TEXTS,
            "path_excludes": TEXTS,
            "created_at": MOMENT,
        },
    ),
    "listed_deploy": record(
        "Deploy in a list",
        "What was deployed where and when. lead_time is in seconds, dates are in UTC.",
        LISTED_DEPLOY,
    ),
    "deploy": record(
        "Deploy",
        "What was deployed where and when, with the first 100 of each of what it brought.",
        {
            **LISTED_DEPLOY,
            "commits": list_of(reference("commit")),
            "files": list_of(reference("changed_file")),
            "pull_requests": list_of(reference("pull_request")),
        },
    ),
    "commit": record(
        "Commit",
        "A commit that a deploy brought.",
        {
            "revision": TEXT,
            "message": TEXT,
            "author": record("Author", "", {"name": NULLABLE_TEXT, "email": NULLABLE_TEXT, "username": NULLABLE_TEXT}),
            "date": NULLABLE_MOMENT,
            "files": TEXTS,
            "url": NULLABLE_TEXT,
        },
    ),
    "changed_file": record(
        "Changed file",
        "A file that a deploy changed.",
        {"path": TEXT, "additions": WHOLE_NUMBER, "deletions": WHOLE_NUMBER, "url": NULLABLE_TEXT},
    ),
    "pull_request": record(
        "Pull request",
        "A pull request that a deploy brought.",
        {
            "number": TEXT,
            "title": NULLABLE_TEXT,
            "url": NULLABLE_TEXT,
            "branch": NULLABLE_TEXT,
            "author": NULLABLE_TEXT,
            "created_at": NULLABLE_MOMENT,
            "first_review_at": NULLABLE_MOMENT,
            "merged_at": NULLABLE_MOMENT,
            "issue_keys": TEXTS,
        },
    ),
    "incident": record(
        "Incident",
        "When something failed: open while ended_at is null. external_id, title and url are those that came with its "
        "events. Dates are in UTC.",
        {
            "id": WHOLE_NUMBER,
            "organization": TEXT,
            "project": TEXT,
            "environment": TEXT,
            "source": record("Impact source in short", "", {"slug": TEXT, "name": TEXT}),
            "external_id": NULLABLE_TEXT,
            "title": NULLABLE_TEXT,
            "url": NULLABLE_TEXT,
            "started_at": MOMENT,
            "ended_at": NULLABLE_MOMENT,
        },
    ),
    "whereabouts": record(
        "Whereabouts of a commit",
        "environments have the commit now; a rollback took it away from those under rolled_back.",
        {
            "sha": TEXT,
            "environments": list_of(record("Stay", "", STAY)),
            "rolled_back": list_of(record("Ended stay", "", STAY)),
        },
    ),
    "live": record(
        "Live",
        "Projects with their deployments and environments.",
        {
            "organization": TEXT,
            "generated_at": MOMENT,
            "projects": list_of(
                record(
                    "Live in a project",
                    "",
                    {
                        "project": TEXT,
                        "name": TEXT,
                        "deployments": list_of(
                            record(
                                "Live of a deployment",
                                "",
                                {
                                    "deployment": TEXT,
                                    "name": TEXT,
                                    "environments": list_of(
                                        record(
                                            "Live in an environment",
                                            "",
                                            {"environment": TEXT, "name": TEXT, **LIVE_FACTS},
                                        )
                                    ),
                                },
                            )
                        ),
                    },
                )
            ),
        },
    ),
}
