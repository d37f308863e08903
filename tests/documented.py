"""Answers held against the published OpenAPI document."""

import re
from functools import cache
from typing import Any

from django.test import Client
from jsonschema_rs import Draft202012Validator

from tests.calls import bearer


@cache
def published() -> dict[str, Any]:
    document: dict[str, Any] = Client().get("/api/openapi.json").json()
    return document


def operation_of(path: str, method: str = "get") -> dict[str, Any]:
    """The operation of the document whose path fits; the longest such path, for parameters may be anything."""
    paths = published()["paths"]
    fitting = [
        template
        for template in paths
        if re.fullmatch(re.sub(r"\{sha\}", ".+", re.sub(r"\{(?!sha)\w+\}", "[^/]+", template)), path)
    ]
    found: dict[str, Any] = paths[max(fitting, key=len)][method]
    return found


@cache
def validator_of(path: str, method: str, status: str) -> Draft202012Validator:
    schema = operation_of(path, method)["responses"][status]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": published()["components"]})


def assert_documented(path: str, response: Any, method: str = "get") -> None:
    """That the document has the answer's status, its media type, its headers and its form."""
    path, status = path.partition("?")[0], str(response.status_code)
    answer = operation_of(path, method)["responses"][status]
    content = answer.get("content")
    if not content:
        assert response.content == b""
        return
    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type in content
    if media_type == "application/json":
        errors = [error.message for error in validator_of(path, method, status).iter_errors(response.json())]
        assert not errors


def read(path: str, secret: str, **headers: str) -> Any:
    """GET as the document has it."""
    response = Client().get(path, headers={**bearer(secret), **headers})
    assert_documented(path, response)
    return response
