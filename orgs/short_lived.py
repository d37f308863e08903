"""Short-lived environments: calls create them by a project's patterns, such as review/*, and they end by themselves.

They come after the promotion path. Each deploy moves the end on; then the environment is deleted, and a later call may
create one of the same name.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet

from orgs.models import Environment, Project

MAX_PATTERNS = 20
DEFAULT_DAYS = 14
# The position of all of them, after that of any other environment.
POSITION = 10_000
PATTERN = re.compile(r"[^*\x00-\x1f\x7f]{1,99}\*")


def clean_patterns(patterns: Sequence[str]) -> list[str]:
    """Each once. Raises ValidationError."""
    cleaned = list(dict.fromkeys(pattern.strip() for pattern in patterns))
    if len(cleaned) > MAX_PATTERNS:
        raise ValidationError(
            {"short_lived_patterns": f"There are {len(cleaned)} patterns: at most {MAX_PATTERNS} are possible."}
        )
    for pattern in cleaned:
        if not PATTERN.fullmatch(pattern):
            raise ValidationError(
                {"short_lived_patterns": f"{pattern!r} must be the beginning of a name and a *, such as review/*."}
            )
    return cleaned


def allows(project: Project, name: str) -> bool:
    """Whether a call may create an environment of this name."""
    folded = name.casefold()
    beginnings = (pattern[:-1].casefold() for pattern in project.short_lived_patterns)
    return any(folded.startswith(beginning) and folded != beginning for beginning in beginnings)


def end_of(project: Project, now: datetime) -> datetime:
    return now + timedelta(days=project.short_lived_days)


def move_end(*, environment_id: int, days: int, now: datetime) -> bool:
    """Whether the environment is still there."""
    return bool(Environment.objects.filter(pk=environment_id).update(ends_at=now + timedelta(days=days)))


def without_ended(environments: QuerySet[Environment]) -> QuerySet[Environment]:
    """Leaves out those that were deleted because their end had come: nobody deleted them."""
    return environments.filter(Q(ends_at=None) | Q(deleted_at=None) | Q(deleted_at__lt=F("ends_at")))


def short_lived_environments(project: Project) -> list[Environment]:
    """The active ones, newest first."""
    return list(project.environments.exclude(ends_at=None).order_by("-pk"))
