"""Positions in lists in the order of time. A URL names one to say where a page begins."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from deployments.models import Deploy, ManualChange

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Sixteen digits of microseconds last until 2286.
KEY = re.compile(r"([0-9]{1,16})-(c?)([0-9]{1,18})")
LARGEST_ID = 2**63 - 1

Entry = Deploy | ManualChange


def in_order(column: str = "deployed_at", *, newest_first: bool = True) -> tuple[str, str]:
    """For ``order_by``."""
    return (f"-{column}", "-pk") if newest_first else (column, "pk")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A position in a list. In a timeline, the manual changes of a moment are newer than its deploys."""

    at: datetime
    is_change: bool
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{'c' if self.is_change else ''}{self.id}"

    @classmethod
    def of(cls, entry: Entry) -> "Key":
        if isinstance(entry, ManualChange):
            return cls(entry.changed_at, True, entry.pk)
        return cls(entry.deployed_at, False, entry.pk)

    @classmethod
    def parse(cls, text: str) -> "Key | None":
        match = KEY.fullmatch(text)
        return match and cls(EPOCH + timedelta(microseconds=int(match[1])), bool(match[2]), int(match[3]))

    def beyond(self, column: str = "deployed_at", *, newest_first: bool = True) -> Q:
        """Rows of the list by ``column`` that come after this position when reading in that order."""
        return self.compared(column, "lt" if newest_first else "gt", "")

    def up_to(self, column: str = "deployed_at", *, newest_first: bool = True) -> Q:
        """Rows of the list by ``column`` that come before this position when reading in that order, or are at it."""
        return self.compared(column, "gt" if newest_first else "lt", "e")

    def compared(self, column: str, step: str, or_equal: str) -> Q:
        pk = self.id
        if self.is_change != (column == "changed_at"):
            pk = LARGEST_ID if self.is_change else 0
        same_moment = Q((f"pk__{step}{or_equal}", pk))
        # The first condition is redundant, but an index can find it.
        return Q((f"{column}__{step}e", self.at)) & (Q((f"{column}__{step}", self.at)) | same_moment)
