"""Imports that were confirmed on a page: the worker does them, and the page shows how far they are.

A job is the row of its draft. The worker that does it holds a lease on that row and renews it. If it is killed, the
lease runs out and another worker starts again. The last statement of an import's transaction says that the job is done,
and only the holder of the lease may say so: nothing is imported twice.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Thread
from time import monotonic
from types import TracebackType

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from deployments.errors import BadHistory, RegistrationError, UnknownEnvironment
from deployments.imports.drafts import history_of
from deployments.imports.file_history import as_history
from deployments.imports.importing import import_history
from deployments.models import DraftChunk, ImportDraft
from deployments.models.history_import import STARTABLE, UNFINISHED, ImportState
from deployments.registration.statements import TargetRow, find_targets
from orgs.audit import Actor, acting_as
from orgs.models import User
from orgs.text import shortened

logger = logging.getLogger(__name__)

TASK = "deployments.tasks.run_imports"
LEASE = timedelta(seconds=60)
SECONDS_BETWEEN_REPORTS = 0.5
MAX_ATTEMPTS = 3
# Thousands of wrong lines are shown by the preview.
MAX_ERROR_LENGTH = 1_000


class LeaseLost(Exception):
    """The job was cancelled, or another worker has taken it over."""


@transaction.atomic
def request_import(*, draft: ImportDraft, member: User, address: str) -> None:
    """Have the worker import the draft. Changes nothing if it is doing so already or has done it."""
    startable = ImportDraft.objects.filter(pk=draft.pk, state__in=STARTABLE)
    requested = startable.update(
        state=ImportState.WAITING,
        user=member,
        address=address,
        error="",
        # A worker that does not know yet that the job was cancelled must not take the new lease for its own.
        attempts=(F("attempts") + MAX_ATTEMPTS - 1) / MAX_ATTEMPTS * MAX_ATTEMPTS,
        read_count=0,
        deploy_count=None,
        stored_count=0,
    )
    if requested:
        transaction.on_commit(nudge_worker)


def cancel_import(*, draft: ImportDraft) -> bool:
    """Returns whether it was unfinished. If so, nothing is stored."""
    unfinished = ImportDraft.objects.filter(pk=draft.pk, state__in=UNFINISHED)
    return unfinished.update(state=ImportState.CANCELLED, leased_until=None) > 0


def nudge_worker() -> None:
    """In a thread, since a broker may take its time to fail. Without a nudge the job waits for the next sweep."""
    Thread(target=send_task, name="nudge-worker", daemon=True).start()


def send_task() -> None:
    # By the first nudge, because a web worker that only registers can do without Celery's 6 MB.
    app = import_string(settings.TASK_SENDER)
    try:
        app.send_task(TASK, retry=False)
    except Exception as error:  # any kind, as the broker is any of several
        logger.warning("The worker was not nudged: %s", error)


# --- In the worker ---


def run_due_imports() -> int:
    """Do one import after another until none is due. Returns how many were taken."""
    count = 0
    while draft := take_due_import():
        run_import(draft)
        count += 1
    return count


def take_due_import() -> ImportDraft | None:
    """The oldest job that waits or whose worker was lost, with a lease on it."""
    now = timezone.now()
    due = ImportDraft.objects.filter(
        Q(state=ImportState.WAITING) | Q(state=ImportState.RUNNING, leased_until__lt=now)
    ).order_by("id")
    for draft in due.select_related("deployment__organization", "environment", "user"):
        mine = due.filter(pk=draft.pk, attempts=draft.attempts)
        if draft.state == ImportState.RUNNING and draft.attempts % MAX_ATTEMPTS == 0:
            mine.update(
                state=ImportState.FAILED,
                error=f"The import was started {MAX_ATTEMPTS} times and ended without a result each time. "
                "The log of the worker says why.",
            )
            continue
        draft.attempts += 1
        if mine.update(
            state=ImportState.RUNNING,
            attempts=draft.attempts,
            leased_until=now + LEASE,
            read_count=0,
            deploy_count=None,
            stored_count=0,
        ):
            return draft
    return None


def held(draft: ImportDraft) -> QuerySet[ImportDraft]:
    """The draft for as long as the lease on it is ours. Each lease has another number of ``attempts``, which
    never goes back: each request of an import rounds it up to a multiple of MAX_ATTEMPTS."""
    return ImportDraft.objects.filter(pk=draft.pk, state=ImportState.RUNNING, attempts=draft.attempts)


def run_import(draft: ImportDraft) -> None:
    """Ends with a draft that is done or failed, or, if the lease was lost, with nothing changed.

    Other errors, such as a database that went away, leave the job to the next sweep after the lease.
    """
    try:
        with Progress(draft) as progress:
            import_draft(draft, progress)
    except LeaseLost:
        pass
    except RegistrationError as error:
        held(draft).update(state=ImportState.FAILED, leased_until=None, error=shortened(str(error), MAX_ERROR_LENGTH))


def import_draft(draft: ImportDraft, progress: "Progress") -> None:
    with history_of(draft) as file:
        new = as_history(file.read_all(progress.read), records_redeploys=draft.deployment.records_redeploys)
    progress.checked(len(new.rows), len(new.deploys))
    with transaction.atomic(), acting_as(Actor.for_user(draft.user, address=draft.address or "")):
        done = import_history(
            target=target_of_draft(draft),
            new=new,
            replaces=draft.replaces,
            token_id=None,
            imported_by=draft.user.email,
            file_name=draft.file_name,
            on_stored=progress.stored,
        )
        if done.pk is None:
            raise BadHistory("Nothing is missing: every deploy of the file is there already.")
        DraftChunk.objects.filter(draft=draft).delete()
        if not held(draft).update(
            state=ImportState.DONE, leased_until=None, history_import=done, stored_count=done.deploy_count
        ):
            raise LeaseLost


def target_of_draft(draft: ImportDraft) -> TargetRow:
    """Raises UnknownEnvironment if the environment or the deployment was deleted."""
    targets = find_targets(draft.deployment.organization_id, draft.deployment.slug)
    target = next((target for target in targets if target.environment_id == draft.environment_id), None)
    if target is None:
        raise UnknownEnvironment(f"{draft.environment} is no environment of {draft.deployment} any more.")
    return target


class Progress:
    """Writes how far an import is and renews its lease, at most twice a second.

    On PostgreSQL a thread does so on a connection of its own, since nobody sees what a transaction has written before
    its end. SQLite has one writer at a time, which is the import itself while it stores.

    The methods raise LeaseLost.
    """

    def __init__(self, draft: ImportDraft) -> None:
        self.draft = draft
        self.next_report = 0.0
        self.thread = ThreadPoolExecutor(1, "import-progress") if connection.vendor == "postgresql" else None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.thread:
            self.thread.submit(connections.close_all)
            self.thread.shutdown()

    def read(self, count: int) -> None:
        if monotonic() >= self.next_report:
            self.write(read_count=count)

    def checked(self, rows: int, deploys: int) -> None:
        self.write(read_count=rows, deploy_count=deploys)

    def stored(self, count: int) -> None:
        if self.thread and monotonic() >= self.next_report:
            self.write(stored_count=count)

    def write(self, **counts: int) -> None:
        self.next_report = monotonic() + SECONDS_BETWEEN_REPORTS
        if self.thread:
            self.thread.submit(self.renew, counts).result()
        else:
            self.renew(counts)

    def renew(self, counts: dict[str, int]) -> None:
        if not held(self.draft).update(leased_until=timezone.now() + LEASE, **counts):
            raise LeaseLost
