"""Dry runs: how a call asks for one, how it leaves nothing behind, and its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.http import HttpResponse, JsonResponse

from deployments.api.dropped import dropped_header
from deployments.errors import InvalidField

FIELD = "dry_run"
YES = ("1", "true", "yes", "on")
NO = ("0", "false", "no", "off")


def asks_for_dry_run(*, in_query: Any, in_body: Any) -> bool:
    """By the values of the field, which are None if it is missing. The query string decides if it has the field.

    In a query string the bare name is a yes, as a flag is. In a body an empty value is absent, as with every field.
    Raises InvalidField for any other value: a misspelt dry run must not store anything.
    """
    if in_query is not None:
        return in_query == "" or is_yes(in_query)
    return in_body not in (None, "") and is_yes(in_body)


def is_yes(value: Any) -> bool:
    text = str(value).strip().lower() if isinstance(value, str | int) else None
    if text in YES:
        return True
    if text in NO:
        return False
    raise InvalidField("dry_run must be 1 or 0.")


# --- The real code, in a transaction that leaves nothing behind ---


@contextmanager
def dry_run() -> Iterator[None]:
    """What the block stores is there until its end, and gone after it. Exceptions go on to the caller.

    So a dry run is rejected for the same reason and in the same words as the real call. Read what the answer needs
    before the block ends.
    """
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def answer_dry_run(result: str, report: dict[str, Any], *, would_answer: HttpResponse) -> HttpResponse:
    answer = {"status": would_answer.status_code, "text": would_answer.content.decode()}
    if "Retry-After" in would_answer.headers:
        answer["retry_after"] = int(would_answer.headers["Retry-After"])
    headers = dropped_header(report.get("dropped", ()))
    return JsonResponse({"dry_run": True, "result": result, "would_answer": answer, **report}, headers=headers)
