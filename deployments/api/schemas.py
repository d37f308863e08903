"""The published JSON Schemas. The file that is served is the file that is executed."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from deployments.api.names import NAMES, PLAIN, find_nameless, nameless
from deployments.errors import InvalidField

if TYPE_CHECKING:
    from jsonschema import ValidationError

SCHEMA_DIR = Path(__file__).resolve().parent.parent / "schemas"

ABSENT = r"^\s*$"
TYPE_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "text",
}


@cache
def load_schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMA_DIR / f"{name}.json").read_text(encoding="utf-8"))
    return schema


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    # Messages would repeat the value, which may have megabytes.
    return jsonschema_rs.Draft202012Validator(load_schema(name), mask="")


def violations(name: str, document: Any) -> "Iterator[ValidationError]":
    """All rules of the schema ``name`` that ``document`` breaks. Its texts must be valid Unicode."""
    # jsonschema-rs has an error for each missing member and each bad name; jsonschema finds all of these at once.
    rejections = {(*one.instance_path, "", *one.schema_path): one for one in validator(name).iter_errors(document)}
    for rejection in rejections.values():
        yield from explained(name, rejection)


def check_fields(name: str, fields: dict[str, Any]) -> None:
    """Raises InvalidField for the first rule of the schema ``name`` that ``fields`` break, or for what should name
    something and names nothing."""
    try:
        validator(name).validate(fields)
    except jsonschema_rs.ValidationError as rejection:
        raise InvalidField(sentence(next(explained(name, rejection)))) from None
    for field, kind in NAMES.get(name, {}).items():
        text = fields.get(field)
        if text and not PLAIN.fullmatch(text) and (found := find_nameless(kind, text)):
            raise nameless(field, found)


def explained(name: str, rejection: jsonschema_rs.ValidationError) -> "Iterator[ValidationError]":
    # Imported here, so that a process that rejects nothing does not load jsonschema.
    from deployments.api.violations import explain

    return explain(load_schema(name), rejection)


def path_of(violation: "ValidationError") -> str:
    """Such as ``commits[3].date``; empty for the whole document."""
    path = ""
    for step in violation.path:
        path += f"[{step}]" if isinstance(step, int) else f".{step[:100]}" if path else step[:100]
    return path


def is_in_name(violation: "ValidationError") -> bool:
    """Whether the rule is one for the names of the members, rather than for the value itself."""
    return bool(violation.schema_path[0] == "propertyNames")


def sentence(violation: "ValidationError") -> str:
    """What is wrong, in one sentence that says what to change. Values are never repeated: one may be a token."""
    field, rule, schema = path_of(violation), violation.validator_value, violation.schema
    if violation.validator == "required":
        return f"{f'{field}.' if field else ''}{rule[0]} is required."
    field = field or "The body"
    if is_in_name(violation):
        field = f"A name in {field}"
    if violation.validator == "pattern":
        return f"{field} {schema['errorMessage']}."
    if violation.validator == "type":
        return f"{field} must be {type_words(expected_types(schema))}."
    return SENTENCES[violation.validator](field, rule, violation.instance)


def expected_types(schema: dict[str, Any]) -> list[str]:
    """The types to show to people: not null or empty text, which mean that a field is absent, nor a boolean as text."""
    types: list[str] = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    is_text_left_out = schema.get("pattern") == ABSENT or "boolean" in types
    return [name for name in types if name != "null" and not (name == "string" and is_text_left_out)]


def type_words(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else types
    return " or ".join(TYPE_WORDS[name] for name in names if name != "null")


SENTENCES: dict[str, Callable[[str, Any, Any], str]] = {
    "minLength": lambda field, least, value: f"{field} must not be empty.",
    "maxLength": lambda field, most, value: f"{field} is {len(value)} characters long: at most {most} are accepted.",
    "maxItems": lambda field, most, value: f"{field} has {len(value)} items: at most {most} are accepted.",
    "maxProperties": lambda field, most, value: f"{field} has {len(value)} entries: at most {most} are accepted.",
    "minimum": lambda field, least, value: f"{field} must be at least {least}.",
    "maximum": lambda field, most, value: f"{field} must be at most {most}.",
}
