"""Whether we are up, and what is answered when no view did: text to calls of the API, Django's pages to people."""

from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from config.readiness import what_was_forgotten
from deployments.api import answers

PROBES = ("/healthz", "/readyz")


def is_api_call(request: HttpRequest) -> bool:
    return is_api_path(request.path_info)


def is_api_path(path: str) -> bool:
    if path.startswith(settings.API_PATH_PREFIXES):
        return path not in settings.PAGES_BELOW_API
    return path in settings.API_PATHS


def live(request: HttpRequest) -> HttpResponse:
    """200 while the process can serve at all."""
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 while the database answers a query, and has all that this version needs. Writing is not tried."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        forgotten = what_was_forgotten()
    except OperationalError:
        return HttpResponse("The database does not answer.", status=503, content_type="text/plain")
    if forgotten:
        return HttpResponse("\n".join(forgotten), status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_call(request):
        return answers.answer_text(400, "The request cannot be read: send it as the API's pages show.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api_call(request):
        return answers.server_error(request)
    return defaults.server_error(request)
