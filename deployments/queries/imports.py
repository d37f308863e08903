"""What was imported into a deployment."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max

from deployments.models import Deployment, HistoryImport, ImportDraft
from orgs.deletion import restorable_since

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
