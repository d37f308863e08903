"""The state of a token in words."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.timesince import timesince, timeuntil

from tokens.models import AccessToken, RetiredSecret

EXPIRES_SOON = timedelta(days=30)
LONG_UNUSED = timedelta(days=90)


class State(NamedTuple):
    """``tone`` is empty, ``ok``, ``warn`` or ``bad``."""

    tone: str
    words: str


def states(token: AccessToken, now: datetime, *, retired: Iterable[RetiredSecret] = ()) -> list[State]:
    """``retired`` are its former secrets."""
    state = token.state(now)
    if state == "revoked":
        return [State("", "revoked")]
    if state == "expired":
        return [State("bad", "expired")]
    working = [secret for secret in retired if secret.works_until > now]
    return list(warnings(token, now, working)) or [State("ok", "active")]


def warnings(token: AccessToken, now: datetime, working: list[RetiredSecret]) -> Iterator[State]:
    if token.expires_at and token.expires_at - now < EXPIRES_SOON:
        yield State("warn", f"expires in {timeuntil(token.expires_at, now, depth=1)}")
    used = [secret.last_used_at for secret in working if secret.last_used_at]
    if working:
        yield State("warn", f"rotating – old secret {use_in_words(max(used, default=None), now)}")
    last_used_at = max([token.last_used_at or token.created_at, *used])
    if last_used_at < now - LONG_UNUSED:
        yield State("warn", f"unused for {(now - last_used_at).days} days")


def use_in_words(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "not used since"
    if now - moment < timedelta(minutes=1):
        return "used just now"
    return f"used {timesince(moment, now, depth=1)} ago"
