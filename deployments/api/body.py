"""Bytes of a request → its fields, in every encoding that clients send."""

import codecs
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from itertools import islice
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict

from deployments.api.dropped import Dropped, tell_differences
from deployments.api.pairs import WITHOUT_CHARSET, fields_of, read_pairs
from deployments.errors import UnreadableBody, UnusableNumber
from orgs.text import WHITE_SPACE, problem_in_json, shortened, storable_json
from tokens.secrets import without_secrets

# Tiny values take up to a hundred times their size in memory. The schema admits 80,000 lists and objects in all, and
# 16 MB of real shas and paths have 400,000 commas; some more of both stand in messages.
MAX_JSON_BRACKETS = 150_000
MAX_JSON_COMMAS = 1_000_000
# Names that differ take a processor three seconds for a million. 16 MB of real commits have 400,000.
MAX_JSON_NAMES = 600_000
# What names a deploy, a change or an incident, how it ended and when, in all formats. It is taken as it was sent or not
# at all; everything else is a detail, which may be cut or left out.
NAMING = frozenset(
    {
        *("sha", "environment", "branch", "date"),
        # Whether it succeeded.
        *("status", "state", "result", "phase", "conclusion", "success"),
        # Sweetr's.
        *("commitHash", "app", "version", "deployedAt"),
        # Terraform's.
        "notifications",
        # Of incidents and metrics.
        *("type", "id", "ended_date", "value"),
    }
)
# Of a body whose sender is not known yet.
API_KEY = re.compile(r'"api_key"\s*:\s*"([^"\\]{1,200})"')
MAX_KEYS_TRIED = 3
MAX_DIGITS = len(str(-(2**63)))
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
UNENDED = "The multipart body does not end with the boundary that its Content-Type names: send it as curl -F does."
# Python knows more: some are not text, and some take quadratic time to decode.
CHARSETS = {
    "ascii": "utf-8-sig",
    # JSON has no byte-order mark, but files of Windows PowerShell begin with one.
    "utf-8": "utf-8-sig",
    "utf-8-sig": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "iso8859-1": "iso8859-1",
    "iso8859-15": "iso8859-15",
    "cp1252": "cp1252",
}
# What to do about an error of Python's json, by the beginning of its message.
JSON_ADVICE = {
    "Expecting value": "write a value there, and text in double quotes",
    "Expecting property name": "put names in double quotes, and no comma behind the last member",
    "Illegal trailing comma": "put no comma behind the last one",
    "Expecting ':'": "put a colon between a name and its value",
    "Expecting ','": "put a comma between members, and a backslash before a double quote within text",
    "Unterminated string": "end the text with a double quote",
    "Extra data": "send one object and nothing behind it",
    "Invalid control character": "write a line break within text as \\n, a tab as \\t",
    "Invalid \\": "write a backslash within text as two",
}


@dataclass(frozen=True, slots=True)
class ExpectedBody:
    """For an endpoint's error messages: a ``field`` to send, and the ``parts`` that make a body long."""

    field: str = "api_key"
    parts: str = ""

    @property
    def fewer(self) -> str:
        return f"send fewer {self.parts}" if self.parts else "send less"


ANY_FIELDS = ExpectedBody()


def read_fields(body: bytes, content_type: str, expected: ExpectedBody = ANY_FIELDS) -> dict[str, Any]:
    """Raises UnreadableBody. A form field that comes several times is the list of its values."""
    label = label_of(content_type)
    media_type = label.get_content_type() if content_type else ""
    if media_type == MULTIPART:
        return read_multipart(body, label.get_boundary() or "")
    charset = label.get_content_charset()
    text = decode(body, charset)
    return read_text(text, media_type, expected, is_utf_8=charset is not None)


def label_of(content_type: str) -> Message:
    label = Message()
    label["Content-Type"] = content_type
    return label


