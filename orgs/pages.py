"""Pages of long lists, the errors of services beside their fields, and the Undo button after a deletion."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

# --- Parts of a list that begin after a given row, so that the thousandth takes no longer than the first ---

PAGE_SIZE = 50
ROW_ID = re.compile(r"[0-9]{1,18}")


class Page(NamedTuple):
    """``following`` is the ``?after=`` of the next page, and empty on the last one."""

    rows: Sequence[Any]
    following: str


def page_of(rows: QuerySet[Any], *, after: str, by: str = "name", size: int = PAGE_SIZE) -> Page:
    """The rows after the one with the id ``after``, ordered by ``by`` (with ``-``: descending) and id.

    The first rows if ``after`` is empty or not the id of a row.
    """
    column, descending = by.removeprefix("-"), by.startswith("-")
    last = rows.filter(pk=int(after)).first() if ROW_ID.fullmatch(after) else None
    if last is not None:
        step, value = ("lt" if descending else "gt"), getattr(last, column)
        behind = Q((f"{column}__{step}", value)) | Q((f"pk__{step}", last.pk))
        # An index can use the outer bound.
        rows = rows.filter(Q((f"{column}__{step}e", value)) & behind)
    page = list(rows.order_by(by, "-pk" if descending else "pk")[: size + 1])
    return Page(page[:size], str(page[size - 1].pk) if len(page) > size else "")


# --- Showing people why a service rejected something ---


@dataclass(frozen=True, slots=True)
class ShowingErrors(AbstractContextManager[None, bool]):
    """A ``with`` block that ends at a ValidationError. The error is shown, and the code after the block runs."""

    show: Callable[[ValidationError], None]

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, ValidationError):
            self.show(error)
        return isinstance(error, ValidationError)


def errors_in(form: forms.BaseForm, *, default_field: str | None = None) -> ShowingErrors:
    """Shows each error beside its field. Errors of fields that the form does not have go to ``default_field``, or to
    the top of the form."""

    def show(error: ValidationError) -> None:
        for name, errors in getattr(error, "error_dict", {None: error}).items():
            form.add_error(name if name in form.fields else default_field, errors)

    return ShowingErrors(show)


def errors_as_messages(request: HttpRequest) -> ShowingErrors:
    """Shows the error on the next page."""
    return ShowingErrors(lambda error: messages.error(request, error.messages[0]))


# --- An Undo button for what a person just deleted ---
# The tags of the message hold the address, which templates read with ``undo_url``.

PREFIX = "undo:"


def offer_undo(request: HttpRequest, message: str, url: str) -> None:
    """Show ``message`` on the next page, with an Undo button that posts to ``url``."""
    messages.success(request, message, extra_tags=f"{PREFIX}{url}")


def undo_url(message: Message) -> str:
    """Where the message's Undo button posts, or empty without one."""
    tags = message.extra_tags or ""
    return tags.removeprefix(PREFIX) if tags.startswith(PREFIX) else ""
