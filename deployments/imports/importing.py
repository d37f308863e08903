"""Replacing a target's history by that of a file, and taking that back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from deployments.errors import BadHistory
from deployments.imports.links import HistoryRow
from deployments.imports.placing import lacks_links, link_history
from deployments.imports.rows import store_rows
from deployments.models import Deploy, HistoryImport, Target
from deployments.models.history_import import MAX_FILE_NAME_LENGTH
from deployments.registration import history, statements
from deployments.registration.statements import TargetRow
from deployments.registration.store import ensure_target, moved
from orgs import audit
from orgs.deletion import RESTORABLE


@transaction.atomic
def import_history(
    *, place: TargetRow, rows: Iterable[HistoryRow], token_id: int | None, imported_by: str, file_name: str = ""
) -> HistoryImport:
    """All rows or, where ``rows`` raises, none. Registrations of the target wait meanwhile, and come after it.

    Rows become deploys as they are read: each is stored once, but for those whose links are not seen until all of them
    are there.

    The deploys that were there are deleted until :func:`undo_import` brings them back. Raises BadHistory where there is
    no row, and TargetMoved.
    """
    target = Target.objects.select_related("deployment__organization").get(pk=place.target_id or ensure_target(place))
    _, environment_id = statements.lock_target(target.pk)
    if environment_id != place.environment_id:
        raise moved(place)
    # Under the lock, so that it is later than that of any import before.
    now = timezone.now()
    deploys = Deploy.objects.filter(target=target)
    replaced = deploys.update(deleted_at=now)
    same = columns_of(target, place, token_id=token_id, now=now)
    row_count, links_may_be_wrong = store_rows(rows, same=same)
    if not row_count:
        raise BadHistory("Nothing was imported: the file has no row below its first line.")
    if links_may_be_wrong or lacks_links(target.pk):
        link_history(target.pk)
    history.set_newest_live(target.pk)
    # Other targets may have taken some of the ids between the first and the last.
    stored = deploys.aggregate(count=Count("id"), first=Min("id"), last=Max("id"))
    done = HistoryImport.objects.create(
        organization=target.deployment.organization,
        target=target,
        imported_by=imported_by,
        file_name=file_name[:MAX_FILE_NAME_LENGTH],
        deploy_count=stored["count"],
        duplicate_count=row_count - stored["count"],
        replaced_count=replaced,
        first_deploy_id=stored["first"],
        last_deploy_id=stored["last"],
        created_at=now,
    )
    record("import.applied", done)
    return done


def columns_of(target: Target, place: TargetRow, *, token_id: int | None, now: datetime) -> dict[str, Any]:
    """What all deploys of an import have in common."""
    counts = ("commit_count", "file_count", "pull_request_count", "additions", "deletions")
    return {
        "organization_id": target.deployment.organization_id,
        "project_id": place.project_id,
        "deployment_id": place.deployment_id,
        "environment_id": place.environment_id,
        "target_id": target.pk,
        "token_id": token_id,
        "created_at": now,
        "updated_at": now,
        "version": "",
        **dict.fromkeys(counts, 0),
    }


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
    Deploy.all_objects.filter(target=done.target_id, deleted_at=done.created_at).update(deleted_at=None)
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
        replaced = Deploy.all_objects.filter(target=done.target_id, deleted_at=done.created_at)
        taken_back = Deploy.all_objects.filter(
            target=done.target_id, deleted_at=done.undone_at, id__range=(done.first_deploy_id, done.last_deploy_id)
        )
        for deploys in (replaced, taken_back) if done.undone_at else (replaced,):
            while ids := list(deploys.values_list("id", flat=True)[:batch]):
                Deploy.all_objects.filter(id__in=ids).delete()
                total += len(ids)
        done.delete()
    return total