def decode(body: bytes, charset: str | None) -> str:
    """``charset`` is the one that the label names. Raises UnreadableBody."""
    name = charset or charset_without_label(body)
    try:
        return body.decode(CHARSETS[codecs.lookup(name).name])
    except (LookupError, ValueError):
        name = charset or "utf-8"
        raise UnreadableBody(f"The body is not text in {name[:40]!r}: send it as UTF-8.") from None


def charset_without_label(body: bytes) -> str:
    """Of a body that may be cut. Windows PowerShell and Jenkins' httpRequest send Latin-1 without a label."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return WITHOUT_CHARSET
    return "utf-8"


def charset_of(content_type: str, body: bytes = b"") -> str | None:
    """Python's name of the charset that ``body`` with this label is decoded by; None for one that is not read."""
    label = label_of(content_type)
    charset = None if label.get_content_type() == MULTIPART else label.get_content_charset()
    try:
        return CHARSETS.get(codecs.lookup(charset or charset_without_label(body)).name)
    except (LookupError, ValueError):
        return None


def read_text(text: str, media_type: str, expected: ExpectedBody, *, is_utf_8: bool) -> dict[str, Any]:
    """JSON or form pairs: as the label says or, without a usable label, as the text looks.

    JSON comes with the label text/plain (two clients), without one (a Go client) or, from ``curl -d`` without a header,
    with that of a form, whose pairs never begin with a brace. Sleuth rejected form pairs that are labelled as JSON, and
    so do we.
    """
    looks_like_json = text.lstrip()[:1] in ("{", "[")
    is_json = media_type == "application/json" or media_type.endswith("+json")
    if looks_like_json or is_json:
        return read_json(text, expected, labelled_json=is_json)
    return read_pairs(text, "form", is_utf_8=is_utf_8)


def read_json(text: str, expected: ExpectedBody, *, labelled_json: bool) -> dict[str, Any]:
    if not text.strip():
        return {}
    if (
        text.count(",") > MAX_JSON_COMMAS
        or text.count("{") + text.count("[") > MAX_JSON_BRACKETS
        or text.count('":') > MAX_JSON_NAMES
    ):
        raise UnreadableBody(f"The body has too many values: {expected.fewer}.")
    try:
        value = json.loads(text, parse_constant=reject_number, parse_float=read_float, parse_int=read_integer)
    except RecursionError:
        raise UnreadableBody("The body is nested too deeply: send its fields as the schema shows.") from None
    except json.JSONDecodeError as error:
        if labelled_json and "=" in text and text.lstrip()[:1] not in ("{", "["):
            raise UnreadableBody(f"The body is not JSON, but form pairs: send JSON, or Content-Type: {FORM}.") from None
        raise UnreadableBody(f"The body is not JSON: {in_words(error)}.") from None
    if not isinstance(value, dict):
        raise UnreadableBody(f'The body is not a JSON object: send {{"{expected.field}": "…"}}.')
    return value


def keys_in_json(body: bytes, content_type: str) -> list[str] | None:
    """The first few api_keys of a JSON body, found without reading it, which takes long; None if it is no JSON."""
    label = label_of(content_type)
    if content_type and label.get_content_type() == MULTIPART:
        return None
    text = decode(body, label.get_content_charset())
    if text.lstrip()[:1] not in ("{", "["):
        return None
    return [match[1] for match in islice(API_KEY.finditer(text), MAX_KEYS_TRIED)]


def in_words(error: json.JSONDecodeError) -> str:
    advice = next((f": {text}" for start, text in JSON_ADVICE.items() if error.msg.startswith(start)), "")
    return f"{error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}{advice}"


def reject_number(text: str) -> float:
    raise UnusableNumber(
        f"The body is not JSON: {shortened(text, 20)} is no finite number: send one, or null for none."
    )


def read_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else reject_number(text)


def read_integer(text: str) -> int:
    # Python rejects thousands of digits, which take quadratic time.
    if len(text) > MAX_DIGITS or not -(2**63) <= (number := int(text)) < 2**63:
        raise UnusableNumber(f"The body has the number {shortened(text, MAX_DIGITS)}: send numbers up to 64 bits.")
    return number


