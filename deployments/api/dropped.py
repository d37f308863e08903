"""What was changed in a call so that it need not be rejected, in words for its sender and for the request log."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from orgs.text import REPLACEMENT, printable, shortened
from tokens.secrets import REDACTED

HEADER = "X-Dropped"
# Proxies limit headers to some kilobytes together.
MAX_HEADER_LENGTH = 500
MAX_SENTENCES = 20
MAX_NAME_LENGTH = 100
INDEX = re.compile(r"\[\d+\]")


class Dropped:
    """Of many changes of one kind, such as the same member of many commits, the first one is told, and their number."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, str], str] = {}
        self.counts: dict[tuple[str, str], int] = {}

    def leave_out(self, path: str, why: Callable[[], str]) -> None:
        """``why`` is called for the first of its kind only."""
        self.add(path, "left out", lambda: f"left out: {why()}")

    def cut(self, path: str, most: int) -> None:
        self.add(path, "cut", lambda: f"cut at {most:,} characters")

    def cut_list(self, path: str, count: int, most: int, kept: str = "") -> None:
        self.add(path, "cut", lambda: f"cut at {kept}{most:,} of {count:,} entries")

    def add(self, path: str, kind: str, change: Callable[[], str]) -> None:
        key = INDEX.sub("[]", path), kind
        if key not in self.first and len(self.first) < MAX_SENTENCES:
            self.first[key] = f"{path} {change()}"
        self.counts[key] = self.counts.get(key, 0) + 1

    def sentences(self) -> tuple[str, ...]:
        told = tuple(
            printable(f"{sentence} (and {more:,} more)" if (more := self.counts[key] - 1) else sentence)
            for key, sentence in self.first.items()
        )
        others = len(self.counts) - len(self.first)
        return (*told, f"{others:,} more changes") if others else told


def cut(path: str, text: str, most: int, dropped: Dropped) -> str:
    if len(text) > most:
        dropped.cut(path, most)
    return text[:most]


def step(path: str, name: str) -> str:
    """The path of a member."""
    return f"{path}.{shortened(name, MAX_NAME_LENGTH)}" if path else shortened(name, MAX_NAME_LENGTH)


def dropped_header(sentences: Sequence[str]) -> dict[str, str]:
    """The header that an answer has if something was changed."""
    if not sentences:
        return {}
    text = "; ".join(sentences).encode("ascii", "backslashreplace").decode()
    return {HEADER: text if len(text) <= MAX_HEADER_LENGTH else f"{text[: MAX_HEADER_LENGTH - 3]}..."}


# --- What was cleaned before anything was read ---

# The call itself has its token there.
CREDENTIALS = ("api_key", "token")


def tell_differences(sent: Any, cleaned: Any, dropped: Dropped, path: str = "") -> None:
    """Tell what is different in ``cleaned``, which has the form of ``sent``."""
    if isinstance(sent, dict) and len(sent) == len(cleaned):
        for (name, value), (new_name, other) in zip(sent.items(), cleaned.items(), strict=True):
            if name != new_name:
                tell_differences(name, new_name, dropped, f"name {step(path, new_name)}")
            if value != other and (path or name not in CREDENTIALS):
                tell_differences(value, other, dropped, step(path, name))
    elif isinstance(sent, list):
        for index, (value, other) in enumerate(zip(sent, cleaned, strict=True)):
            if value != other:
                tell_differences(value, other, dropped, f"{path}[{index}]")
    else:
        change = change_of(str(sent), str(cleaned))
        dropped.add(path, change, lambda: change)


def change_of(sent: str, cleaned: str) -> str:
    if cleaned.count(REDACTED) > sent.count(REDACTED):
        return "redacted where it looked like an access token"
    if cleaned.count(REPLACEMENT) > sent.count(REPLACEMENT):
        return "cleaned of what is no valid Unicode"
    return "cleaned of the user and password of an address"
