"""Commands, and what their arguments have in common."""

from argparse import ArgumentTypeError
from collections.abc import Callable


def number(most: int) -> Callable[[str], int]:
    """The type of an argument that is a number from 1 to ``most``. A mistake ends the command with one line."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= most):
            raise ArgumentTypeError(f"'{text}' is not a number from 1 to {most:,}.")
        return int(text)

    return parse
