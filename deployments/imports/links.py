"""A history as a file tells it, row by row."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby, islice, pairwise
from operator import attrgetter
from typing import NamedTuple

# From these first rows of a file it is seen whether it goes back in time.
LOOKED_AT = 1_000


class HistoryRow(NamedTuple):
    """``line`` is where the row begins in its file, from 1. ``lead_time`` is in seconds."""

    line: int
    sha: str
    deployed_at: datetime
    branch: str = ""
    title: str = ""
    author_name: str = ""
    author_email: str = ""
    first_commit_at: datetime | None = None
    lead_time: int | None = None


class History(NamedTuple):
    newest_first: bool
    rows: Iterator[HistoryRow]


def as_it_happened(rows: Iterable[HistoryRow]) -> History:
    """Neighbours of the same moment from bottom to top where the file goes back in time; all else as it is."""
    remaining = iter(rows)
    first = list(islice(remaining, LOOKED_AT))
    steps = sum((b.deployed_at > a.deployed_at) - (b.deployed_at < a.deployed_at) for a, b in pairwise(first))
    told = chain(first, remaining)
    if steps >= 0:
        return History(False, told)
    moments = groupby(told, key=attrgetter("deployed_at"))
    return History(True, (row for _, same in moments for row in reversed(list(same))))


# --- Which rollback undid which deploys, of a history of any length in little memory ---


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


# --- Rollbacks that are near what they undo, linked while the rows of a history pass by ---
# A deploy that is linked after it was stored is written twice, and PostgreSQL checks all of its foreign keys twice. The
# links are right where all rows come in the order of time, oldest or newest first, and none says what another says
# already; :mod:`linking` mends the others, and adds those that reach farther.

# Rows at hand at a time, so that no file fills our memory.
WINDOW = 5_000


@dataclass(slots=True, eq=False)
class LinkedRow:
    """``place`` is among all rows that passed, and so is ``restores``."""

    place: int
    id: int
    row: HistoryRow
    restores: int = -1
    restores_id: int | None = None
    rolled_back_by_id: int | None = None


class NearLinks(ABC):
    """``in_order`` is whether all rows came so: where they did not, links may be wrong."""

    def __init__(self) -> None:
        self.in_order = True
        self.passed = 0
        self.window: deque[LinkedRow] = deque()
        # The deploy next to the row at hand, and the nearest one of each sha in the window.
        self.neighbour: LinkedRow | None = None
        self.nearest: dict[str, LinkedRow] = {}

    def link(self, rows: Iterable[tuple[int, HistoryRow]]) -> Iterator[LinkedRow]:
        """Take these with their ids, which follow those of the call before; give as many as leave the window."""
        for id_, row in rows:
            if len(self.window) == WINDOW:
                yield self.leave()
            self.enter(LinkedRow(self.passed, id_, row))

    def rest(self) -> Iterator[LinkedRow]:
        while self.window:
            yield self.leave()

    def enter(self, new: LinkedRow) -> None:
        self.passed += 1
        if self.window and not self.follows(new, self.window[-1]):
            self.in_order = False
        self.window.append(new)
        if self.in_order:
            self.meet(new, self.nearest.get(new.row.sha))

    @abstractmethod
    def follows(self, new: LinkedRow, last: LinkedRow) -> bool: ...

    @abstractmethod
    def meet(self, new: LinkedRow, same: LinkedRow | None) -> None:
        """``same`` is the nearest deploy of the same sha."""

    def is_duplicate(self, new: LinkedRow, same: LinkedRow) -> bool:
        return same is self.neighbour or same.row.deployed_at == new.row.deployed_at

    def keep(self, new: LinkedRow) -> None:
        self.neighbour = self.nearest[new.row.sha] = new

    def leave(self) -> LinkedRow:
        gone = self.window.popleft()
        if self.nearest.get(gone.row.sha) is gone:
            del self.nearest[gone.row.sha]
        return gone


class OldestFirst(NearLinks):
    def __init__(self) -> None:
        super().__init__()
        # What no rollback has undone yet, the latest last.
        self.standing: deque[LinkedRow] = deque(maxlen=WINDOW)

    def follows(self, new: LinkedRow, last: LinkedRow) -> bool:
        return new.row.deployed_at >= last.row.deployed_at

    def meet(self, new: LinkedRow, same: LinkedRow | None) -> None:
        if same:
            if self.is_duplicate(new, same):
                return
            new.restores_id = same.id
            while self.standing and self.standing[-1].place > same.place:
                self.standing.pop().rolled_back_by_id = new.id
        self.standing.append(new)
        self.keep(new)


class NewestFirst(NearLinks):
    """The rows of one moment come oldest first all the same, as their ids want it."""

    def __init__(self) -> None:
        super().__init__()
        self.moment: list[tuple[int, HistoryRow]] = []
        # Rollbacks that reach beyond the row that leaves and beyond one another, the shortest last.
        self.reaching: list[LinkedRow] = []

    def link(self, rows: Iterable[tuple[int, HistoryRow]]) -> Iterator[LinkedRow]:
        for id_, row in rows:
            if self.moment and self.moment[-1][1].deployed_at != row.deployed_at:
                yield from self.link_moment()
            self.moment.append((id_, row))

    def link_moment(self) -> Iterator[LinkedRow]:
        turned, self.moment = self.moment[::-1], []
        return super().link(turned)

    def rest(self) -> Iterator[LinkedRow]:
        yield from self.link_moment()
        yield from super().rest()

    def follows(self, new: LinkedRow, last: LinkedRow) -> bool:
        return new.row.deployed_at <= last.row.deployed_at

    def meet(self, new: LinkedRow, same: LinkedRow | None) -> None:
        if same and not self.is_duplicate(new, same):
            same.restores, same.restores_id = new.place, new.id
        self.keep(new)

    def leave(self) -> LinkedRow:
        gone = super().leave()
        self.forget_reaching(gone.place)
        if self.reaching:
            gone.rolled_back_by_id = self.reaching[-1].id
        if gone.restores_id:
            self.forget_reaching(gone.restores)
            self.reaching.append(gone)
        return gone

    def forget_reaching(self, place: int) -> None:
        """Those that do not reach beyond this place."""
        while self.reaching and self.reaching[-1].restores <= place:
            self.reaching.pop()
