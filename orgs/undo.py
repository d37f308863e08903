"""What a person just deleted, and a button that brings it back.

The address travels in the message's tags, which the templates read with ``undo_url``; it answers POST.
"""

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest

PREFIX = "undo:"


def offer_undo(request: HttpRequest, message: str, url: str) -> None:
    """Say on the next page what was done, with an Undo button that posts to ``url``."""
    messages.success(request, message, extra_tags=f"{PREFIX}{url}")


def undo_url(message: Message) -> str:
    """Where the message's Undo button posts; empty where the message offers none."""
    tags = message.extra_tags or ""
    return tags.removeprefix(PREFIX) if tags.startswith(PREFIX) else ""
