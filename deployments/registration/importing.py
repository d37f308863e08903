"""Replacing a target's history by that of a file, and taking that back."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from deployments.models import Deploy, HistoryImport, Target
from deployments.models.history_import import MAX_FILE_NAME_LENGTH
from deployments.registration import history, statements
from deployments.registration.errors import BadHistory
from deployments.registration.imported import HistoryRow
from deployments.registration.register import ensure_target, moved
from deployments.registration.staging import Staged, staging_tables
from deployments.registration.statements import Place
from orgs import audit
from orgs.deletion import RESTORABLE
from tokens.statements import as_parameter

# On PostgreSQL ids ascend but may have gaps, where other targets take theirs meanwhile. On SQLite nobody else writes.
FIND_SEQUENCE = "SELECT pg_get_serial_sequence('deployments_deploy', 'id')"
FIND_LAST_ID = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'deployments_deploy'"
INSERT_DEPLOYS = """
INSERT INTO deployments_deploy (
    id, organization_id, project_id, deployment_id, environment_id, target_id, token_id, created_at, updated_at,
    sha, version, branch, deployed_at, title, author_name, author_email, first_commit_at, lead_time,
    commit_count, file_count, pull_request_count, additions, deletions, restores_id, rolled_back_by_id
)
SELECT here.id, %s, %s, %s, %s, %s, %s, %s, %s,
       told.sha, '', told.branch, told.deployed_at, told.title, told.author_name, told.author_email,
       told.first_commit_at, told.lead_time, 0, 0, 0, 0, 0, here.restores_id, undone.undone_by
FROM (SELECT place, id, line, restores_id FROM import_place ORDER BY place) here
JOIN import_row told ON told.line = here.line
LEFT JOIN import_undone undone ON undone.place = here.place
"""
READ_BOUNDS = "SELECT min(id), max(id) FROM import_place"


@transaction.atomic
def import_history(
    *, place: Place, rows: Iterable[HistoryRow], token_id: int | None, imported_by: str, file_name: str = ""
) -> HistoryImport:
    """All rows or, where ``rows`` raises, none. Registrations of the target wait meanwhile, and come after it.

    The deploys that were there are deleted until :func:`undo_import` brings them back. Raises BadHistory where there is
    no row, and PlaceMoved.
    """
    target = Target.objects.select_related("deployment__organization").get(pk=place.target_id or ensure_target(place))
    with staging_tables():
        staged = Staged(rows)
        if not staged.row_count:
            raise BadHistory("Nothing was imported: the file has no row below its first line.")
        _, environment_id = statements.lock_target(target.pk)
        if environment_id != place.environment_id:
            raise moved(place)
        # Under the lock, so that it is later than that of any import before.
        now = timezone.now()
        replaced = Deploy.objects.filter(target=target).update(deleted_at=now)
        deploy_count = staged.place(**new_ids())
        first, last = insert_placed(
            [
                target.deployment.organization_id,
                place.project_id,
                place.deployment_id,
                place.environment_id,
                target.pk,
                token_id,
                as_parameter(now),
                as_parameter(now),
            ],
        )
        statements.set_live_deploy(target_id=target.pk, deploy_id=last)
        done = HistoryImport.objects.create(
            organization=target.deployment.organization,
            target=target,
            imported_by=imported_by,
            file_name=file_name[:MAX_FILE_NAME_LENGTH],
            deploy_count=deploy_count,
            duplicate_count=staged.row_count - deploy_count,
            replaced_count=replaced,
            first_deploy_id=first,
            last_deploy_id=last,
            created_at=now,
        )
    record("import.applied", done)
    return done


class NewIds(TypedDict):
    id_of_place: str
    parameters: Sequence[Any]


def new_ids() -> NewIds:
    """An expression that gives each new deploy its id."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(FIND_SEQUENCE)
            return {"id_of_place": "nextval(%s::regclass)", "parameters": cursor.fetchone()}
        cursor.execute(FIND_LAST_ID)
        return {"id_of_place": "place + %s", "parameters": cursor.fetchone()}


def insert_placed(where: Sequence[Any]) -> tuple[int, int]:
    """The first and the last id of what is new in deployments_deploy."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT_DEPLOYS, where)
        cursor.execute(READ_BOUNDS)
        first, last = cursor.fetchone()
    return first, last


@transaction.atomic
def undo_import(*, history_import: HistoryImport) -> None:
    """The history is again what it was, with the deploys that were registered since.

    Raises ValidationError where it was undone before, is too old, or a later import stands on it.
    """
    statements.lock_target(history_import.target_id)
    done = HistoryImport.objects.get(pk=history_import.pk)
    now = timezone.now()
    check_undoable(done)
    history_of_target = Deploy.objects.filter(target=done.target_id)
    history_of_target.filter(id__range=(done.first_deploy_id, done.last_deploy_id)).update(deleted_at=now)
    others = history_of_target.exists()
    Deploy.everything.filter(target=done.target_id, deleted_at=done.created_at).update(deleted_at=None)
    if others:
        history.relink_target(done.target_id)
    else:
        # What was deleted together still points to one another as it did.
        history.set_newest_live(done.target_id)
    done.undone_at = now
    done.save(update_fields=["undone_at"])
    record("import.undone", done)


def check_undoable(done: HistoryImport) -> None:
    if done.undone_at:
        raise ValidationError("This import was undone already.")
    if done.created_at < timezone.now() - RESTORABLE:
        raise ValidationError(f"This import is older than {RESTORABLE.days} days: it cannot be undone any more.")
    if HistoryImport.objects.filter(target=done.target_id, undone_at=None, id__gt=done.pk).exists():
        raise ValidationError("Another file was imported here later: undo that import first.")


def record(action: str, done: HistoryImport) -> None:
    changes = {"file": done.file_name, "deploys": done.deploy_count, "replaced": done.replaced_count}
    audit.record(action, done, organization=done.organization, changes=changes)


def forget_imports_beyond_undo(*, batch: int) -> int:
    """Delete for good what imports replaced that cannot be undone any more; how many deploys, in short transactions."""
    total = 0
    for done in HistoryImport.objects.filter(created_at__lt=timezone.now() - RESTORABLE):
        replaced = Deploy.everything.filter(target=done.target_id, deleted_at=done.created_at)
        taken_back = Deploy.everything.filter(
            target=done.target_id, deleted_at=done.undone_at, id__range=(done.first_deploy_id, done.last_deploy_id)
        )
        for deploys in (replaced, taken_back) if done.undone_at else (replaced,):
            while ids := list(deploys.values_list("id", flat=True)[:batch]):
                Deploy.everything.filter(id__in=ids).delete()
                total += len(ids)
        done.delete()
    return total
