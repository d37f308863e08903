from collections.abc import Mapping
from types import TracebackType

from django.core.exceptions import ValidationError


class ProvisioningError(Exception):
    """``lines`` says what is wrong with the file, one line a problem, each with its place in the file."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = [one_line(line) for line in lines]
        super().__init__("\n".join(self.lines))


def one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


class Problems:
    """Collects what is wrong, so that a person corrects the whole file at once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def add(self, path: str, sentence: str) -> None:
        self.lines.append(f"{path}: {sentence}")

    def warn(self, path: str, sentence: str) -> None:
        """Of what is applied all the same."""
        self.warnings.append(one_line(f"{path}: {sentence}"))

    def at(self, path: str, **keys: str) -> "Place":
        """A block in which a service's ValidationError becomes problems, and ends the block.

        ``keys`` are the file's words for fields that the model calls otherwise.
        """
        return Place(self, path, keys)


class Place:
    def __init__(self, problems: Problems, path: str, keys: Mapping[str, str]) -> None:
        self.problems = problems
        self.path = path
        self.keys = keys

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, ValidationError):
            return False
        fields = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        for field, sentences in fields.items():
            place = self.path if field == "__all__" else f"{self.path}.{self.keys.get(field, field)}"
            for sentence in sentences:
                self.problems.add(place, sentence)
        return True
