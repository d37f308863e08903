from typing import Any

from django.urls import reverse

from deployments.models import Call
from deployments.request_log.writer import request_log


def log() -> list[Call]:
    """The log's lines, oldest first, after what waits is written."""
    request_log.flush()
    return list(Call.objects.order_by("id"))


def url(name: str, **kwargs: Any) -> str:
    return reverse(name, kwargs={"organization": "acme", **kwargs})
