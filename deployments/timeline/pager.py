"""Positions in lists in the order of time. A URL names one to say where a page begins."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from deployments.models import Deploy, ManualChange

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Sixteen digits of microseconds last until 2286.
KEY = re.compile(r"([0-9]{1,16})-([0-9]{1,18})")

NEWEST_FIRST = ("-deployed_at", "-id")
OLDEST_FIRST = ("deployed_at", "id")


def rows_beyond(column: str, at: datetime, pk: int, *, older: bool = True, inclusive: bool = False) -> Q:
    """Rows older or newer than a position in a list that is sorted by ``column`` and id.

    The first condition is redundant, but an index can find it.
    """
    step = "lt" if older else "gt"
    same_moment = Q((f"pk__{step}e" if inclusive else f"pk__{step}", pk))
    return Q((f"{column}__{step}e", at)) & (Q((f"{column}__{step}", at)) | same_moment)


@dataclass(frozen=True, slots=True)
class Key:
    """A position in a list of deploys."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def of(cls, deploy: Deploy) -> "Key":
        return cls(deploy.deployed_at, deploy.id)

    @classmethod
    def parse(cls, text: str) -> "Key | None":
        match = KEY.fullmatch(text)
        return match and cls(EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))

    def beyond(self, *, newest_first: bool = True) -> Q:
        """Deploys that come after this position when reading in that order."""
        return rows_beyond("deployed_at", self.at, self.id, older=newest_first)

    def up_to(self, *, newest_first: bool = True) -> Q:
        """Deploys that come before this position when reading in that order, and the one at it."""
        return rows_beyond("deployed_at", self.at, self.id, older=not newest_first, inclusive=True)


# --- Positions in a timeline, which mixes deploys and manual changes ---

ENTRY_KEY = re.compile(r"([0-9]{1,16})-(c?)([0-9]{1,18})")
LARGEST_ID = 2**63 - 1

Entry = Deploy | ManualChange


@dataclass(frozen=True, slots=True, order=True)
class EntryKey:
    """Sorts entries. At the same moment, deploys are older than manual changes."""

    at: datetime
    is_change: bool
    id: int

    def __str__(self) -> str:
        """For a deploy the same as its Key."""
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{'c' if self.is_change else ''}{self.id}"

    @classmethod
    def of(cls, entry: Entry) -> "EntryKey":
        if isinstance(entry, ManualChange):
            return cls(entry.changed_at, True, entry.pk)
        return cls(entry.deployed_at, False, entry.pk)

    @classmethod
    def parse(cls, text: str) -> "EntryKey | None":
        match = ENTRY_KEY.fullmatch(text)
        return match and cls(EPOCH + timedelta(microseconds=int(match[1])), bool(match[2]), int(match[3]))

    @property
    def deploy_key(self) -> Key:
        """The same position among the deploys alone."""
        return Key(self.at, LARGEST_ID if self.is_change else self.id)

    @property
    def change_id(self) -> int:
        """Manual changes of a deploy's moment are newer than the deploy."""
        return self.id if self.is_change else 0

    def changes_beyond(self, *, newest_first: bool = True) -> Q:
        """Manual changes that come after this position when reading in that order."""
        return rows_beyond("changed_at", self.at, self.change_id, older=newest_first)

    def changes_up_to(self, *, newest_first: bool = True) -> Q:
        """Manual changes that come before this position when reading in that order, and the one at it."""
        return rows_beyond("changed_at", self.at, self.change_id, older=not newest_first, inclusive=True)
