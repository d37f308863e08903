"""Bytes of a CSV file → its rows, as lists of cells."""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from deployments.errors import BadHistory

DELIMITERS = (",", ";", "\t")
# In bytes. A file that is not CSV may be one line, and a quotation mark that is never closed takes in all that follows.
MAX_LINE = 200_000
MAX_ROW = 1_000_000
BARE_RETURN = re.compile(rb"\r[^\r\n]")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Lines:
    """The file's lines as text, with the number of the current one."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.number = 0
        # Where the current row begins, and its bytes so far.
        self.start = 1
        self.row_length = 0

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not empty, each with the line where it begins. Raises BadHistory."""
        lines = iter(self)
        try:
            first = self.first_line(lines)
            rows = csv.reader(chain([first], lines), delimiter=delimiter_of(first), skipinitialspace=True)
            for cells in rows:
                if any(cells) and not "".join(cells).isspace():
                    yield self.start, cells
                self.start, self.row_length = self.number + 1, 0
        except csv.Error:
            raise BadHistory(
                f"Line {self.start} is not CSV: write line breaks and commas in quotation marks."
            ) from None

    def first_line(self, lines: Iterator[str]) -> str:
        """The first that is not empty."""
        for line in lines:
            if line.strip():
                return line
            self.start, self.row_length = self.number + 1, 0
        return ""

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(MAX_LINE + 1):
            self.number += 1
            self.row_length += len(line)
            if self.number == 1:
                line = self.checked_first_line(line)
            if len(line) > MAX_LINE or self.row_length > MAX_ROW:
                raise BadHistory(f"Line {self.number} is too long: end each row, and what is in quotation marks.")
            # Bytes that are not UTF-8 matter only in a column that is read.
            yield line.decode("utf-8", "surrogateescape")
        if self.row_length:
            # The CSV reader asked for another line within a row.
            raise BadHistory(f"Line {self.start} opens a quotation mark that is not closed.")

    def checked_first_line(self, line: bytes) -> bytes:
        if line.startswith(UTF_16_MARKS) or b"\0" in line:
            raise BadHistory("The file is not UTF-8 text: save it as CSV in UTF-8.")
        if BARE_RETURN.search(line):
            # Spreadsheets on a Mac offer such files as "CSV (Macintosh)".
            raise BadHistory("The file's lines end with a carriage return alone: save it as CSV for Windows or Unix.")
        return line.removeprefix(b"\xef\xbb\xbf")


def delimiter_of(first_line: str) -> str:
    """A spreadsheet writes semicolons where the decimal point is a comma."""
    return max(DELIMITERS, key=first_line.count)
