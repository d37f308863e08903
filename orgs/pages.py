"""Pages of a list by the place of their last row, so that the thousandth page costs no more than the first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.db.models import Q, QuerySet
from django.http import HttpRequest

PAGE_SIZE = 50
ROW_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Page:
    """``following`` is the next page's ``?after=``; empty on the last one."""

    rows: Sequence[Any]
    following: str


def page_of(rows: QuerySet[Any], *, after: str, by: str = "name", size: int = PAGE_SIZE) -> Page:
    """The rows behind the one whose id is ``after``, in order of ``by`` (``-`` before it: descending) and id.

    From the start where ``after`` is empty or names no row.
    """
    column, descending = by.removeprefix("-"), by.startswith("-")
    last = rows.filter(pk=int(after)).first() if ROW_ID.fullmatch(after) else None
    if last is not None:
        step, value = ("lt" if descending else "gt"), getattr(last, column)
        behind = Q((f"{column}__{step}", value)) | Q((f"pk__{step}", last.pk))
        # The outer bound is one that an index can find.
        rows = rows.filter(Q((f"{column}__{step}e", value)) & behind)
    page = list(rows.order_by(by, "-pk" if descending else "pk")[: size + 1])
    return Page(page[:size], str(page[size - 1].pk) if len(page) > size else "")


# --- What a person just deleted, and a button that brings it back ---
# The address travels in the message's tags, which the templates read with ``undo_url``; it answers POST.

PREFIX = "undo:"


def offer_undo(request: HttpRequest, message: str, url: str) -> None:
    """Say on the next page what was done, with an Undo button that posts to ``url``."""
    messages.success(request, message, extra_tags=f"{PREFIX}{url}")


def undo_url(message: Message) -> str:
    """Where the message's Undo button posts; empty where the message offers none."""
    tags = message.extra_tags or ""
    return tags.removeprefix(PREFIX) if tags.startswith(PREFIX) else ""
