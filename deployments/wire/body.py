"""Bytes of a request → its fields, in every encoding that clients send."""

import codecs
import json
from collections.abc import Mapping
from email.message import Message
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from deployments.registration.errors import UnreadableBody
from orgs.text import problem_in_json

MAX_FORM_FIELDS = 1000
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def read_fields(body: bytes, content_type: str) -> dict[str, Any]:
    """Raises UnreadableBody. A form field that comes several times gives the list of its values."""
    media_type, charset = parse_content_type(content_type)
    if media_type == MULTIPART:
        return read_multipart(body, content_type)
    return read_text(decode(body, charset), media_type)


def parse_content_type(content_type: str) -> tuple[str, str]:
    """The media type and the charset (UTF-8 where none is named)."""
    message = Message()
    message["Content-Type"] = content_type
    return (message.get_content_type() if content_type else ""), str(message.get_param("charset", "utf-8"))


def decode(body: bytes, charset: str) -> str:
    try:
        encoding = codecs.lookup(charset).name
        # A byte-order mark is no JSON, but Windows PowerShell's files begin with one.
        return body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except (LookupError, UnicodeError, ValueError):
        raise UnreadableBody(f"The body is not text in {charset[:40]}: send it as UTF-8.") from None


def read_text(text: str, media_type: str) -> dict[str, Any]:
    """JSON or form pairs: what the label says, and what the text looks like where the label says neither.

    JSON comes labelled text/plain (two clients), not at all (a Go client) or, from ``curl -d`` without a header, as a
    form, whose pairs never begin with a brace. Form pairs labelled as JSON were refused by Sleuth and are refused here.
    """
    looks_like_json = text.lstrip()[:1] in ("{", "[")
    is_json = media_type == "application/json" or media_type.endswith("+json")
    if looks_like_json or is_json:
        return read_json(text, labelled_json=is_json)
    return read_form(text)


def read_json(text: str, *, labelled_json: bool) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise UnreadableBody("The body is nested too deeply.") from None
    except ValueError as error:
        hint = ""
        if labelled_json and "=" in text and text.lstrip()[:1] not in ("{", "["):
            hint = f", but form pairs: send JSON, or Content-Type: {FORM}"
        elif isinstance(error, json.JSONDecodeError):
            hint = f": {error.msg} at line {error.lineno} column {error.colno}"
        else:
            hint = f": {error}"
        raise UnreadableBody(f"The body is not JSON{hint}.") from None
    if not isinstance(value, dict):
        raise UnreadableBody('The body is not a JSON object: send {"sha": "…"}.')
    return value


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def read_form(text: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text.strip(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except UnicodeDecodeError:
        raise UnreadableBody("The form is not percent-encoded UTF-8: encode it as UTF-8.") from None
    except ValueError:
        raise UnreadableBody(f"The form has more than {MAX_FORM_FIELDS} fields.") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        add_form_value(fields, name, value)
    return fields


def add_form_value(fields: dict[str, Any], name: str, value: str) -> None:
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def read_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """The text parts; files are dropped."""
    meta = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": len(body)}
    handler = MemoryFileUploadHandler()
    try:
        parsed, _ = MultiPartParser(meta, BytesIO(body), [handler], settings.DEFAULT_CHARSET).parse()
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise UnreadableBody(f"The multipart body cannot be read: {error}") from None
    return {name: values[0] if len(values) == 1 else values for name, values in parsed.lists()}


def with_query(query: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of a call: its body's over those of the query string, where Terraform Cloud names its environment.

    Raises UnreadableBody for text that a database cannot store.
    """
    merged = {**query, **fields}
    if problem := problem_in_json(merged):
        raise UnreadableBody(f"The body {problem}.")
    return merged
