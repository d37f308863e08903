"""Lists as CSV, streamed, so that long ones take no memory."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse

# A spreadsheet reads a cell that begins like this as a formula, which may send other cells elsewhere.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# Sending a line takes as long as formatting it, so many are sent at once.
LINES_AT_ONCE = 200


class Echo:
    """A file whose ``write`` returns the line."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def in_pieces(lines: Iterable[str]) -> Iterator[str]:
    remaining = iter(lines)
    while piece := "".join(islice(remaining, LINES_AT_ONCE)):
        yield piece


def csv_response(filename: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    writer = csv.writer(Echo())
    return StreamingHttpResponse(
        in_pieces(writer.writerow([safe_cell(cell) for cell in row]) for row in rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
