"""``Idempotency-Key``: a call that comes again gets the answer it got before.

After the draft standard "The Idempotency-Key HTTP Header Field" of the IETF's HTTPAPI group.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework.request import Request

from deployments.errors import DuplicateDeploy, InvalidField, KeyReused
from deployments.models import IdempotencyKey
from tokens.secrets import without_secrets

MAX_KEY_LENGTH = 255
# What two calls with one key may differ in. A script that runs again reads the clock again.
NOT_COMPARED = ("api_key", "date", "deployedAt")


def answer_by_key(
    request: Request, *, token_id: int, called: str, fields: Mapping[str, Any], answer: Callable[[], HttpResponse]
) -> HttpResponse:
    """What ``answer`` gives, or gave to an earlier call with the same Idempotency-Key.

    ``answer`` runs in the transaction that remembers what it gives. The first of several simultaneous calls claims the
    key; the others wait. A DuplicateDeploy is remembered and raised again; after any other exception nothing is
    remembered. Raises InvalidField if the key cannot be used, and KeyReused if it came with another fingerprint.
    """
    key = read_key(request)
    if key is None:
        return answer()
    now, said = timezone.now(), fingerprint(fields)
    keys = IdempotencyKey.objects.filter(token=token_id, called=called, key=key)
    keys.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)).delete()
    if remembered := keys.first():
        return replay(remembered, said)
    rejected = None
    with transaction.atomic():
        try:
            with transaction.atomic():
                claim = IdempotencyKey.objects.create(
                    token_id=token_id, called=called, key=key, fingerprint=said, created_at=now
                )
        except IntegrityError:
            return replay(keys.get(), said)
        try:
            response = answer()
            # The body is text, since PostgreSQL would give the members of an object in another order.
            body = response.content.decode()
            claim.answer = {"status": response.status_code, "headers": dict(response.headers.items()), "body": body}
        except DuplicateDeploy as duplicate:
            rejected = duplicate
            claim.answer = {"duplicate": str(duplicate), "deploy_id": duplicate.deploy_id}
        claim.save(update_fields=["answer"])
    if rejected:
        raise rejected
    return response


def read_key(request: Request) -> str | None:
    """Raises InvalidField."""
    # Read off META: for ``request.headers`` Django goes through the environment of the process, too, in each call.
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_LENGTH):
        raise InvalidField(f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters.")
    if without_secrets(key) != key:
        raise InvalidField("Idempotency-Key is an access token: send another name of the call, such as its build's id.")
    return key


def digest_of_call(request: Request) -> int | None:
    """64 bits that the same bytes give again; None if the call has an Idempotency-Key, which says the same better."""
    meta = request.META
    if "HTTP_IDEMPOTENCY_KEY" in meta:
        return None
    digest = hashlib.blake2b(request.body, digest_size=8)
    digest.update(
        "\0".join(("", meta["PATH_INFO"], meta.get("QUERY_STRING", ""), meta.get("CONTENT_TYPE", ""))).encode()
    )
    return int.from_bytes(digest.digest(), signed=True)


def fingerprint(fields: Mapping[str, Any]) -> str:
    """A digest of what a call says. It is the same for two calls that say the same, however they are encoded."""
    said = {name: value for name, value in fields.items() if name not in NOT_COMPARED}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def replay(remembered: IdempotencyKey, fingerprint: str) -> HttpResponse:
    if remembered.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key came before with another body: use a new key for a new call.")
    answer = dict(remembered.answer)
    if "duplicate" in answer:
        raise DuplicateDeploy(answer["duplicate"], deploy_id=answer["deploy_id"], is_replay=True)
    headers = {**answer["headers"], "Idempotency-Replayed": "true"}
    return HttpResponse(answer["body"], status=answer.get("status", 200), headers=headers)


def answer_stored(
    request: Request, accepted: HttpResponse, headers: Mapping[str, str], represent: Callable[[], dict[str, Any]]
) -> HttpResponse:
    """``accepted`` with ``headers``, or what was stored as JSON if the caller prefers that."""
    if "return=representation" in request.META.get("HTTP_PREFER", "").replace(" ", "").lower():
        accepted = JsonResponse(represent(), status=accepted.status_code)
        accepted["Preference-Applied"] = "return=representation"
    for name, value in headers.items():
        accepted[name] = value
    return accepted
