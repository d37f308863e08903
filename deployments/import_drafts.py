"""Uploaded files between the page that shows what they would do and the click that does it."""

import io
import zlib
from datetime import timedelta
from typing import BinaryIO, cast

from django.db import transaction
from django.utils import timezone

from deployments.models import Deployment, DraftChunk, HistoryImport, ImportDraft
from deployments.models.history_import import MAX_FILE_NAME_LENGTH
from deployments.registration.errors import UnknownEnvironment
from deployments.registration.importing import import_history
from deployments.registration.statements import find_places
from deployments.wire.history_file import HistoryFile, fixed_cells
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
    places = find_places(draft.deployment.organization_id, draft.deployment.slug)
    place = next((place for place in places if place.environment_id == draft.environment_id), None)
    if place is None:
        raise UnknownEnvironment(f"{draft.environment} is no environment of {draft.deployment} any more.")
    done = import_history(
        place=place,
        rows=history_of(draft).all_rows(),
        token_id=None,
        imported_by=member.email,
        file_name=draft.file_name,
    )
    draft.delete()
    return done


def history_of(draft: ImportDraft) -> HistoryFile:
    environment = draft.environment
    fixed = fixed_cells(
        deployment_slug=draft.deployment.slug, environment_slug=environment.slug, environment_name=environment.name
    )
    return HistoryFile(open_draft(draft), fixed=fixed)


def open_draft(draft: ImportDraft) -> BinaryIO:
    """The file from its beginning. It is read from the database piece by piece."""
    return cast(BinaryIO, io.BufferedReader(DraftFile(draft)))


class DraftFile(io.RawIOBase):
    def __init__(self, draft: ImportDraft) -> None:
        self.chunks = DraftChunk.objects.filter(draft=draft)
        self.number = 0
        self.piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # any buffer; BufferedReader gives this one
        if not self.piece:
            chunk = self.chunks.filter(number=self.number).first()
            self.number += 1
            self.piece = memoryview(zlib.decompress(chunk.data) if chunk else b"")
        count = min(len(buffer), len(self.piece))
        buffer[:count] = self.piece[:count]
        self.piece = self.piece[count:]
        return count


def forget_old_drafts() -> int:
    """How many they were."""
    ids = list(ImportDraft.objects.filter(created_at__lt=timezone.now() - KEPT).values_list("pk", flat=True))
    ImportDraft.objects.filter(pk__in=ids).delete()
    return len(ids)
