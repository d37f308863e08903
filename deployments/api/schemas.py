"""The published JSON Schemas. The file that is served is the file that is executed."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from deployments.api.dropped import Dropped
from deployments.api.names import NAMES, PLAIN, find_nameless, nameless
from deployments.errors import InvalidField

if TYPE_CHECKING:
    from jsonschema import ValidationError

SCHEMA_DIR = Path(__file__).resolve().parent.parent / "schemas"

# White space as orgs.text has it: libraries differ in what \s is.
ABSENT = r"^[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]*$"
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
    if rejections := list(validator(name).iter_errors(document)):
        yield from explained(name, rejections)


def fit_fields(name: str, fields: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    """``fields``, cut and without the details that the schema ``name`` rejects, so that no event is lost for them.

    What names the event is left as it is, and may still be wrong.
    """
    if validator(name).is_valid(fields):
        return fields
    # Imported here for the same reason as in ``explained``.
    from deployments.api.details import fit

    return fit(load_schema(name), fields, dropped)


def accepted_fields(name: str, fields: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    """The same, and raises InvalidField if what names the event is wrong."""
    fitted = fit_fields(name, fields, dropped)
    if fitted is not fields:
        check_rules(name, fitted)
    check_names(name, fitted)
    return fitted


def check_fields(name: str, fields: dict[str, Any]) -> None:
    """Raises InvalidField for the first rule of the schema ``name`` that ``fields`` break, or for what should name
    something and names nothing."""
    check_rules(name, fields)
    check_names(name, fields)


def check_rules(name: str, fields: dict[str, Any]) -> None:
    try:
        validator(name).validate(fields)
    except jsonschema_rs.ValidationError as rejection:
        raise InvalidField(sentence(next(explained(name, [rejection])))) from None


def check_names(name: str, fields: dict[str, Any]) -> None:
    for field, kind in NAMES.get(name, {}).items():
        text = fields.get(field)
        if text and not PLAIN.fullmatch(text) and (found := find_nameless(kind, text)):
            raise nameless(field, found)


def explained(name: str, rejections: list[jsonschema_rs.ValidationError]) -> "Iterator[ValidationError]":
    # Imported here, so that a process that rejects nothing does not load jsonschema.
    from deployments.api.violations import explain

    return explain(load_schema(name), rejections)


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
    field = path_of(violation)
    if violation.validator == "required":
        return f"{f'{field}.' if field else ''}{violation.validator_value[0]} is required."
    field = field or "The body"
    if is_in_name(violation):
        field = f"A name in {field}"
    return f"{field} {predicate(violation)}."


def predicate(violation: "ValidationError") -> str:
    """The sentence after the name of the field. No member is missing."""
    rule, schema = violation.validator_value, violation.schema
    if violation.validator == "pattern":
        return str(schema["$comment"])
    if violation.validator == "type":
        return f"must be {type_words(expected_types(schema))}"
    return PREDICATES[violation.validator](rule, violation.instance)


def branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules for values of different types. ajv accepts no list of types, except of one and null."""
    any_of: list[dict[str, Any]] = schema.get("anyOf", [schema])
    return any_of


def types_of(schema: dict[str, Any]) -> list[str]:
    types: list[str] = []
    for branch in branches(schema):
        listed = branch.get("type", [])
        types += [listed] if isinstance(listed, str) else listed
    return types


def expected_types(schema: dict[str, Any]) -> list[str]:
    """The types to show to people: not null or empty text, which mean that a field is absent, nor a boolean as text."""
    types = types_of(schema)
    is_text_left_out = "boolean" in types or any(branch.get("pattern") == ABSENT for branch in branches(schema))
    return [name for name in types if name != "null" and not (name == "string" and is_text_left_out)]


def type_words(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else types
    return " or ".join(TYPE_WORDS[name] for name in names if name != "null")


PREDICATES: dict[str, Callable[[Any, Any], str]] = {
    "minLength": lambda least, value: "must not be empty",
    "maxLength": lambda most, value: f"is {len(value)} characters long: at most {most} are accepted",
    "maxItems": lambda most, value: f"has {len(value)} items: at most {most} are accepted",
    "maxProperties": lambda most, value: f"has {len(value)} entries: at most {most} are accepted",
    "minimum": lambda least, value: f"must be at least {least}",
    "maximum": lambda most, value: f"must be at most {most}",
}
