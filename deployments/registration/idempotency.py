"""``Idempotency-Key``: a call that comes again gets the answer it got before.

After the draft standard "The Idempotency-Key HTTP Header Field" of the IETF's HTTPAPI group.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from deployments.models import IdempotencyKey
from deployments.registration.errors import InvalidField, KeyReused

MAX_KEY_LENGTH = 255

Answer = dict[str, Any]


def fingerprint(*parts: bytes) -> str:
    """Of a call's path and body: two calls are the same where these are."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def answer_once(
    *, organization_id: int, key: str, fingerprint: str, now: datetime, answer: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """The answer, and whether it is a replay. ``answer`` runs in the transaction that remembers what it gives.

    Of calls that come at once the first claims the key and the others wait for it. Where ``answer`` raises, nothing is
    remembered. Raises InvalidField for an unusable key and KeyReused where it came with another fingerprint.
    """
    check_key(key)
    keys = IdempotencyKey.objects.filter(organization=organization_id, key=key)
    keys.filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)).delete()
    if remembered := keys.first():
        return replay(remembered, fingerprint), True
    with transaction.atomic():
        try:
            with transaction.atomic():
                claim = IdempotencyKey.objects.create(
                    organization_id=organization_id, key=key, fingerprint=fingerprint, created_at=now
                )
        except IntegrityError:
            return replay(keys.get(), fingerprint), True
        claim.answer = answer()
        claim.save(update_fields=["answer"])
        return claim.answer, False


def check_key(key: str) -> None:
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_LENGTH):
        raise InvalidField(f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters.")


def replay(remembered: IdempotencyKey, fingerprint: str) -> Answer:
    if remembered.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key came before with another body: use a new key for a new call.")
    return dict(remembered.answer)
