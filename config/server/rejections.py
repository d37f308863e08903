"""What a client is told whose bytes cannot become a request."""

import logging

from config.server.limits import MAX_HEAD_BYTES
from config.server.request import HeadTooLarge

RETRY = [("Retry-After", "5")]
HEAD_IS_TOO_LARGE = f"The request line and the headers are longer than {MAX_HEAD_BYTES} bytes: send shorter ones."
NOT_HTTP = "This is not a request of HTTP/1.1."
BODY_IS_LATE = "The body did not come in time: send it again."
DISK_IS_FULL = "The disk of the server is full, so there is no room for the body: try again later."
BODIES_ARE_MANY = "Too many bodies are on their way: try again."
TOO_BUSY = "Too many requests are waiting: try again."

logger = logging.getLogger(__name__)


class TooManyBodies(Exception):
    pass


class TooManyRequests(Exception):
    pass


def rejection_for(error: BaseException | None) -> tuple[int, str, list[tuple[str, str]]]:
    """The status, one sentence, and headers."""
    match error:
        case HeadTooLarge():
            return 431, HEAD_IS_TOO_LARGE, []
        case TooManyBodies():
            return 503, BODIES_ARE_MANY, RETRY
        case TooManyRequests():
            return 503, TOO_BUSY, RETRY
        case OSError():
            logger.error("A body could not be put aside on the disk: %s", error)
            return 503, DISK_IS_FULL, RETRY
        case _:
            logger.error("A request could not be read.", exc_info=error)
            return 400, NOT_HTTP, []
