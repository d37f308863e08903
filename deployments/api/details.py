"""Fitting a call to its schema: what is too long is cut, and what else is wrong is left out.

Only calls that a schema rejects come here. The schema is walked by hand, since jsonschema-rs takes 70 microseconds for
each error that it lists, and a body may have 400,000.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from deployments.api.body import NAMING, is_absent
from deployments.api.dropped import Dropped, step
from deployments.api.schemas import branches, predicate, types_of
from deployments.api.violations import explain

# Texts for people. Half of any other text would be another one: an address, a path, a sha.
PROSE = frozenset({"message", "title", "name", "username", "author", "description"})
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that the schema rejects. ``why`` says what is wrong with ``subject``."""

    why: Callable[[], str]
    subject: str = "it"


class Fit:
    def __init__(self, root: dict[str, Any], dropped: Dropped) -> None:
        self.root = root
        self.dropped = dropped
        self.validators: dict[int, jsonschema_rs.Draft202012Validator] = {}

    def fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        known = self.root["properties"]
        kept = {}
        for name, value in fields.items():
            fitted = self.value(known[name], value, name) if name in known and name not in NAMING else value
            # The name of a manual change is required.
            if not isinstance(fitted, Misfit) or name in self.root.get("required", ()):
                kept[name] = value if isinstance(fitted, Misfit) else fitted
            else:
                self.leave_out(name, value, fitted)
        return kept

    def value(self, schema: Any, value: Any, path: str) -> Any:
        """``value`` as ``schema`` accepts it, or a Misfit."""
        if "$ref" in schema:
            schema = self.root["$defs"][schema["$ref"].rpartition("/")[2]]
        for branch in branches(schema):
            types = types_of(branch)
            if isinstance(value, dict) and "object" in types:
                return self.members(branch, value, path)
            if isinstance(value, list) and "array" in types:
                return self.items(branch, value, path)
        return self.leaf(schema, value, path)

    def members(self, schema: Any, value: dict[str, Any], path: str) -> Any:
        known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        required = schema.get("required", ())
        kept: dict[str, Any] = {}
        for name, member in value.items():
            if "propertyNames" in schema and not self.accepts(schema["propertyNames"], name):
                misfit = Misfit(self.reason(schema["propertyNames"], name), "its name")
                self.leave_out(step(path, name), member, misfit)
                continue
            fitted = self.value(known.get(name, others), member, step(path, name))
            if not isinstance(fitted, Misfit):
                kept[name] = fitted
            elif name in required:
                return Misfit(fitted.why, f"its {name}")
            else:
                self.leave_out(step(path, name), member, fitted)
        if missing := [name for name in required if name not in kept]:
            return Misfit(lambda: f"has no {missing[0]}")
        most = schema.get("maxProperties", len(kept))
        if len(kept) > most:
            self.dropped.cut_list(path, len(kept), most)
            kept = dict(list(kept.items())[:most])
        return kept

    def items(self, schema: Any, value: list[Any], path: str) -> list[Any]:
        kept = []
        for index, item in enumerate(value):
            at = f"{path}[{index}]"
            fitted = self.value(schema["items"], item, at)
            if isinstance(fitted, Misfit):
                self.leave_out(at, item, fitted)
            else:
                kept.append(fitted)
        most = schema.get("maxItems", len(kept))
        if len(kept) > most:
            self.dropped.cut_list(path, len(kept), most)
        return kept[:most]

    def leaf(self, schema: Any, value: Any, path: str) -> Any:
        if self.accepts(schema, value):
            return value
        name = path.rpartition(".")[2]
        # The author of a manual change is an e-mail address.
        if isinstance(value, str) and name in PROSE and "@" not in schema.get("pattern", ""):
            clean = CONTROL.sub(" ", value) if "pattern" in schema else value
            most = schema.get("maxLength", len(clean))
            if self.accepts(schema, clean[:most]):
                if clean != value:
                    self.dropped.add(path, "cleaned", lambda: "cleaned of control characters")
                if len(clean) > most:
                    self.dropped.cut(path, most)
                return clean[:most]
        return Misfit(self.reason(schema, value))

    def accepts(self, schema: Any, value: Any) -> bool:
        return self.validator(schema).is_valid(value)

    def validator(self, schema: Any) -> jsonschema_rs.Draft202012Validator:
        """Of a part of the root, which lives as long as this."""
        key = id(schema)
        if key not in self.validators:
            with_references = {**schema, "$defs": self.root.get("$defs", {})}
            self.validators[key] = jsonschema_rs.Draft202012Validator(with_references, mask="")
        return self.validators[key]

    def reason(self, schema: Any, value: Any) -> Callable[[], str]:
        def why() -> str:
            try:
                self.validator(schema).validate(value)
            except jsonschema_rs.ValidationError as rejection:
                return predicate(next(explain(schema, [rejection]))).replace(": ", ", ")
            raise AssertionError(value)

        return why

    def leave_out(self, path: str, value: Any, misfit: Misfit) -> None:
        # Clients that fill in a template send an empty text for what they do not know.
        if not is_absent(value):
            self.dropped.leave_out(path, lambda: f"{misfit.subject} {misfit.why()}")


def fit(root: dict[str, Any], fields: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    """``fields`` without what ``root``, the whole schema, rejects. What names the event stays as it is."""
    return Fit(root, dropped).fields(fields)
