"""How much one query may ask. Checked before anything is validated, which takes time with the square of the fields."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
    parse,
)

from deployments.errors import RegistrationError, UnknownDeployment
from deployments.graphql.api import GraphqlCall
from deployments.graphql.schema import Caller, Refused, schema
from orgs.text import printable, shortened
from tokens.authentication import UNAUTHORIZED

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


# --- A query → what it gives, and a sentence for each thing it does not ---

logger = logging.getLogger(__name__)

UNFORESEEN = "Something went wrong on our side: try again, and tell the operator if it stays."
MAX_MESSAGE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]


def execute(call: GraphqlCall, caller: Caller, *, may_write: bool) -> Answer:
    """200 with data, which is null where a field gave an error; 400 for what is no query of this schema, and 405 for a
    mutation unless ``may_write``. Raises OperationalError."""
    try:
        document = read_document(call.query)
        operation = get_operation_ast(document, call.operation_name)
        if operation is None:
            raise GraphQLError(unknown_operation(call.operation_name))
    except GraphQLError as error:
        return Answer(400, {"errors": [represent_error(error)]})
    if operation.operation is not OperationType.QUERY and not may_write:
        return Answer(405, {"errors": [{"message": "A mutation cannot be sent by GET: use POST."}]})
    result = schema.execute_sync(
        call.query, variable_values=call.variables, context_value=caller, operation_name=call.operation_name
    )
    if not result.errors:
        return Answer(200, {"data": result.data})
    errors = [represent_error(error) for error in result.errors]
    # What is wrong with the query itself has no path.
    if any(error.path is None for error in result.errors):
        return Answer(400, {"errors": errors})
    return Answer(200, {"errors": errors, "data": result.data})


def read_document(query: str) -> DocumentNode:
    """Raises GraphQLError."""
    try:
        document = parse(query, max_tokens=MAX_TOKENS)
        check_size(document)
    except RecursionError:
        raise GraphQLError("The query is nested too deeply: ask for less at once.") from None
    return document


def unknown_operation(name: str | None) -> str:
    return f"There is no operation '{name}' in the query." if name else "operationName must name one of the operations."


def represent_error(error: GraphQLError) -> dict[str, Any]:
    return {**error.formatted, "message": printable(shortened(sentence(error), MAX_MESSAGE_LENGTH))}


def sentence(error: GraphQLError) -> str:
    match error.original_error:
        case None | GraphQLError():
            return error.message
        case UnknownDeployment():
            return UNAUTHORIZED
        case Refused() | RegistrationError() as refusal:
            return str(refusal)
        case OperationalError() as away:
            raise away
        case unforeseen:
            logger.error("A GraphQL field failed.", exc_info=unforeseen)
            return UNFORESEEN
