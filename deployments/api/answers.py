"""Exceptions → answers: one sentence of plain text, without a newline at the end."""

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request

from deployments import errors
from orgs.outages import outage
from orgs.text import printable, shortened
from tokens.authentication import AUTHENTICATE, UNAUTHORIZED
from tokens.secrets import redact, without_secrets

logger = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"
UNFORESEEN = "Something went wrong on our side: try again, and tell the operator if it happens again."
# Clients repeat a call on a 503, and may: a repeated registration is a duplicate at worst.
RETRY_SOON = {"Retry-After": "5"}


def answer_text(status: int, text: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(text, status=status, content_type=TEXT, headers=headers)


def answer_exception(exception: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's exception handler."""
    match exception:
        case errors.RegistrationError():
            return answer_rejection(exception)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return answer_unauthorized(context["view"].unauthorized_text or str(exception.detail))
        case exceptions.Throttled():
            seconds = math.ceil(getattr(exception, "wait", None) or 1)
            response = answer_text(429, f"This access token made too many requests: try again in {seconds} seconds.")
            response["Retry-After"] = str(seconds)
            return response
        case exceptions.MethodNotAllowed():
            method, *_ = context["view"].allowed_methods
            return answer_text(405, f"{context['request'].method} is not allowed here: use {method}.")
        case exceptions.APIException():
            return answer_text(exception.status_code, str(exception.detail))
        case Http404():
            return not_found(context["request"])
        case SuspiciousOperation():
            # Django's limits; those of the body are met in deployments.api.body.
            return answer_text(400, "The query string has too many fields: send them as JSON.")
    if sentence := outage(exception):
        logger.error("%s", sentence, exc_info=exception)
        return answer_text(503, sentence, RETRY_SOON)
    return answer_unforeseen(exception, context["request"])


def answer_rejection(error: errors.RegistrationError) -> HttpResponse:
    if isinstance(error, errors.UnknownDeployment):
        return answer_unauthorized(UNAUTHORIZED)
    headers = dict(RETRY_SOON) if isinstance(error, errors.TargetMoved) else {}
    if isinstance(error, errors.MetricTooSoon):
        headers["Retry-After"] = str(error.wait)
    if isinstance(error, errors.DuplicateDeploy) and error.is_replay:
        headers["Idempotency-Replayed"] = "true"
    return answer_text(error.status, printable(without_secrets(str(error))), headers)


def answer_exception_as_json(exception: Exception, context: dict[str, Any]) -> HttpResponse:
    """The same answer in Sweetr's form: https://github.com/sweetr-dev/sweetr.dev, fastify-helpers.ts."""
    answer = answer_exception(exception, context)
    body = {
        "error": answer.content.decode(),
        "statusCode": answer.status_code,
        "validationErrors": getattr(exception, "sentences", {}),
    }
    answer.sentence = body["error"]  # type: ignore[attr-defined]  # for the request log
    answer.content = json.dumps(body, ensure_ascii=False)
    answer.headers["Content-Type"] = "application/json"
    return answer


def answer_unforeseen(exception: Exception, request: Request) -> HttpResponse:
    """Instead of Django's page for developers, which DEBUG would show with the token in it."""
    got_request_exception.send(sender=None, request=request)
    logger.error("%s %s failed.", request.method, printable(redact(request.path)), exc_info=exception)
    return server_error(request)


def server_error(request: HttpRequest | Request) -> HttpResponse:
    return answer_text(500, UNFORESEEN)


def answer_unauthorized(text: str) -> HttpResponse:
    response = answer_text(401, text)
    response["WWW-Authenticate"] = AUTHENTICATE
    return response


def not_found(request: HttpRequest | Request) -> HttpResponse:
    path: str = request.path_info
    hint = ""
    if path == "/graphql-batch":
        hint = ": send each query to /graphql"
    elif path.startswith("/api/v1/"):
        hint = ": this API begins with /api/1/"
    elif path.endswith("/"):
        hint = ": no path of this API ends in a slash"
    return answer_text(404, printable(f"There is no {shortened(redact(path), 200)} here{hint}."))
