"""What is wrong with the value that jsonschema-rs rejected, as errors of jsonschema.

jsonschema takes 70 times as long, so it never sees a whole document: it checks one value, and only against the rules
for that value itself. The first rejection imports this module; a process that only accepts saves its time and memory.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend


def explain(schema: Any, rejection: jsonschema_rs.ValidationError) -> Iterator[ValidationError]:
    """The errors behind ``rejection`` by ``schema``. Their paths begin at the document."""
    *steps, keyword = rejection.schema_path
    for step in steps:
        schema = schema[step]
    if rejection.kind.name == "propertyNames":
        # The path leads past this keyword to the rules for a name.
        schema = {"propertyNames": schema}
    for error in OneValue(schema).iter_errors(without_repr(rejection.instance)):
        if error.validator == keyword:
            error.path.extendleft(reversed(rejection.instance_path))
            yield error


class List(list[Any]):
    __repr__ = object.__repr__


class Object(dict[str, Any]):
    __repr__ = object.__repr__


def without_repr(value: Any) -> Any:
    """jsonschema's messages repeat the value, which takes a second for some megabytes. Nobody reads them."""
    if isinstance(value, list):
        return List(value)
    return Object(value) if isinstance(value, dict) else value


def nothing(*_: Any) -> Iterator[ValidationError]:
    """Stands for a keyword that leads to other values, or to rules that jsonschema-rs has already followed."""
    yield from ()


def additional_properties(validator: Any, rule: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if rule is False:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, rule, value, schema)


def required(validator: Any, names: list[str], value: Any, schema: Any) -> Iterator[ValidationError]:
    """With the missing name as the rule: jsonschema itself names it only in the message."""
    for name in names:
        if validator.is_type(value, "object") and name not in value:
            yield ValidationError(f"{name!r} is a required property", validator_value=[name])


def pattern(validator: Any, rule: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    """As jsonschema-rs matches it: in linear time, where Python's ``re`` may take hours, and with ``\\p{…}``."""
    if not jsonschema_rs.Draft202012Validator({"pattern": rule}).is_valid(value):
        yield ValidationError("does not match the pattern")


OneValue = extend(
    Draft202012Validator,
    {
        "$ref": nothing,
        "additionalProperties": additional_properties,
        "items": nothing,
        "pattern": pattern,
        "properties": nothing,
        "required": required,
    },
)
