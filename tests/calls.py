"""Calls as they come over the wire: raw bytes under exactly the headers given."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.db import connection
from django.test import Client

from deployments.api.dates import INVALID_DATE

SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "------------------------da64ba5f586b62bf"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
# Texts that clients compare, and so no sentences of ours.
FIXED_TEXTS = (
    INVALID_DATE,
    "Deployment - Not Found",
    "Project not found",
    "Unauthorized",
    "MetricImpactSource Not Found",
    "You may only register a custom metric once every 120 seconds",
    "Bad Request - impact value must be a number",
)


class RawClient(Client):
    def request(self, **environ: Any) -> Any:
        """Without a content type of None, which stands for a call that has none."""
        return super().request(**{name: value for name, value in environ.items() if value is not None})


def call(
    path: str,
    body: bytes | str = b"",
    *,
    method: str = "POST",
    content_type: str | None = JSON,
    headers: dict[str, str] | None = None,
    **environ: Any,
) -> Any:
    data = body.encode() if isinstance(body, str) else body
    # The client demands some content type; none goes out where it is None.
    client = RawClient(enforce_csrf_checks=True)
    return client.generic(method, path, data, content_type=content_type, headers=headers, **environ)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def multipart(*parts: tuple[str, str | bytes]) -> bytes:
    """A body for MULTIPART."""
    pieces = []
    for name, value in parts:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        pieces += [head.encode(), value.encode() if isinstance(value, str) else value, b"\r\n"]
    return b"".join([*pieces, f"--{BOUNDARY}--\r\n".encode()])


def encoded(fields: dict[str, str], encoding: str) -> tuple[bytes, str]:
    """A body and its content type: ``json``, ``form`` or ``multipart``."""
    match encoding:
        case "json":
            return json.dumps(fields).encode(), JSON
        case "form":
            return urlencode(fields).encode(), FORM
        case _:
            return multipart(*fields.items()), MULTIPART


def count_rows() -> dict[str, int]:
    """How many rows each table of ours holds."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    counts = " UNION ALL ".join(f"SELECT '{table}', COUNT(*) FROM {table}" for table in tables)  # noqa: S608 - our own tables
    with connection.cursor() as cursor:
        cursor.execute(counts)
        return dict(cursor.fetchall())


def text_of(response: Any) -> str:
    """The text of an answer of the API, which is one line of plain text."""
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    text: str = response.content.decode()
    assert text.isprintable(), text
    return text


def assert_sentence(response: Any) -> str:
    """That a refusal says in one sentence what was wrong; gives the sentence."""
    text = text_of(response)
    assert text in FIXED_TEXTS or (text.endswith(".") and 10 < len(text) < 700), text
    return text
