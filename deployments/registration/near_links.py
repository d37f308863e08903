"""Rollbacks that are near what they undo, linked while the rows of a history pass by.

A deploy that is linked after it was stored is written twice, and PostgreSQL checks all of its foreign keys twice. The
links are right where all rows come in the order of time, oldest or newest first, and none says what another says
already; :mod:`linking` mends the others, and adds those that reach farther.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deployments.registration.imported import HistoryRow

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
