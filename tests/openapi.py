"""Answers held against the published OpenAPI document."""

import re
from typing import Any

from django.test import Client
from jsonschema_rs import Draft202012Validator

from tests.calls import bearer


def operation_of(path: str, method: str = "get") -> dict[str, Any]:
    """The operation of the document whose path fits; the longest such path, for parameters may be anything."""
    document = Client().get("/api/openapi.json").json()
    fitting = [
        template
        for template in document["paths"]
        if re.fullmatch(re.sub(r"\{sha\}", ".+", re.sub(r"\{(?!sha)\w+\}", "[^/]+", template)), path.partition("?")[0])
    ]
    found: dict[str, Any] = document["paths"][max(fitting, key=len)][method]
    return found


def assert_documented(path: str, response: Any, method: str = "get") -> None:
    """That the document has the answer's status, its media type, its headers and its form."""
    answer = operation_of(path, method)["responses"][str(response.status_code)]
    content = answer.get("content")
    if not content:
        assert response.content == b""
        return
    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type in content
    if media_type == "application/json":
        components = Client().get("/api/openapi.json").json()["components"]
        schema = {**content[media_type]["schema"], "components": components}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(response.json())]
        assert not errors


def read(path: str, secret: str, **headers: str) -> Any:
    """GET as the document has it."""
    response = Client().get(path, headers={**bearer(secret), **headers})
    assert_documented(path, response)
    return response
