"""Where a page of deploys, or of other things in the order of time, begins, as it stands in a URL."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from deployments.models import Deploy
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
