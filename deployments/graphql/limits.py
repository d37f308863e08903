"""How much one query may ask. Checked before anything is validated, which takes time with the square of the fields."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MAX_TOKENS = 2_000
MAX_DEPTH = 20
# With fragments written out. The query that tools ask a schema by has 150.
MAX_FIELDS = 400
# Of each a resolver runs.
MAX_ALIASES = 20


@dataclass(frozen=True, slots=True)
class Size:
    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def __add__(self, other: "Size") -> "Size":
        """Of two side by side."""
        return Size(max(self.depth, other.depth), self.fields + other.fields, self.aliases + other.aliases)


def check_size(document: DocumentNode) -> None:
    """Raises GraphQLError. The limits are for all operations of a document together."""
    size = Measure(document).whole()
    for what, number, most in (
        ("is nested", size.depth, MAX_DEPTH),
        ("asks for", size.fields, MAX_FIELDS),
        ("has", size.aliases, MAX_ALIASES),
    ):
        if number > most:
            raise GraphQLError(f"The query {what} {number} {UNITS[what]}: at most {most} are accepted.")


UNITS = {"is nested": "levels deep", "asks for": "fields", "has": "aliases"}


class Measure:
    """Measures each fragment once, since fragments that spread others twice double what is asked each time."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.measured: dict[str, Size] = {}

    def whole(self) -> Size:
        operations = (node for node in self.document.definitions if isinstance(node, OperationDefinitionNode))
        return sum((self.of(operation.selection_set) for operation in operations), Size())

    def of(self, selections: SelectionSetNode | None) -> Size:
        return sum(self.parts(selections), Size()) if selections else Size()

    def parts(self, selections: SelectionSetNode) -> Iterator[Size]:
        for node in selections.selections:
            match node:
                case FieldNode():
                    below = self.of(node.selection_set)
                    yield Size(below.depth + 1, below.fields + 1, below.aliases + bool(node.alias))
                case InlineFragmentNode():
                    yield self.of(node.selection_set)
                case FragmentSpreadNode():
                    yield self.of_fragment(node.name.value)

    def of_fragment(self, name: str) -> Size:
        """Nothing for one that is unknown or within itself: validation refuses both."""
        if name not in self.measured:
            self.measured[name] = Size()
            fragment = self.fragments.get(name)
            self.measured[name] = self.of(fragment.selection_set) if fragment else Size()
        return self.measured[name]
