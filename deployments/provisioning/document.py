"""Bytes of a provisioning file → plain lists, dictionaries, texts, numbers, booleans and nulls."""

import json
from typing import Any

import yaml

from deployments.provisioning.errors import ProvisioningError

MAX_BYTES = 1_000_000
MAX_DEPTH = 20


def read_document(data: bytes) -> Any:
    """Raises ProvisioningError."""
    if len(data) > MAX_BYTES:
        raise ProvisioningError([f"The file is larger than {MAX_BYTES:,} bytes."])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProvisioningError([f"line {line}: not UTF-8."]) from None
    document = read_json(text) if text.lstrip().startswith("{") else read_yaml(text)
    if not isinstance(document, dict):
        raise ProvisioningError(["line 1: the file must have the key 'organizations' at its top."])
    return document


def read_json(text: str) -> Any:
    """JSON by its own rules, which allow tabs and pairs of surrogate escapes; a YAML flow mapping begins alike."""
    try:
        return json.loads(text, object_pairs_hook=unique_pairs)
    except RecursionError:
        raise ProvisioningError(["The file is nested too deeply."]) from None
    except ValueError:
        return read_yaml(text)


def unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ProvisioningError([f"The key '{name}' stands twice in one object."])
        members[name] = value
    return members


def read_yaml(text: str) -> Any:
    try:
        loader = Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ProvisioningError([f"line {line}: the character U+{error.character:04X} is not allowed."]) from None
    try:
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise ProvisioningError([f"line {mark.line + 1 if mark else 1}: {problem}."]) from None
    except (ValueError, OverflowError):
        raise ProvisioningError([f"line {loader.line + 1}: an escape that is no character."]) from None
    finally:
        loader.dispose()


class Loader(yaml.SafeLoader):
    """Plain data only: no aliases (a file of ten lines could stand for gigabytes), no tags, no key twice.

    Keys are always text, so that an environment may be called ``on``. Dates stay text, so that every date is checked
    in one place.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise unusable(
                "anchors (&) and aliases (*) are not allowed; put quotes around a text that begins so", event
            )
        if getattr(event, "tag", None):
            raise unusable("tags (!) are not allowed; put quotes around a text that begins so", event)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise unusable(f"nested deeper than {MAX_DEPTH} levels", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_plain_mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise unusable("a key must be text", key)
            if key.value in members:
                raise unusable(f"the key '{key.value}' stands twice in one mapping", key)
            members[key.value] = self.construct_object(value, deep=True)
        return members

    def construct_number(self, node: yaml.ScalarNode) -> float:
        # The format has no numbers: what matters is that it is one, not which.
        return 0.0


def unusable(problem: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


LEFT_AS_TEXT = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"}
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in LEFT_AS_TEXT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_constructor("tag:yaml.org,2002:map", Loader.construct_plain_mapping)
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_number)
Loader.add_constructor("tag:yaml.org,2002:float", Loader.construct_number)
