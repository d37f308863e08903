import re
import uuid
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.utils.deprecation import MiddlewareMixin

from config.logging import request_id
from config.views import PROBES, is_api_call, is_api_path
from orgs.access import acting_for
from orgs.text import ip_address_or_none
from tokens.secrets import redact

SLASHES = re.compile("/{2,}")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware(MiddlewareMixin):
    """Gives each request an id, which its log lines and the answer's ``X-Request-Id`` show.

    A caller may choose the id by sending that header. An id that is not safe to log, such as an access token sent by
    mistake, is replaced.
    """

    def __call__(self, request: HttpRequest) -> Any:
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        chosen = sent if REQUEST_ID.fullmatch(sent) and redact(sent) == sent else uuid.uuid4().hex
        # Not reset after the request: Django logs answers of 400 and above when all middleware has run.
        request_id.set(chosen)
        request.META["HTTP_X_REQUEST_ID"] = chosen
        response: Any = self.get_response(request)
        response.headers["X-Request-Id"] = chosen
        return response


class ApiPathMiddleware(MiddlewareMixin):
    """Finds paths of the API that a base address with a slash at its end spoilt: ``https://gumshoe//api/1/…``.

    They are answered as they are meant, since clients do not repeat a POST after a redirect.
    """

    def __call__(self, request: HttpRequest) -> Any:
        path = request.path_info
        if path != (meant := meant_path(path)):
            request.path = request.path.removesuffix(path) + meant
            request.path_info = meant
        return self.get_response(request)


def meant_path(path: str) -> str:
    first, slash, rest = SLASHES.sub("/", path)[1:].partition("/")
    meant = f"/{first.lower()}{slash}{rest}"
    return meant if is_api_path(meant) else path


class ClientAddressMiddleware(MiddlewareMixin):
    """Puts the caller's address into ``REMOTE_ADDR``, also if there are trusted proxies in front of us.

    Each proxy appends the address of its caller to X-Forwarded-For. With n proxies, the caller can forge all entries
    but the last n, so the n-th from the right is the caller's.
    """

    def __call__(self, request: HttpRequest) -> Any:
        meta = request.META
        if ":" in meta.get("REMOTE_ADDR", ""):
            meta["REMOTE_ADDR"] = ip_address_or_none(meta["REMOTE_ADDR"]) or ""
        if count := settings.TRUSTED_PROXY_COUNT:
            forwarded = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
            if len(forwarded) >= count and (address := ip_address_or_none(forwarded[-count])):
                meta["REMOTE_ADDR"] = address
        return self.get_response(request)


class OperatorMiddleware(MiddlewareMixin):
    """Makes staff in Django admin the actors of what services write for its pages."""

    def __call__(self, request: HttpRequest) -> Any:
        if not request.path_info.startswith("/admin/") or not request.user.is_authenticated:
            return self.get_response(request)
        with acting_for(request):
            return self.get_response(request)


class PagesOnly(MiddlewareMixin):
    """Mixed in before a middleware of Django's: API calls skip it, and so do probes, which may send any Host."""

    def __call__(self, request: HttpRequest) -> Any:
        if is_api_call(request) or request.path_info in PROBES:
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
