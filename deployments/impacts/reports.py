"""What a caller reported of an incident, normalised."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from deployments.models import IncidentEventType


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """``external_id`` is the caller's, or empty; ``occurred_at`` none for now. Only a trigger has an ``ended_at``, and
    an ``occurred_at`` no later than that: it reports an incident that is over."""

    type: IncidentEventType
    external_id: str = ""
    occurred_at: datetime | None = None
    ended_at: datetime | None = None
    title: str = ""
    url: str = ""

    @property
    def resolves_all(self) -> bool:
        return self.type == IncidentEventType.RESOLVED and not self.external_id

    @property
    def key(self) -> str:
        """What tells the incidents of a source apart: the caller's id; else the title, and the dates of one that is
        over."""
        if self.external_id:
            parts = ["id", self.external_id]
        elif self.occurred_at and self.ended_at:
            parts = ["past", self.occurred_at.isoformat(), self.ended_at.isoformat(), self.title]
        else:
            parts = ["title", self.title]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
