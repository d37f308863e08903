"""Parts of a page that ask again whether anything has come, as components/_polling.html lets them."""

from django.http import HttpRequest


def wants_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def has_seen(request: HttpRequest, seen: str) -> bool:
    """Whether the part that asks shows what ``seen``, an ETag, stands for."""
    return wants_part(request) and bool(seen) and request.headers.get("If-None-Match") == seen
