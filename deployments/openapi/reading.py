"""The read API in the OpenAPI document."""

from typing import Any

from deployments.openapi.parts import (
    ORGANIZATION,
    REFUSALS,
    SENTENCE,
    list_of,
    path_parameter,
    query_parameter,
    reference,
)

DEPLOY_ID = {
    "name": "deploy_id",
    "in": "path",
    "required": True,
    "description": "The deploy's id.",
    "schema": {"type": "integer", "minimum": 0},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier answer: 304 where nothing has changed since.",
    "schema": {"type": "string"},
}
ETAG = {"ETag": {"description": "Names this very answer.", "schema": {"type": "string"}}}
LINK = {"Link": {"description": 'The next page, with rel="next"; none on the last one.', "schema": {"type": "string"}}}
NOTHING = {"description": "There is no such thing, or not for this token.", "content": SENTENCE}
CURSOR = query_parameter("cursor", "Where the page begins: follow the Link header.")
LIMIT = query_parameter(
    "limit",
    "How many rows a page has. Default: 50 of what is in the order of time, else 100.",
    {"type": "integer", "minimum": 1, "maximum": 100},
)
PROJECT = query_parameter("project", "A project's slug or name.")

ENVIRONMENT = query_parameter("environment", "An environment's slug or name, in any project.")
SINCE = query_parameter("since", "A day by the organization's clock, or a moment in ISO 8601: not before.")
UNTIL = query_parameter("until", "A day, which is included, or a moment, which is not: not after.")
TAG = query_parameter("tag", "A tag, with or without its #.")

DEPLOYMENT_FILTER = query_parameter("deployment", "A deployment's slug or name.")
SHA = query_parameter("sha", "How the sha begins: four characters or more.")
VERSION = query_parameter("version", "How the version begins.")

DEPLOY_FILTERS = (
    PROJECT,
    DEPLOYMENT_FILTER,
    ENVIRONMENT,
    query_parameter("kind", "Only these.", {"enum": ["deploy", "rollback", "rolled_back"]}),
    SINCE,
    UNTIL,
    query_parameter("author", "Part of a name or an e-mail address."),
    TAG,
    SHA,
    VERSION,
    query_parameter("q", "Part of a title or of a commit's message."),
)
MANUAL_CHANGE_FILTERS = (
    PROJECT,
    ENVIRONMENT,
    SINCE,
    UNTIL,
    query_parameter("author", "Part of an e-mail address."),
    TAG,
    query_parameter("q", "Part of a name or of a description."),
)
INCIDENT_FILTERS = (
    PROJECT,
    ENVIRONMENT,
    query_parameter("source", "A custom incident impact source's slug or name, in any environment."),
    query_parameter("state", "Only these: an open one has no end.", {"enum": ["open", "closed"]}),
    SINCE,
    UNTIL,
)


