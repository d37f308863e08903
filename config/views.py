"""Whether we are up, and what is answered when no view did: text to calls of the API, Django's pages to people."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from config.readiness import what_was_forgotten
from deployments.api import answers
from orgs.outages import NO_DATABASE, READ_ONLY, outage

IS_READ_ONLY = {"postgresql": "SHOW transaction_read_only", "sqlite": "PRAGMA query_only"}
PROBES = ("/healthz", "/health", "/readyz")


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
    """200 while the database answers a query, takes changes, and has all that this version needs."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(IS_READ_ONLY[connection.vendor])
            is_read_only = cursor.fetchone()[0] in ("on", 1)
        forgotten = what_was_forgotten()
    except DatabaseError as error:
        return HttpResponse(outage(error) or NO_DATABASE, status=503, content_type="text/plain")
    name = str(connection.settings_dict["NAME"])
    if is_read_only or (connection.vendor == "sqlite" and Path(name).exists() and not os.access(name, os.W_OK)):
        forgotten = [READ_ONLY, *forgotten]
    if forgotten:
        return HttpResponse("\n".join(forgotten), status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_call(request):
        return answers.answer_text(400, "The request cannot be read: send it as the API's pages show.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception."""
    error = sys.exc_info()[1]
    if sentence := outage(error) if error else None:
        return unavailable(request, sentence)
    if is_api_call(request):
        return answers.server_error(request)
    return defaults.server_error(request)


def unavailable(request: HttpRequest, sentence: str) -> HttpResponse:
    if is_api_call(request):
        return answers.answer_text(503, sentence, answers.RETRY_SOON)
    page = render_to_string("503.html", {"sentence": sentence})
    return HttpResponse(page, status=503, headers=answers.RETRY_SOON)
