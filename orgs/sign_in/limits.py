"""allauth counts failed sign-ins in the cache. While that is away, signing in must still be possible."""

import logging
import time
from typing import Any

from allauth.core.internal import ratelimit

logger = logging.getLogger(__name__)

# allauth asks the cache a dozen times a sign-in; a server that hangs should cost one time-out, not a dozen.
SECONDS_BETWEEN_TRIES = 5.0


class ForgivingCache:
    """The cache, or while it does not answer one that is always empty."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache
        self.away_until = 0.0

    def get(self, key: str, default: Any = None) -> Any:
        return self.ask("get", default, key, default)

    def set(self, key: str, value: Any, timeout: Any) -> None:
        self.ask("set", None, key, value, timeout)

    def add(self, key: str, value: Any, timeout: Any) -> bool:
        return bool(self.ask("add", True, key, value, timeout))

    def delete(self, key: str) -> None:
        self.ask("delete", None, key)

    def ask(self, method: str, otherwise: Any, *args: Any) -> Any:
        if time.monotonic() < self.away_until:
            return otherwise
        try:
            return getattr(self.cache, method)(*args)
        except Exception as error:  # whatever a cache client raises when its server is away
            logger.error("The cache does not answer, so sign-ins are not limited: %s", error)
            self.away_until = time.monotonic() + SECONDS_BETWEEN_TRIES
            return otherwise


def forgive_a_missing_cache() -> None:
    """allauth has no setting for this."""
    if not isinstance(ratelimit.cache, ForgivingCache):
        ratelimit.cache = ForgivingCache(ratelimit.cache)
