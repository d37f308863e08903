import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import yaml
from django.core.exceptions import ValidationError


class ProvisioningError(Exception):
    """``lines`` says what is wrong with the file, one line a problem, each with its place in the file."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = [one_line(line) for line in lines]
        super().__init__("\n".join(self.lines))


def one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


class Problems:
    """Collects what is wrong, so that a person corrects the whole file at once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def add(self, path: str, sentence: str) -> None:
        self.lines.append(f"{path}: {sentence}")

    def warn(self, path: str, sentence: str) -> None:
        """Of what is applied all the same."""
        self.warnings.append(one_line(f"{path}: {sentence}"))

    def at(self, path: str, **keys: str) -> "Place":
        """A block in which a service's ValidationError becomes problems, and ends the block.

        ``keys`` are the file's words for fields that the model calls otherwise.
        """
        return Place(self, path, keys)


class Place:
    def __init__(self, problems: Problems, path: str, keys: Mapping[str, str]) -> None:
        self.problems = problems
        self.path = path
        self.keys = keys

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, ValidationError):
            return False
        fields = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        for field, sentences in fields.items():
            place = self.path if field == "__all__" else f"{self.path}.{self.keys.get(field, field)}"
            for sentence in sentences:
                self.problems.add(place, sentence)
        return True


# --- Walking through a file: its items with their paths, such as organizations[0].projects[1] ---


def numbered(path: str, parent: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The items of the list that the last word of ``path`` names, each with its own path."""
    for index, item in enumerate(parent.get(path.rpartition(".")[2], [])):
        yield f"{path}[{index}]", item


def name_of(item: dict[str, Any]) -> str:
    """The name of a new object: its slug, capitalised, where the file gives none."""
    return str(item.get("name") or item["slug"].replace("-", " ").replace("_", " ").capitalize())


# --- Bytes of a provisioning file → plain lists, dictionaries, texts, numbers, booleans and nulls ---

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
