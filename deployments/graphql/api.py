"""A GraphQL request as fields, in each form that https://graphql.github.io/graphql-over-http names, and more.

The Sleuth CLI sends GET with a JSON body.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.request import Request

from deployments.api.body import ExpectedBody, decode
from deployments.api.views import FieldsParser, TokenView, read_body
from deployments.errors import BodyTooLarge, InvalidField

MAX_QUERY_LENGTH = 20_000
MAX_BODY_BYTES = 200_000
NO_VARIABLES = "variables must be an object, as JSON."


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphqlCall:
    query: str
    variables: dict[str, Any]
    operation_name: str | None


def read_call(fields: dict[str, Any]) -> GraphqlCall:
    """Raises InvalidField."""
    query, operation_name = fields.get("query"), fields.get("operationName") or None
    if not isinstance(query, str) or not query.strip():
        raise InvalidField('query is required: send {"query": "…"} as JSON.')
    if len(query) > MAX_QUERY_LENGTH:
        raise InvalidField(f"query is {len(query)} characters long: at most {MAX_QUERY_LENGTH} are accepted.")
    if operation_name is not None and not isinstance(operation_name, str):
        raise InvalidField("operationName must be text.")
    return GraphqlCall(query=query, variables=read_variables(fields.get("variables")), operation_name=operation_name)


def read_variables(value: Any) -> dict[str, Any]:
    """An object; in a query string or a form its JSON."""
    try:
        value = json.loads(value) if isinstance(value, str) and value else value
    except (ValueError, RecursionError):
        raise InvalidField(NO_VARIABLES) from None
    if value and not isinstance(value, dict):
        raise InvalidField(NO_VARIABLES)
    return value or {}


class QueryParser(FieldsParser):
    """Takes a body that is labelled application/graphql for the query itself."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        request: HttpRequest = parser_context["request"]._request  # noqa: SLF001 - DRF has no public name for it
        if int(request.META["CONTENT_LENGTH"]) > MAX_BODY_BYTES:
            raise BodyTooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes: ask for less at once.")
        if request.content_type == "application/graphql":
            charset = (request.content_params or {}).get("charset")
            return {"query": decode(read_body(request, parser_context["view"].expected), charset)}
        return super().parse(stream, media_type, parser_context)


class GraphqlView(TokenView):
    """Every token may ask; each field says which scope it needs.

    A 401 is text, which the Sleuth CLI prints. Every other answer is JSON.
    """

    parser_classes = (QueryParser,)
    permission_classes = ()
    expected = ExpectedBody("query")

    def get(self, request: Request) -> HttpResponse:
        return self.answer(may_write=False)

    def post(self, request: Request) -> HttpResponse:
        return self.answer(may_write=True)

    def answer(self, *, may_write: bool) -> HttpResponse:
        call = read_call(self.fields)
        # Here, because a web worker that only registers can do without its 10 MB.
        from deployments.graphql.execution import execute
        from deployments.graphql.schema import Caller

        caller = Caller(token=self.token, address=self.request.META.get("REMOTE_ADDR", ""))
        status, body = execute(call, caller, may_write=may_write)
        return JsonResponse(body, status=status, json_dumps_params={"separators": (",", ":")})

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if response.status_code == 401:
            return response
        answer = JsonResponse({"errors": [{"message": response.content.decode()}]}, status=response.status_code)
        if "Retry-After" in response.headers:
            answer["Retry-After"] = response["Retry-After"]
        return answer
