"""Lists as CSV, streamed, so that long ones take no memory."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from django.http import StreamingHttpResponse

# A spreadsheet reads a cell that begins like this as a formula, which may send other cells elsewhere.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# Sending a line takes as long as formatting it, so many are sent at once.
LINES_AT_ONCE = 200
BROKEN_OFF = "This download broke off: lines are missing. Start it again."


class Echo:
    """A file whose ``write`` returns the line."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """Apostrophes before it count as well, so that :func:`plain_cell` knows which one was added."""
    return text.startswith((*FORMULA_STARTS, "'")) and text.lstrip("'").startswith(FORMULA_STARTS)


def plain_cell(cell: str) -> str:
    """The text that :func:`safe_cell` or a spreadsheet (``="1e5"``) kept from being read as a formula or a number."""
    if cell.startswith("'") and is_formula(cell):
        return cell[1:]
    if cell.startswith('="') and cell.endswith('"') and len(cell) > len('=""'):
        return cell[2:-1].replace('""', '"')
    return cell


def in_pieces(lines: Iterable[str], *, broken_off: str) -> Iterator[str]:
    """The first piece is read at once, so that an error there becomes the answer.

    ``broken_off`` is the last line if reading fails later: the status has been sent by then, and some servers and
    proxies end the answer as if it were whole.
    """
    remaining = iter(lines)
    return chain(["".join(islice(remaining, LINES_AT_ONCE))], following_pieces(remaining, broken_off))


def following_pieces(remaining: Iterator[str], broken_off: str) -> Iterator[str]:
    try:
        while piece := "".join(islice(remaining, LINES_AT_ONCE)):
            yield piece
    except Exception:
        yield broken_off
        raise


def csv_response(filename: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    writer = csv.writer(Echo())
    return StreamingHttpResponse(
        in_pieces((writer.writerow([safe_cell(cell) for cell in row]) for row in rows), broken_off=f"{BROKEN_OFF}\r\n"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
