"""The published JSON Schemas. The file that is served is the file that is executed."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from deployments.errors import InvalidField

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
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load_schema(name))


@dataclass(frozen=True, slots=True)
class Violation:
    """``value`` at ``path`` breaks the rule ``keyword`` of ``schema``. With ``in_name`` it is the name of a member."""

    path: str
    keyword: str
    rule: Any
    schema: dict[str, Any]
    value: Any
    in_name: bool


def violations(name: str, document: Any) -> Iterator[Violation]:
    """All rules of the schema ``name`` that ``document`` breaks. Its texts must be valid Unicode."""
    for error in validator(name).iter_errors(document):
        yield as_violation(name, error)


def check_fields(name: str, fields: dict[str, Any]) -> None:
    """Raises InvalidField for the first rule of the schema ``name`` that ``fields`` break."""
    try:
        validator(name).validate(fields)
    except ValidationError as error:
        raise InvalidField(sentence(as_violation(name, error))) from None


def as_violation(name: str, error: ValidationError) -> Violation:
    # Untyped: the kinds of error have their facts under different names.
    kind: Any = error.kind
    path = dotted(error.instance_path)
    schema: Any = load_schema(name)
    for step in error.schema_path[:-1]:
        schema = schema[step]
    in_name = kind.name == "propertyNames"
    if in_name:
        # The rule broken is one of the name's.
        error = kind.error
        kind = error.kind
    rule = [kind.property] if kind.name == "required" else schema[kind.name]
    return Violation(path, kind.name, rule, schema, error.instance, in_name)


def dotted(steps: Iterable[str | int]) -> str:
    """The path of a value, such as ``commits[3].date``."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step[:100]}" if path else step[:100]
    return path


def sentence(violation: Violation) -> str:
    """What is wrong, in one sentence that says what to change. Values are never repeated: one may be a token."""
    field, rule = violation.path, violation.rule
    if violation.keyword == "required":
        return f"{f'{field}.' if field else ''}{rule[0]} is required."
    field = field or "The body"
    if violation.in_name:
        field = f"A name in {field}"
    if violation.keyword == "pattern":
        return f"{field} {violation.schema['errorMessage']}."
    if violation.keyword == "type":
        return f"{field} must be {type_words(expected_types(violation.schema))}."
    return SENTENCES[violation.keyword](field, rule, violation.value)


def expected_types(schema: dict[str, Any]) -> list[str]:
    """Those to tell people: null only says that a field is left out, and so does text that has to be empty. Text that
    stands for a boolean goes without saying."""
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
