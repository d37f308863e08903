"""Where a page of deploys begins, as it stands in a URL."""

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
    deployed_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.deployed_at - EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def of(cls, deploy: Deploy) -> "Key":
        return cls(deploy.deployed_at, deploy.id)

    @classmethod
    def parse(cls, text: str) -> "Key | None":
        match = KEY.fullmatch(text)
        return match and cls(EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))

    def older(self) -> Q:
        return history.before(Deploy(deployed_at=self.deployed_at, id=self.id))

    def newer(self) -> Q:
        return history.after(Deploy(deployed_at=self.deployed_at, id=self.id))

    def not_older(self) -> Q:
        at = self.deployed_at
        return Q(deployed_at__gte=at) & (Q(deployed_at__gt=at) | Q(id__gte=self.id))

    def not_newer(self) -> Q:
        at = self.deployed_at
        return Q(deployed_at__lte=at) & (Q(deployed_at__lt=at) | Q(id__lte=self.id))
