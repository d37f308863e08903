"""Answers to registrations that were accepted."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from deployments.api.answers import TEXT
from deployments.registration.idempotency import Answer, answer_once, check_key, fingerprint


# Read off META: for ``request.headers`` Django goes through the environment of the process, too, in each call.
def idempotency_key(request: Request) -> str | None:
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    return key


def check_idempotency_key(request: Request) -> None:
    """Raises InvalidField where a call that stores something would."""
    if (key := idempotency_key(request)) is not None:
        check_key(key)


def prefers_representation(request: Request) -> bool:
    return "return=representation" in request.META.get("HTTP_PREFER", "").replace(" ", "").lower()


def answer_by_key(
    request: Request, *, token_id: int, called: str, fields: Mapping[str, Any], answer: Callable[[], Answer]
) -> HttpResponse:
    """What ``answer`` gives, or gave to an earlier call with the same Idempotency-Key. Raises as ``answer_once``."""
    key = idempotency_key(request)
    if key is None:
        return as_response(answer())
    answered, replayed = answer_once(
        token_id=token_id,
        called=called,
        key=key,
        fingerprint=fingerprint(fields),
        now=timezone.now(),
        answer=answer,
    )
    return as_response(answered, replayed=replayed)


def answer_success(request: Request, headers: dict[str, str], representation: Callable[[], dict[str, Any]]) -> Answer:
    """``Success``, or what was stored as JSON where the caller prefers that."""
    if prefers_representation(request):
        headers |= {"Content-Type": "application/json", "Preference-Applied": "return=representation"}
        return {"headers": headers, "body": json.dumps(representation())}
    return success(headers)


def success(headers: Mapping[str, str]) -> Answer:
    return {"headers": {**headers, "Content-Type": TEXT}, "body": "Success"}


def as_response(answer: Answer, *, replayed: bool = False) -> HttpResponse:
    """The body is text already, since PostgreSQL would give the members of a remembered object in another order."""
    response = HttpResponse(answer["body"], headers=answer["headers"])
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response
