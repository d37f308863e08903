"""Answers held against the published OpenAPI document."""

import re
from functools import cache
from typing import Any

from django.test import Client
from jsonschema_rs import Draft202012Validator

from deployments.openapi.document import document, resolved
from tests.calls import bearer


def operation_of(path: str, method: str = "get") -> dict[str, Any]:
    """The operation of the document whose path fits; the longest such path, for parameters may be anything."""
    paths = document()["paths"]
    fitting = [
        template
        for template in paths
        if re.fullmatch(re.sub(r"\{sha\}", ".+", re.sub(r"\{(?!sha)\w+\}", "[^/]+", template)), path)
    ]
    found: dict[str, Any] = paths[max(fitting, key=len)][method]
    return found


def content_of(path: str, method: str, status: str) -> dict[str, Any]:
    """What the document says about the body of an answer, by media type."""
    content: dict[str, Any] = resolved(operation_of(path, method)["responses"][status]).get("content", {})
    return content


def validator_of(schema: dict[str, Any]) -> Draft202012Validator:
    """Of a schema in the document."""
    return Draft202012Validator({**schema, "components": document()["components"]})


def component(name: str) -> Draft202012Validator:
    return validator_of({"$ref": f"#/components/schemas/{name}"})


@cache
def validator_of_answer(path: str, method: str, status: str) -> Draft202012Validator:
    return validator_of(content_of(path, method, status)["application/json"]["schema"])


def assert_documented(path: str, response: Any, method: str = "get") -> None:
    """That the document has the answer's status, its media type, its headers and its form."""
    path, status = path.partition("?")[0], str(response.status_code)
    content = content_of(path, method, status)
    if not content:
        assert response.content == b""
        return
    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type in content
    if media_type == "application/json":
        errors = [error.message for error in validator_of_answer(path, method, status).iter_errors(response.json())]
        assert not errors


def read(path: str, secret: str, **headers: str) -> Any:
    """GET as the document has it."""
    response = Client().get(path, headers={**bearer(secret), **headers})
    assert_documented(path, response)
    return response
