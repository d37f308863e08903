import re
import uuid
from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.utils.deprecation import MiddlewareMixin

from config.api_calls import is_api_call
from config.logging import request_id
from orgs.access import acting_for
from orgs.text import ip_address_or_none
from tokens.secrets import redact

GetResponse = Callable[[HttpRequest], HttpResponseBase]

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Names each request in its log lines and in the answer's ``X-Request-Id``.

    A caller may choose the name by sending the header; what could not safely stand in a log, an access token by mistake
    among it, is replaced.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        name = sent if REQUEST_ID.fullmatch(sent) and redact(sent) == sent else uuid.uuid4().hex
        # It stays until this thread's next request: Django logs an answer of 400 and above after all middleware.
        request_id.set(name)
        request.META["HTTP_X_REQUEST_ID"] = name
        response = self.get_response(request)
        response.headers["X-Request-Id"] = name
        return response


class ClientAddressMiddleware:
    """Puts the caller's address into ``REMOTE_ADDR`` where trusted proxies stand in front of us.

    Each proxy appends the address it was called from to X-Forwarded-For, so with n proxies the n-th entry from the
    right is the last one that a caller cannot invent.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if count := settings.TRUSTED_PROXY_COUNT:
            forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            if len(forwarded) >= count and (address := ip_address_or_none(forwarded[-count])):
                request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


class OperatorMiddleware:
    """Names staff in Django admin as the actors of what its pages write through services."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/admin/") or not request.user.is_authenticated:
            return self.get_response(request)
        with acting_for(request):
            return self.get_response(request)


class PagesOnly(MiddlewareMixin):
    """Mixed in before a middleware of Django's, lets API calls pass it by."""

    def __call__(self, request: HttpRequest) -> Any:
        if is_api_call(request):
            return self.get_response(request)
        return super().__call__(request)


class PageSessionMiddleware(PagesOnly, SessionMiddleware): ...


class PageCommonMiddleware(PagesOnly, CommonMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        response = super().__call__(request)
        if isinstance(response, HttpResponse) and "Content-Length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.content))
        return response


class PageAuthenticationMiddleware(PagesOnly, AuthenticationMiddleware): ...


class PageMessageMiddleware(PagesOnly, MessageMiddleware): ...


class PageCSPMiddleware(PagesOnly, CSPMiddleware): ...
