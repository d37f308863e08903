"""The API as an OpenAPI 3.1 document: openapi.yaml, with the executed schemas in it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from deployments.api.schemas import SCHEMA_DIR

FILE = Path(__file__).with_name("openapi.yaml")
# The names of the schemas that are published at /api/1/schema/<name>.
SCHEMAS = tuple(sorted(path.stem for path in SCHEMA_DIR.glob("*.json")))


@cache
def document() -> dict[str, Any]:
    """Read at the first call: a web worker that only registers does without it."""
    # The first is eight times as fast, but not every machine has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load(FILE.read_bytes(), Loader=loader)  # noqa: S506 - both are safe
    read["servers"] = [{"url": settings.SITE_URL}]
    components = read["components"]["schemas"]
    for name, schema in list(components.items()):
        if schema.get("$ref", "").startswith("../"):
            components |= executed_schemas(name, (FILE.parent / schema["$ref"]).read_text(encoding="utf-8"))
    require_all_properties(read)
    return read


def executed_schemas(name: str, text: str) -> dict[str, Any]:
    """A published schema and its $defs as components of the document."""
    schema: dict[str, Any] = json.loads(text.replace('"#/$defs/', '"#/components/schemas/'))
    del schema["$schema"], schema["$id"]
    definitions: dict[str, Any] = schema.pop("$defs", {})
    return {name: schema} | definitions


def require_all_properties(node: Any) -> None:
    """Fills in ``required`` for objects that have no other properties than those listed."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            node.setdefault("required", list(node["properties"]))
        for child in node.values():
            require_all_properties(child)
    elif isinstance(node, list):
        for child in node:
            require_all_properties(child)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """``node``, or what its $ref names; a description beside the $ref takes precedence."""
    if "$ref" not in node:
        return node
    target: Any = document()
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return resolved(target) | {name: value for name, value in node.items() if name != "$ref"}
