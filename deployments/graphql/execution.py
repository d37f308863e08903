"""A query → what it gives, and a sentence for each thing it does not."""

import logging
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError
from graphql import DocumentNode, GraphQLError, OperationType, get_operation_ast, parse

from deployments.graphql.caller import Caller, Refused
from deployments.graphql.limits import MAX_TOKENS, check_size
from deployments.graphql.schema import schema
from deployments.registration.errors import RegistrationError, UnknownDeployment
from deployments.wire.graphql import GraphqlCall
from orgs.text import printable, shortened
from tokens.authentication import UNAUTHORIZED

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
