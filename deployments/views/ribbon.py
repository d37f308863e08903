"""The drawing of a deploy's way from the first commit: its stages side by side, as long as they took."""

from collections.abc import Sequence
from dataclasses import dataclass

from deployments.queries.deploy_page import Stage

WIDTH = 1000
# So that a short stage can still be seen.
NARROWEST = 6


@dataclass(frozen=True, slots=True)
class Piece:
    stage: Stage
    number: int
    x: int
    width: int


def ribbon_of(stages: Sequence[Stage]) -> list[Piece]:
    room = WIDTH - NARROWEST * len(stages)
    total = sum(stage.seconds for stage in stages) or 1
    pieces: list[Piece] = []
    x = 0
    for number, stage in enumerate(stages, start=1):
        is_last = number == len(stages)
        width = WIDTH - x if is_last else NARROWEST + room * stage.seconds // total
        pieces.append(Piece(stage, number, x, width))
        x += width
    return pieces
