"""Importing a file into a target's history, and undoing that."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from deployments.imports.file_history import History
from deployments.imports.merging import missing_from
from deployments.imports.rows import Rows
from deployments.models import Deploy, HistoryImport
from deployments.models.history_import import MAX_FILE_NAME_LENGTH
from deployments.registration import history, statements
from deployments.registration.registration import lead_time
from deployments.registration.statements import TargetRow
from deployments.registration.store import ensure_target, moved
from orgs import audit
from orgs.deletion import RESTORABLE
from orgs.models import Organization
from tokens.secrets import without_secrets
from tokens.statements import as_parameter, insert_sql


@transaction.atomic
def import_history(
    *,
    target: TargetRow,
    new: History,
    replaces: bool,
    token_id: int | None,
    imported_by: str,
    file_name: str = "",
    on_stored: Callable[[int], None] | None = None,
) -> HistoryImport:
    """Add to the target's history what it lacks, or replace it: then its deploys are deleted until :func:`undo_import`
    restores them. If nothing is missing, the import that is returned is not stored.

    Registrations of the target wait meanwhile and come after it. ``on_stored`` is called now and then with the number
    of deploys so far, where the database lets others see it. Raises TargetMoved.
    """
    target_id = target.target_id or ensure_target(target)
    _, environment_id = statements.lock_target(target_id)
    if environment_id != target.environment_id:
        raise moved(target)
    organization = Organization.objects.get(deployments=target.deployment_id)
    # Under the lock, so that it is later than the moment of any import before.
    now = timezone.now()
    replaced = 0
    if replaces:
        replaced = Deploy.objects.filter(target=target_id).update(deleted_at=now)
    else:
        new = missing_from(target_id, new)
    done = HistoryImport(
        organization=organization,
        target_id=target_id,
        imported_by=imported_by,
        file_name=without_secrets(file_name)[:MAX_FILE_NAME_LENGTH],
        replaced_count=replaced,
        created_at=now,
        **counts_of(new),
    )
    if not new.deploys:
        return done
    same = {
        "organization_id": organization.pk,
        "project_id": target.project_id,
        "deployment_id": target.deployment_id,
        "environment_id": target.environment_id,
        "target_id": target_id,
        "token_id": token_id,
        "created_at": now,
        "updated_at": now,
    }
    ids = store_deploys(new, same=same, on_stored=on_stored)
    if replaces:
        history.set_newest_live(target_id)
    else:
        history.relink_target(target_id)
    done.first_deploy_id, done.last_deploy_id = ids[0], ids[-1]
    done.save()
    record("import.applied", done)
    return done


def count_import(*, target: TargetRow, new: History, replaces: bool) -> HistoryImport:
    """What :func:`import_history` would give, as far as it counts. Writes nothing."""
    if replaces:
        replaced = Deploy.objects.filter(target=target.target_id).count()
        return HistoryImport(replaced_count=replaced, **counts_of(new))
    missing = missing_from(target.target_id, new) if target.target_id else new
    return HistoryImport(replaced_count=0, **counts_of(missing))


def counts_of(new: History) -> dict[str, int]:
    return {
        "deploy_count": len(new.deploys),
        "duplicate_count": len(new.duplicates),
        "unsuccessful_count": new.rows.unsuccessful,
    }


# --- Storing deploys, in one COPY on PostgreSQL and one statement for all of them on SQLite ---

# The database fills in the others.
TEXTS = ("branch", "title", "author_name", "author_email")
OF_A_ROW = ("sha", *TEXTS, "deployed_at", "first_commit_at", "lead_time", "id")
LINKS = ("restores_id", "rolled_back_by_id")
NULL = "\\N"
# So few that PostgreSQL need not wait for them.
ROWS_AT_ONCE = 250


def store_deploys(
    new: History, *, same: dict[str, Any], on_stored: Callable[[int], None] | None = None
) -> Sequence[int]:
    """Returns the ids, in the order of ``new.deploys``. ``same`` has the columns that have one value in all of them."""
    ids = statements.take_deploy_ids(len(new.deploys))
    if connection.vendor == "postgresql":
        copy_deploys(new, ids, same, on_stored)
    else:
        insert_deploys(new, ids, same)
    return ids


def copy_deploys(
    new: History, ids: Sequence[int], same: dict[str, Any], on_stored: Callable[[int], None] | None
) -> None:
    """The newest first, since the table's indexes have them so and grow fastest at their end."""
    columns = ", ".join((*same, *OF_A_ROW, *LINKS))
    with connection.cursor() as cursor, connection.wrap_database_errors:
        lines = copied(new, ids, "".join(f"{NULL if value is None else value}\t" for value in same.values()).encode())
        with cursor.copy(f"COPY deployments_deploy ({columns}) FROM STDIN") as copy:
            for number in range(ROWS_AT_ONCE, len(ids) + ROWS_AT_ONCE, ROWS_AT_ONCE):
                copy.write(b"".join(islice(lines, ROWS_AT_ONCE)))
                if on_stored:
                    on_stored(min(number, len(ids)))


