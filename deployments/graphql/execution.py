"""Executing a query: its size is checked first, and each error becomes one sentence."""

import logging
from functools import reduce
from typing import Any, NamedTuple

from django.db import OperationalError
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
    parse,
)

from deployments.api.answers import UNFORESEEN
from deployments.errors import RegistrationError, UnknownDeployment
from deployments.graphql.api import GraphqlCall
from deployments.graphql.schema import Caller, schema
from orgs.text import printable, shortened
from tokens.authentication import UNAUTHORIZED

logger = logging.getLogger(__name__)

NO_OPERATION = "operationName must name one of the operations."
MAX_MESSAGE_LENGTH = 500
MAX_TOKENS = 2_000
# Of all operations of a document together, with fragments written out. The query that tools ask a schema by has 150
# fields. Each alias runs a resolver.
LIMITS = (("is nested {} levels deep", 20), ("asks for {} fields", 400), ("has {} aliases", 20))


# --- How much a query may ask. Checked before its validation, which takes time with the square of the fields. ---


class Size(NamedTuple):
    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def beside(self, other: "Size") -> "Size":
        return Size(max(self.depth, other.depth), self.fields + other.fields, self.aliases + other.aliases)


def check_size(document: DocumentNode) -> None:
    """Raises GraphQLError."""
    for (words, most), number in zip(LIMITS, measure(document), strict=True):
        if number > most:
            raise GraphQLError(f"The query {words.format(number)}: at most {most} are accepted.")


def measure(document: DocumentNode) -> Size:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    # Each is measured once, since fragments that spread others twice double what is asked each time.
    measured: dict[str, Size] = {}

    def of(node: Node) -> Size:
        match node:
            case FragmentSpreadNode():
                return of_fragment(node.name.value)
            case FieldNode():
                below = inside(node.selection_set)
                return Size(below.depth + 1, below.fields + 1, below.aliases + bool(node.alias))
            case InlineFragmentNode() | FragmentDefinitionNode() | OperationDefinitionNode():
                return inside(node.selection_set)
        return Size()

    def inside(selections: SelectionSetNode | None) -> Size:
        return reduce(Size.beside, map(of, selections.selections), Size()) if selections else Size()

    def of_fragment(name: str) -> Size:
        """Nothing for one that is unknown or within itself: validation rejects both."""
        if name not in measured:
            measured[name] = Size()
            measured[name] = of(fragments[name]) if name in fragments else Size()
        return measured[name]

    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return reduce(Size.beside, map(of, operations), Size())


# --- Its answer ---


def execute(call: GraphqlCall, caller: Caller, *, may_write: bool) -> tuple[int, dict[str, Any]]:
    """The status and the body: 200 with data, which is null for a field with an error; 400 for an invalid query; 405
    for a mutation unless ``may_write``. Raises OperationalError."""
    try:
        document = read_document(call.query)
        operation = get_operation_ast(document, call.operation_name)
        if operation is None:
            name = call.operation_name
            raise GraphQLError(f"There is no operation '{name}' in the query." if name else NO_OPERATION)
    except GraphQLError as error:
        return 400, {"errors": [represent_error(error)]}
    if operation.operation is not OperationType.QUERY and not may_write:
        return 405, {"errors": [{"message": "A mutation cannot be sent by GET: use POST."}]}
    result = schema.execute_sync(
        call.query, variable_values=call.variables, context_value=caller, operation_name=call.operation_name
    )
    if not result.errors:
        return 200, {"data": result.data}
    errors = [represent_error(error) for error in result.errors]
    # What is wrong with the query itself has no path.
    if any(error.path is None for error in result.errors):
        return 400, {"errors": errors}
    return 200, {"errors": errors, "data": result.data}


def read_document(query: str) -> DocumentNode:
    """Raises GraphQLError."""
    try:
        document = parse(query, max_tokens=MAX_TOKENS)
        check_size(document)
    except RecursionError:
        raise GraphQLError("The query is nested too deeply: ask for less at once.") from None
    return document


def represent_error(error: GraphQLError) -> dict[str, Any]:
    return {**error.formatted, "message": printable(shortened(sentence(error), MAX_MESSAGE_LENGTH))}


def sentence(error: GraphQLError) -> str:
    match error.original_error:
        case None | GraphQLError():
            return error.message
        case UnknownDeployment():
            return UNAUTHORIZED
        case RegistrationError() as rejection:
            return str(rejection)
        case OperationalError() as away:
            raise away
        case unforeseen:
            logger.error("A GraphQL field failed.", exc_info=unforeseen)
            return UNFORESEEN
