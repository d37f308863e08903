"""Uploaded files, and the list of a deployment's imports."""

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

from deployments.imports.file import HistoryFile, fixed_cells
from deployments.models import Deployment, DraftChunk, HistoryImport, ImportDraft
from deployments.models.history_import import MAX_FILE_NAME_LENGTH, UNFINISHED
from orgs.deletion import restorable_since
from orgs.models import Environment, User
from orgs.text import storable
from tokens.secrets import without_secrets

CHUNK_BYTES = 1024 * 1024
KEPT = timedelta(hours=24)
SHOWN = 50


@transaction.atomic
def keep_draft(
    *, deployment: Deployment, environment: Environment, replaces: bool, user: User, file_name: str, file: BinaryIO
) -> ImportDraft:
    """A person has one draft of a deployment. An earlier upload is forgotten unless it is being imported."""
    ImportDraft.objects.filter(deployment=deployment, user=user).exclude(state__in=UNFINISHED).delete()
    draft = ImportDraft.objects.create(
        deployment=deployment,
        environment=environment,
        replaces=replaces,
        user=user,
        file_name=without_secrets(storable(file_name))[:MAX_FILE_NAME_LENGTH],
        byte_count=0,
    )
    for number, piece in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
        DraftChunk.objects.create(draft=draft, number=number, data=zlib.compress(piece))
        draft.byte_count += len(piece)
        draft.line_count += piece.count(b"\n")
    draft.save(update_fields=["byte_count", "line_count"])
    return draft


@contextmanager
def history_of(draft: ImportDraft) -> Iterator[HistoryFile]:
    """The file exists for as long as the context, on disk."""
    environment = draft.environment
    fixed = fixed_cells(
        deployment_slug=draft.deployment.slug,
        environment_slug=environment.slug,
        environment_name=environment.name,
        aliases=environment.aliases,
    )
    with tempfile.TemporaryFile() as file:
        for chunk in DraftChunk.objects.filter(draft=draft).order_by("number").iterator(chunk_size=1):
            file.write(zlib.decompress(chunk.data))
        file.seek(0)
        yield HistoryFile(file, fixed=fixed)


def forget_old_drafts() -> int:
    """Delete what was uploaded long ago and is not being imported. Returns how many files."""
    old = ImportDraft.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(state__in=UNFINISHED)
    ids = list(old.values_list("pk", flat=True))
    ImportDraft.objects.filter(pk__in=ids).delete()
    return len(ids)


def draft_of(deployment: Deployment, pk: int) -> ImportDraft | None:
    drafts = ImportDraft.objects.select_related("deployment__organization", "environment", "history_import")
    return drafts.filter(deployment=deployment, pk=pk).first()


def unfinished_imports(deployment: Deployment) -> Sequence[ImportDraft]:
    """Of every member."""
    drafts = ImportDraft.objects.filter(deployment=deployment, state__in=UNFINISHED)
    return list(drafts.select_related("environment", "user")[:SHOWN])


# --- What was imported into a deployment ---


@dataclass(frozen=True, slots=True)
class PastImport:
    done: HistoryImport
    can_be_undone: bool


def past_imports(deployment: Deployment) -> Sequence[PastImport]:
    """The newest first. Of each target only the last import that is not undone can be undone."""
    imports = HistoryImport.objects.filter(target__deployment=deployment)
    standing = imports.filter(undone_at=None, created_at__gte=restorable_since())
    last = set(standing.order_by().values("target").annotate(last=Max("id")).values_list("last", flat=True))
    shown = imports.select_related("target__environment").order_by("-id")[:SHOWN]
    return [PastImport(done, done.pk in last) for done in shown]


def import_of(deployment: Deployment, pk: int) -> HistoryImport | None:
    imports = HistoryImport.objects.select_related("target__environment", "organization")
    return imports.filter(target__deployment=deployment, pk=pk).first()
