"""Which rollback undid which deploys, of a history of any length in little memory."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple


class Rollback(NamedTuple):
    """``place`` and ``restored`` are places in the history, from 1; ``id`` is the rollback's."""

    place: int
    restored: int
    id: int


class Span(NamedTuple):
    """The rollback of the id ``by`` undid the deploys at the places from ``first`` to ``last``."""

    first: int
    last: int
    by: int


BEGINNING = Rollback(0, 0, 0)


def spans_undone(rollbacks: Iterable[Rollback]) -> Iterator[Span]:
    """Of a history's rollbacks, the newest first.

    A rollback undoes what stands between it and what it restores, but for what an earlier rollback undid already. What
    is remembered are only the rollbacks that reach back beyond the present place and one another, the shortest last.
    """
    reaching: list[Rollback] = []
    upper = 0
    # Before the first place all is given out that reaches so far back.
    for rollback in chain(rollbacks, [BEGINNING]):
        while reaching and upper > rollback.place:
            _, restored, by = reaching[-1]
            first = max(restored + 1, rollback.place)
            if first < upper:
                yield Span(first, upper - 1, by)
                upper = first
            if restored + 1 < rollback.place:
                break
            reaching.pop()
        upper = rollback.place
        while reaching and reaching[-1].restored >= rollback.restored:
            reaching.pop()
        reaching.append(rollback)
