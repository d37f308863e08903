"""Rows that need no closer look are read a column at a time, and come out as those that are read one by one."""

import csv
from io import BytesIO, StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.imports import file
from deployments.imports.file import HistoryFile, fixed_cells
from deployments.imports.rows import Rows

COLUMNS = ("sha", "date", "branch", "title", "author", "email", "first_commit_at", "environment")
PLAIN = {
    "sha": st.integers(1, 2**160 - 1).map(lambda number: f"{number:040x}"),
    "date": st.datetimes().map(lambda moment: f"{moment.replace(year=2010 + moment.year % 10):%Y-%m-%dT%H:%M:%SZ}"),
    "branch": st.sampled_from(["main", "release/1", ""]),
    "title": st.sampled_from(["Fix: a, b", "Überfällig", ""]),
    "author": st.sampled_from(["Ann", ""]),
    "email": st.sampled_from(["ann@example.com", ""]),
    "first_commit_at": st.sampled_from(["2009-01-01T00:00:00Z", "2009-01-01 00:00:00Z", ""]),
    "environment": st.sampled_from(["production", "Production", ""]),
}
ODD = {
    "sha": ["v1.2", "", " abcdef0 ", "A" * 40, "a" * 256],
    "date": ["2011-01-01", "2011-01-01T00:00:00+02:00", "2011-13-01T00:00:00Z", "2099-01-01T00:00:00Z", "", "1999"],
    "branch": ["a\nb", "b" * 256],
    "title": ["two\nlines", " blanks ", "t" * 300, "tab\there"],
    "author": ["A\u00a0B", "n" * 300],
    "email": ["nobody", "x" * 260 + "@example.com", "\u0000"],
    "first_commit_at": ["yesterday", "2009-01-01", "2009-01-01T00:00:00.5Z"],
    "environment": ["staging"],
}
plain_rows = st.fixed_dictionaries(PLAIN)


@st.composite
def rows_with_odd_ones(draw: st.DrawFn) -> list[dict[str, str]]:
    rows = draw(st.lists(plain_rows, min_size=1, max_size=6))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(COLUMNS))
        draw(st.sampled_from(rows))[name] = draw(st.sampled_from(ODD[name]))
    return rows


def history_file(rows: list[dict[str, str]]) -> HistoryFile:
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    fixed = fixed_cells(deployment_slug="api", environment_slug="production", environment_name="Production")
    return HistoryFile(BytesIO(text.getvalue().encode("utf-8", "surrogateescape")), fixed=fixed)


def as_data(rows: Rows) -> dict[str, Any]:
    return {name: list(getattr(rows, name)) for name in ("shas", "deployed_at", "first_commit_at", "texts", "lines")}


def read_one_by_one(rows: list[dict[str, str]]) -> tuple[dict[str, Any], str]:
    """An odd row at the end, and all of its lot get a closer look."""
    one_by_one = history_file([*rows, {"sha": "v1", "date": "2011-01-01"}])
    data = as_data(one_by_one.read())
    return {name: values[:-1] for name, values in data.items()}, str(one_by_one.wrong)


@given(rows=rows_with_odd_ones())
def test_both_ways_of_reading_give_the_same(rows: list[dict[str, str]]) -> None:
    expected, wrong = read_one_by_one(rows)
    at_once = history_file(rows)

    assert as_data(at_once.read()) == expected
    assert str(at_once.wrong) == wrong


@given(rows=st.lists(plain_rows, min_size=1, max_size=6))
def test_plain_rows_are_read_at_once(rows: list[dict[str, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistoryFile, "read_past", None)
        assert len(history_file(rows).read()) == len(rows)


def test_lots_are_read_in_the_order_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "ROWS_AT_ONCE", 2)
    plain = {"date": "2011-01-01T00:00:00Z", "title": "A"}
    rows = [{**plain, "sha": sha} for sha in ("a" * 40, "b" * 40, "v1", "c" * 40, "d" * 40)]

    found = history_file(rows).read()

    assert [sha.decode() for sha in found.shas] == ["a" * 40, "b" * 40, "v1", "c" * 40, "d" * 40]
    assert list(found.lines) == [2, 3, 4, 5, 6]