def reading(
    operation_id: str,
    summary: str,
    schema: dict[str, Any],
    *parameters: dict[str, Any],
    description: str = "",
    answers: dict[str, Any] | None = None,
    headers: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A GET; ``answers`` are those besides what every GET answers."""
    return {
        "get": {
            "operationId": operation_id,
            "summary": summary,
            **({"description": description} if description else {}),
            "tags": ["Reading"],
            "parameters": [*parameters, IF_NONE_MATCH],
            "responses": {
                "200": {
                    "description": schema.get("description", "As the schema says."),
                    "headers": {**ETAG, **(headers or {})},
                    "content": {"application/json": {"schema": schema}},
                },
                "304": {"description": "If-None-Match names what would be answered.", "headers": ETAG},
                "400": {"description": "Something to change in the query string.", "content": SENTENCE},
                **(answers or {}),
                **REFUSALS,
            },
        }
    }


def listing(operation_id: str, summary: str, item: str, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A list in pages of the schema ``item``."""
    schema = {**list_of(reference(item)), "description": "A page of the list."}
    return reading(operation_id, summary, schema, *parameters, LIMIT, CURSOR, headers=LINK, **more)


READ_LIVE = {
    "operationId": "read_live",
    "summary": "What is live where",
    "description": "Every deployment of the organization with what is live in each of its environments.",
    "tags": ["Reading"],
    "parameters": [
        ORGANIZATION,
        query_parameter("format", "csv gets a row for each deployment and environment.", {"enum": ["json", "csv"]}),
        IF_NONE_MATCH,
    ],
    "responses": {
        "200": {
            "description": "Projects with their deployments and environments.",
            "headers": ETAG,
            "content": {
                "application/json": {"schema": reference("live")},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        "304": {"description": "Nothing has changed since the answer of If-None-Match but ages.", "headers": ETAG},
        "400": {"description": "The format is not known.", "content": SENTENCE},
        **REFUSALS,
    },
}


def read_schema(name: str, of: str) -> dict[str, Any]:
    return {
        "operationId": f"read_schema_of_{name}",
        "summary": f"The schema of {of}",
        "description": "The JSON Schema that calls are checked by.",
        "tags": ["Reading"],
        "security": [],
        "responses": {"200": {"description": "A JSON Schema.", "content": {"application/schema+json": {}}}},
    }


ONE = "/api/1/organizations/{organization}"
DEPLOY = f"{ONE}/deploys/{{deploy_id}}"

READING_PATHS: dict[str, dict[str, Any]] = {
    f"{ONE}/live": {"get": READ_LIVE},
    f"{ONE}/deploys": listing(
        "list_deploys",
        "List deploys",
        "listed_deploy",
        ORGANIZATION,
        *DEPLOY_FILTERS,
        description=(
            "Newest first, 50 a page. A filter that no index serves looks through some thousand deploys a page: such a "
            "page may be short or empty and yet have a next one."
        ),
    ),
    DEPLOY: reading(
        "read_deploy",
        "Read a deploy",
        {**reference("deploy"), "description": "The deploy."},
        ORGANIZATION,
        DEPLOY_ID,
        description="With the first 100 of its commits, files and pull requests; the lists below have all of them.",
        answers={"404": NOTHING},
    ),
    f"{DEPLOY}/commits": listing(
        "list_commits", "List a deploy's commits", "commit", ORGANIZATION, DEPLOY_ID, answers={"404": NOTHING}
    ),
    f"{DEPLOY}/files": listing(
        "list_files", "List a deploy's files", "changed_file", ORGANIZATION, DEPLOY_ID, answers={"404": NOTHING}
    ),
    f"{DEPLOY}/pull_requests": listing(
        "list_pull_requests",
        "List a deploy's pull requests",
        "pull_request",
        ORGANIZATION,
        DEPLOY_ID,
        answers={"404": NOTHING},
    ),
    f"{ONE}/commits/{{sha}}": reading(
        "find_commit",
        "Find a commit",
        {**reference("whereabouts"), "description": "Where the commit is, and since when."},
        ORGANIZATION,
        path_parameter("sha", "The sha, four or more of its first characters, or the name of a version."),
        description=(
            "Which environments have a commit, and since when: it was deployed itself, or came among the commits of a "
            "deploy. A rollback takes it away again."
        ),
        answers={
            "404": {"description": "No deploy that the token may see has the commit.", "content": SENTENCE},
            "409": {"description": "Several commits begin so; the sentence names some.", "content": SENTENCE},
        },
    ),
    f"{ONE}/manual-changes": listing(
        "list_manual_changes",
        "List manual changes",
        "manual_change",
        ORGANIZATION,
        *MANUAL_CHANGE_FILTERS,
        description=(
            "Newest first, 50 a page. author, tag and q look through some thousand manual changes a page: such a page "
            "may be short or empty and yet have a next one. A token that is limited to deployments sees none, since "
            "they belong to no deployment."
        ),
    ),
    f"{ONE}/manual-changes/{{change_id}}": reading(
        "read_manual_change",
        "Read a manual change",
        {**reference("manual_change"), "description": "The manual change."},
        ORGANIZATION,
        {**DEPLOY_ID, "name": "change_id", "description": "The manual change's id."},
        answers={"404": NOTHING},
    ),
    f"{ONE}/incidents": listing(
        "list_incidents",
        "List incidents",
        "incident",
        ORGANIZATION,
        *INCIDENT_FILTERS,
        description=(
            "Those that began last come first, 50 a page; since and until are about when they began. A token that is "
            "limited to deployments sees none, since they belong to no deployment."
        ),
    ),
    "/api/1/organizations": listing("list_organizations", "List organizations", "organization"),
    f"{ONE}/projects": listing("list_projects", "List projects", "project", ORGANIZATION),
    f"{ONE}/environments": listing(
        "list_environments",
        "List environments",
        "environment",
        ORGANIZATION,
        PROJECT,
        description="In the order of promotion.",
    ),
    f"{ONE}/deployments": listing("list_deployments", "List deployments", "deployment", ORGANIZATION, PROJECT),
}
