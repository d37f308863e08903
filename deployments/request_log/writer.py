"""Writing the request log beside the calls it is about.

A call leaves its facts in a queue of its process and is answered. Twice a second a thread stores what is in the queue,
many calls in one statement. So a registration does not wait for the log, and does not fail if the log fails. What is in
the queue when a process is killed is lost: the log helps people, but the deploys are the record.
"""

import atexit
import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Q
from django.utils import timezone

from deployments.api.body import charset_of
from deployments.api.dropped import MAX_HEADER_LENGTH
from deployments.models import Call, Deployment
from deployments.models.call import MAX_PATH_LENGTH, Outcome
from deployments.request_log.sent import in_short
from orgs.models import FormerSlug, Organization
from orgs.slugs import is_slug
from orgs.text import ip_address_or_none, storable
from tokens.secrets import redact
from tokens.statements import as_parameter, insert_sql

logger = logging.getLogger(__name__)

MAX_WAITING = 5_000
# If more than these wait, long bodies are left out: so many take up to 20 MB together.
MAX_WAITING_WITH_LONG_BODIES = 300
LONG_BODY_BYTES = 1024
SECONDS_BETWEEN_WRITES = 0.5


# The texts that come from callers, and how much of each is kept.
LENGTHS = {
    "method": 10,
    "path": MAX_PATH_LENGTH,
    "deployment_slug": 100,
    "project_slug": 100,
    "content_type": 200,
    "answer": 500,
    "explanation": 300,
    "dropped": MAX_HEADER_LENGTH,
    "agent": 200,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """A call and its answer. ``columns`` has what the table has, but for its organization and deployment, as it came.

    ``body`` is cut already. ``secrets`` are redacted from all texts.
    """

    organization_slug: str
    outcome: Outcome
    body: bytes
    secrets: tuple[str, ...]
    columns: dict[str, Any]

    @property
    def is_strangers(self) -> bool:
        """A token that was revoked, or has expired, is the organization's own."""
        return self.outcome == Outcome.UNAUTHORIZED and self.columns["token_id"] is None


class RequestLog:
    """The queue of one process and the thread that empties it, which starts with the first call."""

    def __init__(self) -> None:
        self.waiting: deque[LoggedCall] = deque(maxlen=MAX_WAITING)
        self.arrived = threading.Event()
        self.thread: threading.Thread | None = None
        self.starting = threading.Lock()
        self.budget = DailyBudget()

    def add(self, facts: LoggedCall) -> None:
        """If the database is so slow that hundreds of calls wait, long bodies are left out. Of more than MAX_WAITING
        calls the oldest are forgotten."""
        if len(self.waiting) >= MAX_WAITING_WITH_LONG_BODIES and len(facts.body) > LONG_BODY_BYTES:
            facts = replace(facts, body=b"")
        self.waiting.append(facts)
        if settings.REQUEST_LOG_THREAD:
            self.start()
            self.arrived.set()

    def start(self) -> None:
        if self.thread is None:
            with self.starting:
                if self.thread is None:
                    self.thread = threading.Thread(target=self.run, name="request-log", daemon=True)
                    self.thread.start()
                    atexit.register(self.flush)

    def run(self) -> None:
        pause = threading.Event()
        while True:
            self.arrived.wait()
            self.arrived.clear()
            pause.wait(SECONDS_BETWEEN_WRITES)
            try:
                close_old_connections()
                self.flush()
            except Exception:
                # The thread must go on, since no other one is started.
                logger.exception("Calls are missing from the request log.")

    def flush(self) -> None:
        """Store what waits. If the database fails, these calls are lost and nothing else."""
        facts = [self.waiting.popleft() for _ in range(len(self.waiting))]
        if not facts:
            return
        try:
            store(facts, self.budget)
        except DatabaseError:
            logger.exception("%d calls are missing from the request log.", len(facts))
            if not connection.in_atomic_block:
                connection.close()


class DailyBudget:
    """How many more calls of an organization are kept today (UTC), so that nobody can fill the disk.

    A tenth of it is for calls without a token of the organization, which anyone can make. A process counts the calls
    that others have kept only once an hour for each organization, so that together they may keep a little more.
    """

    SHARE_OF_STRANGERS: ClassVar = 10

    def __init__(self) -> None:
        self.hour: tuple[date, int] | None = None
        self.kept: dict[tuple[int, bool], int] = {}

    def take(self, organization_id: int, *, is_stranger: bool) -> bool:
        now = timezone.now()
        if self.hour != (now.date(), now.hour):
            self.hour = (now.date(), now.hour)
            self.kept.clear()
        key = (organization_id, is_stranger)
        if key not in self.kept:
            self.kept[key] = self.kept_today(organization_id, is_stranger=is_stranger)
        limit = settings.REQUEST_LOG_PER_DAY
        if self.kept[key] >= (limit // self.SHARE_OF_STRANGERS if is_stranger else limit):
            return False
        self.kept[key] += 1
        return True

    def kept_today(self, organization_id: int, *, is_stranger: bool) -> int:
        midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        calls = Call.objects.filter(organization=organization_id, created_at__gte=midnight)
        of_strangers = Q(outcome=Outcome.UNAUTHORIZED, token=None)
        return calls.filter(of_strangers if is_stranger else ~of_strangers).count()


def store(facts: list[LoggedCall], budget: DailyBudget) -> None:
    organizations = find_organizations({item.organization_slug for item in facts})
    kept = [
        (organization_id, item)
        for item in facts
        if (organization_id := organizations.get(item.organization_slug)) is not None
        and budget.take(organization_id, is_stranger=item.is_strangers)
    ]
    if not kept:
        return
    deployments = {
        (organization_id, slug): deployment_id
        for deployment_id, organization_id, slug in Deployment.objects.filter(
            organization__in={organization_id for organization_id, _ in kept},
            slug__in=filter(is_slug, {item.columns["deployment_slug"] for _, item in kept}),
        ).values_list("id", "organization_id", "slug")
    }
    insert_calls(
        [
            {
                **call_columns(item),
                "organization_id": organization_id,
                "deployment_id": deployments.get((organization_id, item.columns["deployment_slug"])),
            }
            for organization_id, item in kept
        ]
    )


def find_organizations(named: set[str]) -> dict[str, int]:
    slugs = list(filter(is_slug, named))
    former = FormerSlug.objects.filter(slug__in=slugs).values_list("slug", "organization_id")
    return dict(former) | dict(Organization.objects.filter(slug__in=slugs).values_list("slug", "id"))


def call_columns(facts: LoggedCall) -> dict[str, Any]:
    columns, secrets = facts.columns, facts.secrets
    texts = {name: storable(redact(columns[name], secrets))[:length] for name, length in LENGTHS.items()}
    body = storable(redacted_body(facts.body, columns["content_type"], secrets))
    return {
        **columns,
        **texts,
        "outcome": facts.outcome.value,
        "body": body,
        "sent": in_short(body, texts["path"]),
        "address": ip_address_or_none(columns["address"]),
        "created_at": as_parameter(columns["created_at"]),
    }


def redacted_body(body: bytes, content_type: str, secrets: Iterable[str]) -> str:
    """``body`` as its reader decodes it, redacted. It may be cut, or no text at all.

    UTF-16 with the label of another charset is full of NULs, between which nothing looks like a credential.
    """
    charset = charset_of(content_type, body)
    # ASCII has NULs in UTF-16: a body without any has that label by mistake.
    if charset is None or (charset.startswith("utf-16") and b"\0" not in body):
        charset = "utf-8"
    text = body.decode(charset, "replace")
    without_nuls = text.replace("\0", "")
    redacted = redact(without_nuls, secrets)
    return redacted if redacted != without_nuls else text


def insert_calls(calls: Sequence[Mapping[str, Any]]) -> None:
    """All or none. A model instance and the ORM's statement for each would take a tenth of a busy server's time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(insert_sql("deployments_call", calls[0]), [tuple(call.values()) for call in calls])


request_log = RequestLog()
