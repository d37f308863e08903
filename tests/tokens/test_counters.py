"""Counters that the web workers of one machine share."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from time_machine import travel

from tests.imports.histories import START
from tokens import counters
from tokens.counters import SharedCounters

COUNT_IN_ANOTHER_PROCESS = """
import sys
from django.conf import settings
settings.configure()
from tokens.counters import SharedCounters
shared = SharedCounters(sys.argv[1], {})
for _ in range(500):
    shared.incr("calls")
"""


@pytest.fixture
def shared(tmp_path: Path) -> SharedCounters:
    return SharedCounters(str(tmp_path / "counters"), {})


def test_a_counter_is_added_once_and_counted_up(shared: SharedCounters) -> None:
    assert shared.add("calls", 1, 60) is True
    assert shared.add("calls", 1, 60) is False
    assert [shared.incr("calls"), shared.incr("calls", 5), shared.get("calls")] == [2, 7, 7]


def test_keys_and_versions_count_apart(shared: SharedCounters) -> None:
    shared.add("a", 1, 60)
    shared.add("b", 10, 60)
    shared.add("a", 100, 60, version=2)

    assert [shared.incr("a"), shared.incr("b"), shared.incr("a", version=2)] == [2, 11, 101]


def test_what_was_never_added_has_no_count(shared: SharedCounters) -> None:
    assert shared.get("calls", "nothing") == "nothing"
    with pytest.raises(ValueError, match="no counter"):
        shared.incr("calls")


def test_a_counter_ends_with_its_time_and_counting_does_not_prolong_it(shared: SharedCounters) -> None:
    with travel(START, tick=False):
        shared.add("calls", 1, 60)
        shared.add("for ever", 1, None)
    with travel(START + timedelta(seconds=59), tick=False):
        assert shared.incr("calls") == 2
    with travel(START + timedelta(seconds=60), tick=False):
        assert [shared.get("calls"), shared.get("for ever")] == [None, 1]
        assert shared.add("calls", 1, 60) is True


def test_clear_forgets_all(shared: SharedCounters) -> None:
    shared.add("calls", 1, 60)
    shared.clear()
    assert shared.get("calls") is None


def test_where_there_is_no_room_the_counter_that_ends_first_gives_way(
    shared: SharedCounters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "SLOTS", counters.SLOTS_OF_A_KEY)
    for seconds in range(60, 60 + counters.SLOTS_OF_A_KEY):
        shared.add(seconds, 1, seconds)

    assert shared.add("another", 1, 60) is True
    assert shared.get(60) is None
    assert [shared.get(61), shared.get("another")] == [1, 1]


@pytest.mark.parametrize("run", ["threads", "processes"])
def test_no_count_is_lost_between(shared: SharedCounters, tmp_path: Path, run: str) -> None:
    shared.add("calls", 0, 600)
    count: Callable[[int], object]
    if run == "threads":

        def count(_: int) -> None:
            for _ in range(500):
                shared.incr("calls")

    else:

        def count(_: int) -> None:
            command = [sys.executable, "-c", COUNT_IN_ANOTHER_PROCESS, str(tmp_path / "counters")]
            subprocess.run(command, check=True)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))

    assert shared.get("calls") == 2000


COUNT_ON_A_FULL_DISK = """
import resource, signal, sys
from django.conf import settings
settings.configure()
from tokens.counters import SharedCounters
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
shared = SharedCounters(sys.argv[1], {})
try:
    shared.add("calls", 1, 60)
except OSError:
    print("not counted")
"""


def test_a_disk_without_room_ends_no_process(tmp_path: Path) -> None:
    """A limit of a file's size stands for the full disk."""
    command = [sys.executable, "-c", COUNT_ON_A_FULL_DISK, str(tmp_path / "counters")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "not counted\n"


def test_the_file_has_its_room_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    path.write_bytes(b"")
    SharedCounters(str(path), {}).add("calls", 1, 60)
    assert path.stat().st_blocks * 512 >= path.stat().st_size
