"""Walking through a file: its items with their paths, such as ``organizations[0].projects[1]``."""

from collections.abc import Iterator
from typing import Any


def numbered(path: str, parent: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The items of the list that the last word of ``path`` names, each with its own path."""
    for index, item in enumerate(parent.get(path.rpartition(".")[2], [])):
        yield f"{path}[{index}]", item


def name_of(item: dict[str, Any]) -> str:
    """The name of a new object: its slug, capitalised, where the file gives none."""
    return str(item.get("name") or item["slug"].replace("-", " ").replace("_", " ").capitalize())
