"""What is wrong with the value that jsonschema-rs rejected, as errors of jsonschema.

jsonschema takes 70 times as long, so it never sees a whole document: it checks one value, and only against the rules
for that value itself. The first rejection imports this module; a process that only accepts saves its time and memory.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from deployments.api.schemas import types_of


def explain(schema: Any, rejections: Iterable[jsonschema_rs.ValidationError]) -> Iterator[ValidationError]:
    """The errors behind ``rejections`` by ``schema``. Their paths begin at the document."""
    found = (one for rejection in rejections for one in innermost(rejection))
    # jsonschema-rs has an error for each missing member and each bad name; jsonschema finds all of these at once.
    for one in {(*one.instance_path, "", *one.schema_path): one for one in found}.values():
        yield from explain_one(schema, one)


def innermost(rejection: jsonschema_rs.ValidationError) -> Iterator[jsonschema_rs.ValidationError]:
    """Of ``anyOf``, what the rules for values of this type reject; ``rejection`` itself if no type fits."""
    if not isinstance(rejection.kind, jsonschema_rs.ValidationErrorKind.AnyOf):
        yield rejection
        return
    for branch in rejection.kind.context:
        if not any(one.kind.name == "type" and one.instance_path == rejection.instance_path for one in branch):
            for one in branch:
                yield from innermost(one)
            return
    yield rejection


def explain_one(schema: Any, rejection: jsonschema_rs.ValidationError) -> Iterator[ValidationError]:
    *steps, keyword = rejection.schema_path
    for step in steps:
        schema = schema[step]
    if rejection.kind.name == "propertyNames":
        # The path leads past this keyword to the rules for a name.
        schema = {"propertyNames": schema}
    for error in OneValue(schema).iter_errors(without_repr(rejection.instance)):
        if error.schema_path[-1] == keyword:
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


def any_of(validator: Any, rules: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    """Of no type that is accepted: all else is explained by the rules for its type."""
    yield ValidationError("has another type", validator="type", validator_value=types_of(schema))


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
        "anyOf": any_of,
        "items": nothing,
        "pattern": pattern,
        "properties": nothing,
        "required": required,
    },
)
