"""``Idempotency-Key``: a call that comes again gets the answer it got before.

After the draft standard "The Idempotency-Key HTTP Header Field" of the IETF's HTTPAPI group.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from deployments.errors import DuplicateDeploy, InvalidField, KeyReused
from deployments.models import IdempotencyKey
from tokens.secrets import without_secrets

MAX_KEY_LENGTH = 255

Answer = dict[str, Any]


def fingerprint(fields: Mapping[str, Any]) -> str:
    """Of what a call says, however it is spelt and wherever its token stands: the same where two calls are the same."""
    said = {name: value for name, value in fields.items() if name != "api_key"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def answer_once(
    *, token_id: int, called: str, key: str, fingerprint: str, now: datetime, answer: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """The answer, and whether it is a replay. ``answer`` runs in the transaction that remembers what it gives.

    Of calls that come at once the first claims the key and the others wait for it. A DuplicateDeploy that ``answer``
    raises is remembered and raised again; where it raises anything else, nothing is remembered. Raises InvalidField for
    an unusable key and KeyReused where it came with another fingerprint.
    """
    check_key(key)
    keys = IdempotencyKey.objects.filter(token=token_id, called=called, key=key)
    keys.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)).delete()
    if remembered := keys.first():
        return replay(remembered, fingerprint), True
    rejected = None
    with transaction.atomic():
        try:
            with transaction.atomic():
                claim = IdempotencyKey.objects.create(
                    token_id=token_id, called=called, key=key, fingerprint=fingerprint, created_at=now
                )
        except IntegrityError:
            return replay(keys.get(), fingerprint), True
        try:
            claim.answer = answer()
        except DuplicateDeploy as duplicate:
            rejected = duplicate
            claim.answer = {"duplicate": str(duplicate), "deploy_id": duplicate.deploy_id}
        claim.save(update_fields=["answer"])
    if rejected:
        raise rejected
    return claim.answer, False


def check_key(key: str) -> None:
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_LENGTH):
        raise InvalidField(f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters.")
    if without_secrets(key) != key:
        raise InvalidField("Idempotency-Key is an access token: send another name of the call, such as its build's id.")


def replay(remembered: IdempotencyKey, fingerprint: str) -> Answer:
    if remembered.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key came before with another body: use a new key for a new call.")
    answer = dict(remembered.answer)
    if "duplicate" in answer:
        raise DuplicateDeploy(answer["duplicate"], deploy_id=answer["deploy_id"], is_replay=True)
    return answer


# --- Answers to registrations that were accepted ---


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


def answer_stored(
    request: Request, accepted: HttpResponse, headers: Mapping[str, str], represent: Callable[[], dict[str, Any]]
) -> Answer:
    """``accepted`` with ``headers``, or what was stored as JSON if the caller prefers that."""
    if not prefers_representation(request):
        return as_answer(accepted, headers)
    more = {"Content-Type": "application/json", "Preference-Applied": "return=representation"}
    return {"status": accepted.status_code, "headers": {**headers, **more}, "body": json.dumps(represent())}


def as_answer(response: HttpResponse, headers: Mapping[str, str] | None = None) -> Answer:
    """The body is text already, since PostgreSQL would give the members of a remembered object in another order."""
    return {
        "status": response.status_code,
        "headers": {**(headers or {}), "Content-Type": response["Content-Type"]},
        "body": response.content.decode(),
    }


def as_response(answer: Answer, *, replayed: bool = False) -> HttpResponse:
    response = HttpResponse(answer["body"], status=answer["status"], headers=answer["headers"])
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response
