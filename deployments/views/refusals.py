"""Showing people what a service refused."""

from collections.abc import Callable
from functools import partial
from types import TracebackType

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from deployments.forms.errors import add_errors


class Refusals:
    """A ``with`` block that a refusal leaves; it is shown, and the view goes on behind the block."""

    def __init__(self, show: Callable[[ValidationError], None]) -> None:
        self.show = show

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, ValidationError):
            return False
        self.show(error)
        return True


def refusals_in(form: forms.BaseForm) -> Refusals:
    return Refusals(partial(add_errors, form))


def refusals_told(request: HttpRequest) -> Refusals:
    """On the next page."""
    return Refusals(lambda error: messages.error(request, error.messages[0]))