def copied(new: History, ids: Sequence[int], beginning: bytes) -> Iterator[bytes]:
    """Lines in the text format of PostgreSQL's COPY, made by hand because psycopg takes five times as long."""
    rows = new.rows
    restores, rolled_back_by = new.rollbacks()
    for number in reversed(range(len(ids))):
        index = new.deploys[number]
        deployed_at, first_commit_at = rows.dates(index)
        lead = lead_time(first_commit_at, deployed_at)
        restored, undone_by = history.id_at(ids, restores.get(number)), history.id_at(ids, rolled_back_by.get(number))
        # No text has a tab or a line break.
        yield b"%b%b\t%b\t%b\n" % (
            beginning,
            rows.shas[index].replace(b"\\", b"\\\\"),
            rows.texts[index].replace(b"\\", b"\\\\"),
            f"{deployed_at}\t{first_commit_at or NULL}\t{NULL if lead is None else lead}\t{ids[number]}\t"
            f"{restored or NULL}\t{undone_by or NULL}".encode(),
        )


def insert_deploys(new: History, ids: Sequence[int], same: dict[str, Any]) -> None:
    """Rollbacks are linked afterwards: for a row that names one which is not there yet, SQLite would search the table
    at each row that follows. Nobody else can see how far it is."""
    insert = insert_sql("deployments_deploy", (*same, *OF_A_ROW))
    beginning = tuple(as_parameter(value) if isinstance(value, datetime) else value for value in same.values())
    rows = new.rows
    restores, rolled_back_by = new.rollbacks()
    with connection.cursor() as cursor:
        # In pieces, since Django would keep all that it is given until the end.
        for start in range(0, len(ids), ROWS_AT_ONCE):
            numbers = range(start, min(start + ROWS_AT_ONCE, len(ids)))
            cursor.executemany(insert, [(*beginning, *inserted(rows, new.deploys[n]), ids[n]) for n in numbers])
    history.set_links(
        (history.id_at(ids, restores.get(number)), history.id_at(ids, rolled_back_by.get(number)), ids[number])
        for number in sorted({*restores, *rolled_back_by})
    )


def inserted(rows: Rows, index: int) -> tuple[Any, ...]:
    deployed_at, first_commit_at = rows.dates(index)
    return (
        rows.shas[index].decode(),
        *rows.texts[index].decode().split("\t"),
        as_parameter(deployed_at),
        as_parameter(first_commit_at),
        lead_time(first_commit_at, deployed_at),
    )


# --- Undoing ---


@transaction.atomic
def undo_import(*, history_import: HistoryImport) -> None:
    """The history is again what it was, with the deploys that were registered since.

    Raises ValidationError if it was undone before, is too old, or a later import is based on it.
    """
    statements.lock_target(history_import.target_id)
    done = HistoryImport.objects.get(pk=history_import.pk)
    now = timezone.now()
    check_undoable(done)
    history_of_target = Deploy.objects.filter(target=done.target_id)
    history_of_target.filter(id__range=(done.first_deploy_id, done.last_deploy_id)).update(deleted_at=now)
    others = history_of_target.exists()
    Deploy.all_objects.filter(target=done.target_id, deleted_at=done.created_at).update(deleted_at=None)
    if others:
        history.relink_target(done.target_id)
    else:
        # Deploys that were deleted together still point to one another as they did.
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
    audit.record(action, done, changes=changes)


def forget_imports_beyond_undo(*, batch: int) -> int:
    """Delete the deploys of imports that cannot be undone any more, in short transactions. Returns how many."""
    total = 0
    for done in HistoryImport.objects.filter(created_at__lt=timezone.now() - RESTORABLE):
        replaced = Deploy.all_objects.filter(target=done.target_id, deleted_at=done.created_at)
        undone = Deploy.all_objects.filter(
            target=done.target_id, deleted_at=done.undone_at, id__range=(done.first_deploy_id, done.last_deploy_id)
        )
        for deploys in (replaced, undone) if done.undone_at else (replaced,):
            while ids := list(deploys.values_list("id", flat=True)[:batch]):
                Deploy.all_objects.filter(id__in=ids).delete()
                total += len(ids)
        done.delete()
    return total
