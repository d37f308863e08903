"""``Idempotency-Key``: a call that comes again gets the answer it got before.

After the draft standard "The Idempotency-Key HTTP Header Field" of the IETF's HTTPAPI group.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework.request import Request

from deployments.errors import DuplicateDeploy, InvalidField, KeyReused
from deployments.models import IdempotencyKey
from deployments.registration.store import REPEATED_WITHIN
from tokens.secrets import without_secrets

MAX_KEY_LENGTH = 255
# The end of ``called`` for calls without a key, whose name must not be a key that a client could send.
BY_BYTES = " by bytes"
# What two calls with one key may differ in. A script that runs again reads the clock again.
NOT_COMPARED = ("api_key", "date", "deployedAt")
# The member of a remembered answer that has the fingerprints of the calls which moved its deploy on.
MOVES = "moves"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCall:
    """A call that can be told from others of its token, for as long as it ``lasts``."""

    token_id: int
    called: str
    key: str
    fingerprint: str
    lasts: timedelta

    def keys(self) -> QuerySet[IdempotencyKey]:
        return IdempotencyKey.objects.filter(token=self.token_id, called=self.called, key=self.key)

    def remembered(self) -> IdempotencyKey | None:
        """Of an earlier call. Forgets one that was too long ago."""
        self.keys().filter(created_at__lt=timezone.now() - self.lasts).delete()
        return self.keys().first()


def answer_by_key(
    request: Request,
    *,
    token_id: int,
    called: str,
    fields: Mapping[str, Any],
    answer: Callable[[], HttpResponse],
    move_on: Callable[[int], HttpResponse] | None = None,
    or_by_bytes: bool = False,
) -> HttpResponse:
    """What ``answer`` gives, or gave to an earlier call with the same Idempotency-Key or, ``or_by_bytes``, to one of a
    moment ago with the same bytes and no key.

    A call with the key of a deploy that started, and another fingerprint, is answered by ``move_on``, which is given
    the deploy's id. Raises what :func:`name_call` and :func:`remember` raise.
    """
    call = name_call(request, token_id=token_id, called=called, fields=fields, or_by_bytes=or_by_bytes)
    if call is None:
        return answer()
    remembered = call.remembered()
    if remembered is None:
        return remember(call, answer)
    if move_on and call.fingerprint not in fingerprints_of(remembered) and (deploy_id := deploy_of(remembered)):
        return answer_to_move(call.keys(), call.fingerprint, lambda: move_on(deploy_id))
    return replay(remembered, call.fingerprint)


def name_call(
    request: Request, *, token_id: int, called: str, fields: Mapping[str, Any], or_by_bytes: bool = False
) -> NamedCall | None:
    """None if the call has no name. Raises InvalidField if its key cannot be used."""
    key = read_key(request)
    if key is not None:
        lasts = timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)
        return NamedCall(token_id=token_id, called=called, key=key, fingerprint=fingerprint(fields), lasts=lasts)
    if not or_by_bytes:
        return None
    name = str(digest_of_call(request))
    return NamedCall(token_id=token_id, called=f"{called}{BY_BYTES}", key=name, fingerprint=name, lasts=REPEATED_WITHIN)


def remember(call: NamedCall, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """What ``answer`` gives, which runs in the transaction that remembers it.

    The first of several simultaneous calls claims the key; the others wait. A DuplicateDeploy is remembered and raised
    again; after any other exception nothing is remembered. Raises KeyReused if the key came with another fingerprint.
    """
    rejected = None
    with transaction.atomic():
        try:
            with transaction.atomic():
                claim = IdempotencyKey.objects.create(
                    token_id=call.token_id, called=call.called, key=call.key, fingerprint=call.fingerprint
                )
        except IntegrityError:
            return replay(call.keys().get(), call.fingerprint)
        try:
            response = answer()
            claim.answer = to_remember(response)
        except DuplicateDeploy as duplicate:
            rejected = duplicate
            claim.answer = {"duplicate": str(duplicate), "deploy_id": duplicate.deploy_id}
        claim.save(update_fields=["answer"])
    if rejected:
        raise rejected
    return response


def continued_deploy(request: Request, *, token_id: int, called: str, fields: Mapping[str, Any]) -> int | None:
    """The deploy of an earlier call with the same Idempotency-Key and another body: only moving it on is not an error.

    Raises InvalidField if the key cannot be used.
    """
    key = read_key(request)
    if key is None:
        return None
    keys = IdempotencyKey.objects.filter(token=token_id, called=called, key=key)
    remembered = keys.filter(created_at__gte=oldest_remembered(timezone.now())).first()
    is_other = remembered is not None and fingerprint(fields) not in fingerprints_of(remembered)
    return deploy_of(remembered) if remembered and is_other else None


def oldest_remembered(now: datetime) -> datetime:
    return now - timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)


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


def to_remember(response: HttpResponse) -> dict[str, Any]:
    """The body is text, since PostgreSQL would give the members of an object in another order."""
    body = response.content.decode()
    return {"status": response.status_code, "headers": dict(response.headers.items()), "body": body}


def answer_to_move(keys: QuerySet[IdempotencyKey], said: str, move: Callable[[], HttpResponse]) -> HttpResponse:
    """``move`` runs once for what was ``said``; afterwards all calls with the key get its answer."""
    with transaction.atomic():
        remembered = keys.select_for_update().get()
        moves = [*remembered.answer.get(MOVES, ()), said]
        if said in fingerprints_of(remembered):
            return replay(remembered, said)
        response = move()
        remembered.answer = {**to_remember(response), MOVES: moves}
        remembered.save(update_fields=["answer"])
    return response


def fingerprints_of(remembered: IdempotencyKey) -> Sequence[str]:
    return [remembered.fingerprint, *remembered.answer.get(MOVES, ())]


def deploy_of(remembered: IdempotencyKey) -> int | None:
    """The id of the deploy that the answer told of."""
    headers = remembered.answer.get("headers", {})
    return int(headers["X-Deploy-Id"]) if "X-Deploy-Id" in headers else None


def replay(remembered: IdempotencyKey, fingerprint: str) -> HttpResponse:
    if fingerprint not in fingerprints_of(remembered):
        raise KeyReused.with_another_body()
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
