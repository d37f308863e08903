"""A provisioning file as plain data, whose objects know their path in it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.core.exceptions import ValidationError

# What the file calls fields that have other names in a model.
KEYS_OF_FIELDS = {"expires_at": "expires", "repository_url": "repository.url"}


class ProvisioningError(Exception):
    """``lines`` say what is wrong with the file: a line for each problem, with its path in the file."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = [one_line(line) for line in lines]
        super().__init__("\n".join(self.lines))


def one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


@dataclass(frozen=True, slots=True)
class Problems:
    """All that is wrong, so that a person can correct the whole file at once. A warning stops nothing."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, path: str, sentence: str) -> None:
        self.lines.append(f"{path}: {sentence}")


@dataclass(frozen=True, slots=True)
class Item:
    """An object in the file. Its path is such as organizations[0].projects[1], and empty for the file itself."""

    values: dict[str, Any]
    path: str
    problems: Problems

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def given(self, *keys: str) -> dict[str, Any]:
        """Those of the keys that the file has, with their values."""
        return {key: self.values[key] for key in keys if key in self.values}

    @property
    def name(self) -> str:
        """The name of a new object: its slug, capitalised, if the file gives none."""
        return str(self.get("name") or self["slug"].replace("-", " ").replace("_", " ").capitalize())

    def items(self, key: str) -> list["Item"]:
        """The objects in the list under this key."""
        path = f"{self.path}.{key}".lstrip(".")
        return [Item(values, f"{path}[{index}]", self.problems) for index, values in enumerate(self.get(key, []))]

    def add_problem(self, key: str, sentence: str) -> None:
        self.problems.add(f"{self.path}.{key}", sentence)

    def add_problems(self, error: ValidationError) -> None:
        """What a service found wrong with the object."""
        fields = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        for name, sentences in fields.items():
            path = self.path if name == "__all__" else f"{self.path}.{KEYS_OF_FIELDS.get(name, name)}"
            for sentence in sentences:
                self.problems.add(path, sentence)


# --- The bytes of a file become lists, dictionaries, texts, numbers, booleans and nulls ---

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
    """JSON by its own rules, which allow tabs and pairs of surrogate escapes, or a YAML mapping that begins with {."""
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
            raise ProvisioningError([f"The key '{name}' appears twice in one object."])
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
        raise ProvisioningError([f"line {loader.line + 1}: this escape is not a character."]) from None
    finally:
        loader.dispose()


SMALL_NUMBER = re.compile(r"[1-9][0-9]{0,2}")


class Loader(yaml.SafeLoader):
    """Plain data only: no aliases (ten lines could expand to gigabytes), no tags, and no key twice.

    Keys are always text, so that an environment may be called ``on``. Dates remain text, so that one place checks them.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise unusable(
                "anchors (&) and aliases (*) are not allowed; put quotes around text that begins like this", event
            )
        if getattr(event, "tag", None):
            raise unusable("tags (!) are not allowed; put quotes around text that begins like this", event)
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
                raise unusable(f"the key '{key.value}' appears twice in one mapping", key)
            members[key.value] = self.construct_object(value, deep=True)
        return members

    def construct_number(self, node: yaml.ScalarNode) -> float:
        # The format has only small whole numbers. Of others it only matters that they are numbers.
        return int(node.value) if SMALL_NUMBER.fullmatch(node.value) else 0.0


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
