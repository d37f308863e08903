"""GraphQL in the OpenAPI document; what it knows, it says itself by introspection."""

from typing import Any

from deployments.graphql.api import MAX_QUERY_LENGTH
from deployments.openapi.parts import REFUSALS, TEXT, WHOLE_NUMBER, query_parameter, reference

ANSWER = {"application/json": {"schema": reference("graphql_answer")}}
QUERY = {**TEXT, "description": "The query or mutation.", "minLength": 1, "maxLength": MAX_QUERY_LENGTH}

GRAPHQL_SCHEMAS: dict[str, dict[str, Any]] = {
    "graphql_call": {
        "title": "GraphQL call",
        "type": "object",
        "properties": {
            "query": QUERY,
            "variables": {"type": ["object", "null"], "description": "Values of the query's variables."},
            "operationName": {"type": ["string", "null"], "description": "Which of several operations."},
        },
        "required": ["query"],
    },
    "graphql_answer": {
        "title": "GraphQL answer",
        "type": "object",
        "properties": {
            "data": {"type": ["object", "null"]},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "message": {**TEXT, "description": "One sentence."},
                        "path": {"type": "array", "items": {"type": ["string", "integer"]}},
                        "locations": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {"line": WHOLE_NUMBER, "column": WHOLE_NUMBER},
                            },
                        },
                    },
                    "required": ["message"],
                },
            },
        },
    },
}

RESPONSES: dict[str, dict[str, Any]] = {
    "200": {"description": "The data, and an error for each field that could not be answered.", "content": ANSWER},
    "400": {"description": "What was sent is no query, or asks for too much.", "content": ANSWER},
    "401": {"description": "The access token is missing or not valid.", "content": REFUSALS["401"]["content"]},
    "413": {"description": "The body is too large.", "content": ANSWER},
    "429": {**REFUSALS["429"], "content": ANSWER},
    "503": {**REFUSALS["503"], "content": ANSWER},
}
DESCRIPTION = "What the Sleuth CLI asks: what is live, and setting the health of a deploy. It describes itself."

GRAPHQL_PATHS: dict[str, dict[str, Any]] = {
    "/graphql": {
        "post": {
            "operationId": "graphql",
            "summary": "GraphQL",
            "description": DESCRIPTION,
            "tags": ["GraphQL"],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": reference("graphql_call")},
                    "application/graphql": {"schema": QUERY},
                },
            },
            "responses": RESPONSES,
        },
        "get": {
            "operationId": "graphql_by_get",
            "summary": "GraphQL by GET",
            "description": "The same for queries, which may also stand in a JSON body.",
            "tags": ["GraphQL"],
            "parameters": [
                {**query_parameter("query", "The query.", QUERY), "required": True},
                query_parameter("variables", "Values of the query's variables, as JSON."),
                query_parameter("operationName", "Which of several operations."),
            ],
            "responses": {**RESPONSES, "405": {"description": "A mutation must be posted.", "content": ANSWER}},
        },
    }
}
