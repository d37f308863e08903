"""CONTRIBUTING shows the way of ``sha`` from the wire to the row. It must stay one that a reader can follow."""

import re
import sys
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from tests.conftest import World

ROOT = Path(__file__).resolve().parents[2]
ROOMS = tuple(f"{ROOT / room}/" for room in ("config", "deployments", "orgs", "tokens"))
SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"


def files_met(world: World) -> list[str]:
    """Each of our files that a function with the sha among its arguments belongs to, in the order of the calls."""
    met: list[str] = []

    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(ROOMS):
            return
        arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(SHA in repr(frame.f_locals.get(name)) for name in arguments if name not in ("self", "request")):
            met.append(str(Path(code.co_filename).relative_to(ROOT)))

    sys.setprofile(look)
    try:
        assert world.register(sha=SHA).status_code == 200
    finally:
        sys.setprofile(None)
    return met


def test_it_passes_few_files_and_few_moves_between_them(ci: World) -> None:
    ci.register(sha="warm-up")

    met = files_met(ci)

    # Writing the request log is another way, which begins when the answer is made.
    way = [file for file in met if "request_log/writer" not in file]
    moves = sum(one != other for one, other in pairwise(way))
    assert len(set(way)) <= 10, sorted(set(way))
    assert moves <= 20, way


def test_contributing_names_them(ci: World) -> None:
    ci.register(sha="warm-up")
    way = {file for file in files_met(ci) if "request_log/writer" not in file}

    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## The way of a deploy")[2]
    named = set(re.findall(r"`((?:deployments|tokens|orgs|config)/[a-z_/]+\.py)`", section.partition("\n## ")[0]))

    assert way == named
