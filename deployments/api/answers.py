"""Exceptions → answers, in one table. Answers are one sentence of plain text, without a newline at the end."""

import logging
import math
from collections.abc import Mapping
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions

from deployments.registration import errors
from tokens.authentication import AUTHENTICATE, UNAUTHORIZED

logger = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"

STATUS_OF_ERROR: dict[type[errors.RegistrationError], int] = {
    errors.UnreadableBody: 400,
    errors.BodyTooLarge: 413,
    errors.InvalidField: 400,
    errors.UnknownEnvironment: 400,
    errors.BranchMismatch: 400,
    errors.DuplicateDeploy: 400,
    errors.UnknownDeployment: 401,
    errors.OutsideTokenLimits: 403,
    errors.NoSlug: 404,
    errors.PlaceMoved: 503,
    errors.KeyReused: 422,
}


def answer_text(status: int, text: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(text, status=status, content_type=TEXT, headers=headers)


def answer_exception(exception: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler; ``None`` lets what is unforeseen become a logged 500."""
    match exception:
        case errors.UnknownDeployment():
            return answer_unauthorized(UNAUTHORIZED)
        case errors.RegistrationError():
            return answer_text(STATUS_OF_ERROR[type(exception)], str(exception))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return answer_unauthorized(str(exception.detail))
        case exceptions.Throttled():
            seconds = math.ceil(getattr(exception, "wait", None) or 1)
            response = answer_text(429, f"This access token made too many requests: try again in {seconds} seconds.")
            response["Retry-After"] = str(seconds)
            return response
        case exceptions.MethodNotAllowed():
            return answer_text(405, f"{context['request'].method} is not allowed here: use POST.")
        case exceptions.APIException():
            return answer_text(exception.status_code, str(exception.detail))
        case Http404():
            return answer_text(404, "Not found.")
        case OperationalError():
            # Clients repeat a call on a 503, and may: a repeated registration is a duplicate at worst.
            logger.error("The database does not answer.", exc_info=exception)
            response = answer_text(503, "The database does not answer: try again.")
            response["Retry-After"] = "5"
            return response
    return None


def answer_unauthorized(text: str) -> HttpResponse:
    response = answer_text(401, text)
    response["WWW-Authenticate"] = AUTHENTICATE
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For paths of the API that lead nowhere."""
    hint = ""
    if request.path_info.endswith("/"):
        hint = ": no path of this API ends in a slash"
    return answer_text(404, f"There is no {request.path_info[:200]} here{hint}.")