def read_query(query_string: str) -> dict[str, Any]:
    """``query_string`` as WSGI gives it: bytes decoded as Latin-1. Raises UnreadableBody."""
    try:
        text = query_string.encode("latin-1").decode()
    except UnicodeError:
        raise UnreadableBody("The query string is not UTF-8: percent-encode it as UTF-8.") from None
    return read_pairs(text, "query string", is_utf_8=True)


def read_multipart(body: bytes, boundary: str) -> dict[str, Any]:
    """The text parts; files are dropped."""
    # Without the end, Django's parser takes what it has for the whole: half a sha would be a sha.
    if not boundary or f"--{boundary}--".encode() not in body:
        raise UnreadableBody(UNENDED)
    meta = {"CONTENT_TYPE": f'{MULTIPART}; boundary="{boundary}"', "CONTENT_LENGTH": len(body)}
    with explaining_multipart("send JSON"):
        # Latin-1 keeps each byte. Django's parser would replace bytes that are not UTF-8.
        fields, _ = MultiPartParser(meta, BytesIO(body), [MemoryFileUploadHandler()], "latin-1").parse()
        return fields_of_parts(fields)


@contextmanager
def explaining_multipart(instead: str) -> Iterator[None]:
    """Raises UnreadableBody for what Django's parser raises. ``instead`` says what to do about too many parts."""
    try:
        yield
    except SuspiciousOperation:
        raise UnreadableBody(f"The multipart body has too many parts: {instead}.") from None
    except UnicodeError:
        raise UnreadableBody("The multipart body is not UTF-8: send its fields as UTF-8.") from None
    except MultiPartParserError:
        raise UnreadableBody("The multipart body cannot be read: send it as curl -F does.") from None


def fields_of_parts(parts: MultiValueDict[str, str]) -> dict[str, Any]:
    return fields_of({name: [text_of_part(text) for text in texts] for name, texts in parts.lists()})


def text_of_part(text: str) -> str:
    part = text.encode("latin-1")
    try:
        return part.decode()
    except UnicodeDecodeError:
        return part.decode(WITHOUT_CHARSET)


def with_query(query: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of a call. Those of its body take precedence over the query string, in which Terraform Cloud sends its
    environment.

    Raises UnreadableBody for text that a database cannot store.
    """
    for what, part in (("query string", query), ("body", fields)):
        if problem := problem_in_json(part):
            raise UnreadableBody(f"The {what} {problem}.")
    return merged(query, fields)


def merged(query: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, **{name: value for name, value in query.items() if is_absent(fields.get(name))}}


def fields_to_store(query: Mapping[str, Any], body: Mapping[str, Any], dropped: Dropped) -> dict[str, Any]:
    """All fields of a call that registers, without secrets: a link or a message may repeat the token that the call came
    with. Raises UnreadableBody."""
    sent = merged(query, body)
    fields: dict[str, Any] = without_secrets(storable_fields(sent))
    if fields != sent:
        tell_differences(sent, fields, dropped)
    return fields


def storable_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """``fields`` with U+FFFD for what no database stores, such as the half of an emoji that a title was cut in.

    Raises UnreadableBody for such characters in what names the event.
    """
    if problem_in_json(fields) is None:
        return fields
    for name in NAMING & fields.keys():
        if problem := problem_in_json(fields[name]):
            raise UnreadableBody(f"{name} {problem}.")
    storable: dict[str, Any] = storable_json(fields)
    if problem := problem_in_json(storable):
        raise UnreadableBody(f"The body {problem}.")
    return storable


def is_absent(value: Any) -> bool:
    """The GitHub Action sends inputs that a workflow leaves out as empty strings, a Go client all its fields."""
    return value is None or (isinstance(value, str) and not value.strip(WHITE_SPACE))


def without_absent(fields: dict[str, Any]) -> dict[str, Any]:
    """Drop fields that are absent, and the white space around the others."""
    return {
        name: value.strip(WHITE_SPACE) if isinstance(value, str) else value
        for name, value in fields.items()
        if not is_absent(value)
    }
