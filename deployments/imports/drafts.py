"""Uploaded files between the page that shows what they would do and the click that does it."""

import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from deployments.errors import UnknownEnvironment
from deployments.imports.file import HistoryFile, fixed_cells
from deployments.imports.importing import import_history
from deployments.models import Deployment, DraftChunk, HistoryImport, ImportDraft
from deployments.models.history_import import MAX_FILE_NAME_LENGTH
from deployments.registration.statements import find_targets
from orgs.deletion import restorable_since
from orgs.models import Environment, User
from orgs.text import storable

CHUNK_BYTES = 1024 * 1024
KEPT = timedelta(hours=24)


@transaction.atomic
def keep_draft(
    *, deployment: Deployment, environment: Environment, user: User, file_name: str, file: BinaryIO
) -> ImportDraft:
    """A person has one draft of a deployment: what was uploaded before is forgotten."""
    ImportDraft.objects.filter(deployment=deployment, user=user).delete()
    draft = ImportDraft.objects.create(
        deployment=deployment,
        environment=environment,
        user=user,
        file_name=storable(file_name)[:MAX_FILE_NAME_LENGTH],
        byte_count=0,
    )
    for number, piece in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
        DraftChunk.objects.create(draft=draft, number=number, data=zlib.compress(piece))
        draft.byte_count += len(piece)
    draft.save(update_fields=["byte_count"])
    return draft


@transaction.atomic
def import_draft(*, draft: ImportDraft, member: User) -> HistoryImport:
    """Replace the history by the file's and forget the draft.

    Raises UnknownEnvironment where the environment or the deployment was deleted, and what import_history raises.
    """
    places = find_targets(draft.deployment.organization_id, draft.deployment.slug)
    place = next((place for place in places if place.environment_id == draft.environment_id), None)
    if place is None:
        raise UnknownEnvironment(f"{draft.environment} is no environment of {draft.deployment} any more.")
    with history_of(draft) as file:
        done = import_history(
            place=place,
            rows=file.all_rows(),
            token_id=None,
            imported_by=member.email,
            file_name=draft.file_name,
        )
    draft.delete()
    return done


@contextmanager
def history_of(draft: ImportDraft) -> Iterator[HistoryFile]:
    """The file is there for as long as the context. It is on disk, not read from the database piece by piece: no other
    statement can run on a connection while PostgreSQL copies rows from it."""
    environment = draft.environment
    fixed = fixed_cells(
        deployment_slug=draft.deployment.slug, environment_slug=environment.slug, environment_name=environment.name
    )
    with tempfile.TemporaryFile() as file:
        for chunk in DraftChunk.objects.filter(draft=draft).order_by("number").iterator(chunk_size=1):
            file.write(zlib.decompress(chunk.data))
        file.seek(0)
        yield HistoryFile(file, fixed=fixed)


def forget_old_drafts() -> int:
    """How many they were."""
    ids = list(ImportDraft.objects.filter(created_at__lt=timezone.now() - KEPT).values_list("pk", flat=True))
    ImportDraft.objects.filter(pk__in=ids).delete()
    return len(ids)


# --- What was imported into a deployment ---

SHOWN = 50


@dataclass(frozen=True, slots=True)
class PastImport:
    done: HistoryImport
    can_be_undone: bool


def past_imports(deployment: Deployment) -> Sequence[PastImport]:
    """The newest first. Of each target only the last that stands can be undone."""
    imports = HistoryImport.objects.filter(target__deployment=deployment)
    standing = imports.filter(undone_at=None, created_at__gte=restorable_since())
    last = set(standing.order_by().values("target").annotate(last=Max("id")).values_list("last", flat=True))
    shown = imports.select_related("target__environment").order_by("-id")[:SHOWN]
    return [PastImport(done, done.pk in last) for done in shown]


def import_of(deployment: Deployment, pk: int) -> HistoryImport | None:
    imports = HistoryImport.objects.select_related("target__environment", "organization")
    return imports.filter(target__deployment=deployment, pk=pk).first()


def draft_of(deployment: Deployment, pk: int) -> ImportDraft | None:
    drafts = ImportDraft.objects.select_related("deployment__organization", "environment")
    return drafts.filter(deployment=deployment, pk=pk).first()
