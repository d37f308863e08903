"""Where a page of deploys, or of other things in the order of time, begins, as it stands in a URL."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from deployments.models import Deploy, ManualChange
from deployments.registration import history

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Sixteen digits of microseconds end in 2286.
KEY = re.compile(r"([0-9]{1,16})-([0-9]{1,18})")

NEWEST_FIRST = ("-deployed_at", "-id")
OLDEST_FIRST = ("deployed_at", "id")


@dataclass(frozen=True, slots=True)
class Key:
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

    def older(self) -> Q:
        return history.before(Deploy(deployed_at=self.at, id=self.id))

    def newer(self) -> Q:
        return history.after(Deploy(deployed_at=self.at, id=self.id))

    def not_older(self) -> Q:
        return Q(deployed_at__gte=self.at) & (Q(deployed_at__gt=self.at) | Q(id__gte=self.id))

    def not_newer(self) -> Q:
        return Q(deployed_at__lte=self.at) & (Q(deployed_at__lt=self.at) | Q(id__lte=self.id))


# --- Where a page of a timeline begins that has deploys and manual changes in one order ---

ENTRY_KEY = re.compile(r"([0-9]{1,16})-(c?)([0-9]{1,18})")
LARGEST_ID = 2**63 - 1

Entry = Deploy | ManualChange


@dataclass(frozen=True, slots=True, order=True)
class EntryKey:
    """Entries are ordered by this. Of one moment the deploys come first, then the manual changes."""

    at: datetime
    is_change: bool
    id: int

    def __str__(self) -> str:
        """That of a deploy is its Key's."""
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

    @classmethod
    def of_deploys(cls, key: Key) -> "EntryKey":
        return cls(key.at, False, key.id)

    def among_deploys(self) -> Key:
        """What divides the deploys where this divides all entries."""
        return Key(self.at, LARGEST_ID if self.is_change else self.id)

    # What divides the manual changes: of a deploy's moment all of them come after it.

    @property
    def change_id(self) -> int:
        return self.id if self.is_change else 0

    def older_changes(self) -> Q:
        return Q(changed_at__lte=self.at) & (Q(changed_at__lt=self.at) | Q(pk__lt=self.change_id))

    def newer_changes(self) -> Q:
        return Q(changed_at__gte=self.at) & (Q(changed_at__gt=self.at) | Q(pk__gt=self.change_id))

    def not_older_changes(self) -> Q:
        return Q(changed_at__gte=self.at) & (Q(changed_at__gt=self.at) | Q(pk__gte=self.change_id))

    def not_newer_changes(self) -> Q:
        return Q(changed_at__lte=self.at) & (Q(changed_at__lt=self.at) | Q(pk__lte=self.change_id))
