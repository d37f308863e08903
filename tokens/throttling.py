import logging
import math
from typing import Any

from django.conf import settings
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from tokens.statements import TokenRow

logger = logging.getLogger(__name__)


def token_id(group: str, request: Request) -> str:
    token: TokenRow = request.auth  # type: ignore[assignment]  # the stubs know only DRF's own tokens
    return str(token.id)


class TokenThrottle(BaseThrottle):
    """Limits the requests of a token to the rate in the setting that ``limit`` names, counted in the cache.

    While the cache does not answer there is no limit, since a registration matters more.
    """

    limit = "API_RATE_LIMIT"
    group = "api"
    usage: dict[str, Any] | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        rate: str | None = getattr(settings, self.limit)
        if not rate:
            return True
        try:
            usage: dict[str, Any] | None = get_usage(request, group=self.group, key=token_id, rate=rate, increment=True)
        except Exception as error:  # whatever a cache client raises when its server is away
            logger.error("The cache does not answer, so requests are not limited: %s", error)
            return True
        if usage is None:
            logger.error("The cache does not count, so requests are not limited.")
            return True
        self.usage = usage
        return not usage["should_limit"]

    def wait(self) -> float:
        return float(max(1, self.usage["time_left"] if self.usage else 0))


class SweetrThrottle(TokenThrottle):
    """Its answers say how much is left, as Sweetr's do: https://github.com/fastify/fastify-rate-limit."""

    limit = "SWEETR_RATE_LIMIT"
    group = "sweetr"

    def allow_request(self, request: Request, view: APIView) -> bool:
        is_allowed = super().allow_request(request, view)
        if self.usage:
            most, made = self.usage["limit"], self.usage["count"]
            view.headers |= {
                "X-RateLimit-Limit": str(most),
                "X-RateLimit-Remaining": str(max(0, most - made)),
                "X-RateLimit-Reset": str(math.ceil(self.wait())),
            }
        return is_allowed
