"""Arguments of commands. A wrong one is rejected in one line."""

from argparse import ArgumentTypeError
from collections.abc import Callable


def number(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= most):
            raise ArgumentTypeError(f"'{text}' is not a number from 1 to {most:,}.")
        return int(text)

    return parse
