import zlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError
from rest_framework.exceptions import NotAuthenticated
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from deployments.api.body import ANY_FIELDS, ExpectedBody, keys_in_json, read_fields, read_query, with_query
from deployments.errors import BodyTooLarge, UnknownEncoding, UnreadableBody
from orgs.text import digest
from tokens.authentication import NO_TOKEN, UNKNOWN_SECRET, AccessTokenAuthentication, TokenAllows, TokenRejected
from tokens.scopes import Scope
from tokens.statements import TokenRow, find_token
from tokens.throttling import TokenThrottle

# Of a body that may hold the token somewhere, and is read to find it.
MAX_BYTES_OF_STRANGERS = 64 * 1024
ENDED_EARLY = "The body ended early: send it again."


class FieldsParser(BaseParser):
    """``request.data`` is the fields of the body, whatever its encoding and its label."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        request: HttpRequest = parser_context["request"]._request  # noqa: SLF001 - DRF has no public name for it
        expected: ExpectedBody = parser_context["view"].expected
        content_type = request.META.get("CONTENT_TYPE", "")
        body = read_body(request, expected)
        # DRF sets the user when it knows the caller; until then it looks for the token in the body.
        if len(body) > MAX_BYTES_OF_STRANGERS and not hasattr(parser_context["request"], "_user"):
            check_token_of_body(body, content_type)
        return read_fields(body, content_type, expected)


def check_token_of_body(body: bytes, content_type: str) -> None:
    """Raises NotAuthenticated and TokenRejected, before a large body of a stranger is read at all."""
    keys = keys_in_json(body, content_type)
    if keys is None:
        return
    if not keys:
        raise NotAuthenticated(NO_TOKEN)
    if not any(find_token(digest(key.strip())) for key in keys):
        raise TokenRejected(UNKNOWN_SECRET)


def read_body(request: HttpRequest, expected: ExpectedBody) -> bytes:
    """Raises BodyTooLarge and UnreadableBody."""
    encoding = encoding_of(request)
    # DRF does not ask for the body if the length is not a number.
    if int(request.META["CONTENT_LENGTH"]) > settings.MAX_BODY_BYTES:
        raise BodyTooLarge(f"The body is larger than {settings.MAX_BODY_BYTES} bytes: {expected.fewer}.")
    try:
        body = request.body
    except UnreadablePostError:
        raise UnreadableBody(ENDED_EARLY) from None
    return unzip(body, expected) if encoding == "gzip" else body


def encoding_of(request: HttpRequest) -> str:
    """Raises UnknownEncoding."""
    encoding: str = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in ("", "identity"):
        return ""
    if encoding in ("gzip", "x-gzip"):
        return "gzip"
    raise UnknownEncoding(
        f"The Content-Encoding {encoding[:20]!r} is not supported: send the body uncompressed, or as gzip."
    )


def unzip(body: bytes, expected: ExpectedBody) -> bytes:
    """Never more than MAX_BODY_BYTES of it are in memory."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        data = stream.decompress(body, settings.MAX_BODY_BYTES + 1)
    except zlib.error:
        raise UnreadableBody("The body is not gzip, as its Content-Encoding says: send it uncompressed.") from None
    if len(data) > settings.MAX_BODY_BYTES:
        raise BodyTooLarge(
            f"The body is larger than {settings.MAX_BODY_BYTES} bytes when it is unpacked: {expected.fewer}."
        )
    if not stream.eof or stream.unused_data:
        raise UnreadableBody("The gzip of the body has no end, or something behind it: send it again.")
    return data


class NoNegotiation(BaseContentNegotiation):
    """There is one parser and one form of answer, whatever the Accept header says.

    One of Sleuth's clients accepts JSON, but compares the body with ``Success``.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(APIView):
    parser_classes: Sequence[type[BaseParser]] = (FieldsParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = NoNegotiation
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own
    expected = ANY_FIELDS


class TokenView(ApiView):
    """An endpoint for access tokens. DRF checks in Sleuth's order: token and organization (401),
    scope (403), rate limit (429), and then the method is called."""

    authentication_classes = (AccessTokenAuthentication,)
    permission_classes: Sequence[type[BasePermission]] = (TokenAllows,)
    throttle_classes: Sequence[type[BaseThrottle]] = (TokenThrottle,)
    required_scope: Scope
    # The text of every 401 of an endpoint that has its own.
    unauthorized_text = ""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Django reads the query string in the charset of the body, which may not be text at all. The public setter
        # would read it now, when an exception would not become an answer.
        request._encoding = "utf-8"  # type: ignore[attr-defined]  # noqa: SLF001
        return super().initialize_request(request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        # The caller may send its body. One that waits to hear so has sent nothing yet: then this makes the web server
        # ask for the body, and call again with it.
        request.META["wsgi.input"].read(0)
        super().check_throttles(request)

    @property
    def token(self) -> TokenRow:
        token: TokenRow = self.request.auth  # type: ignore[assignment]  # the stubs know only DRF's own tokens
        return token

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the call. Those of the body take precedence over the query string."""
        body: dict[str, Any] = self.request.data  # type: ignore[assignment]  # FieldsParser gives an object
        return with_query(self.query, body)

    @cached_property
    def query(self) -> dict[str, Any]:
        return read_query(self.request.META.get("QUERY_STRING", ""))
