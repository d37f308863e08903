"""The published JSON Schemas. The file that is served is the file that is executed."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from deployments.registration.errors import InvalidField

SCHEMA_DIR = Path(__file__).resolve().parent.parent / "schemas"

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
def validator(name: str) -> Draft202012Validator:
    """Compiled once: to build one for each call would cost 4 ms."""
    return Draft202012Validator(load_schema(name))


def check_fields(name: str, fields: dict[str, Any]) -> None:
    """Raises InvalidField for the first rule of the schema ``name`` that ``fields`` break."""
    if error := next(validator(name).iter_errors(fields), None):
        raise InvalidField(sentence(error))


def sentence(error: ValidationError) -> str:
    """What is wrong, in one sentence that says what to change. Values are never repeated: one may be a token."""
    field = dotted(error)
    # Untyped: jsonschema's own types allow for errors that belong to no rule.
    rule: Any = error.validator_value
    schema: Any = error.schema
    value: Any = error.instance
    if error.validator == "required":
        missing = next(name for name in rule if name not in value)
        return f"{f'{field}.' if field else ''}{missing} is required."
    field = field or "The body"
    if "propertyNames" in error.absolute_schema_path:
        field = f"A name in {field}"
    if error.validator == "pattern":
        return f"{field} {schema['errorMessage']}."
    return SENTENCES[str(error.validator)](field, rule, value)


def dotted(error: ValidationError) -> str:
    """The path of the wrong value, such as ``commits[3].date``."""
    path = ""
    for step in error.absolute_path:
        path += f"[{step}]" if isinstance(step, int) else f".{str(step)[:100]}" if path else str(step)[:100]
    return path


def type_words(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else types
    return " or ".join(TYPE_WORDS[name] for name in names if name != "null")


SENTENCES: dict[str, Callable[[str, Any, Any], str]] = {
    "type": lambda field, types, value: f"{field} must be {type_words(types)}.",
    "minLength": lambda field, least, value: f"{field} must not be empty.",
    "maxLength": lambda field, most, value: f"{field} is {len(value)} characters long: at most {most} are accepted.",
    "maxItems": lambda field, most, value: f"{field} has {len(value)} items: at most {most} are accepted.",
    "maxProperties": lambda field, most, value: f"{field} has {len(value)} entries: at most {most} are accepted.",
    "minimum": lambda field, least, value: f"{field} must be at least {least}.",
    "maximum": lambda field, most, value: f"{field} must be at most {most}.",
}
