"""Dry runs: the real code, in a transaction that leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def rolled_back() -> Iterator[None]:
    """Whatever the block stores is there until its end, and gone after it. What it raises goes on to the caller.

    So a dry run is refused for the reason, and with the words, that the real call would be. Read what the answer needs
    before the block ends.
    """
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
