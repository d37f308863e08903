"""What an import would do, before anybody says so. Nothing is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, Max, Min, Q

from deployments.imports.links import HistoryRow
from deployments.imports.placing import placed
from deployments.imports.rows import staged
from deployments.models import Deploy
from tokens.statements import as_datetime

SAMPLE = 5


@dataclass(frozen=True, slots=True)
class SampleRow:
    line: int
    sha: str
    deployed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``unchanged`` are those that are there already, with this sha at this moment; ``detailed`` are those of the
    replaced ones that know their commits or files.

    The first and the last moments are none where there is no deploy.
    """

    row_count: int
    deploy_count: int
    rollback_count: int
    unchanged: int
    replaced: int
    detailed: int
    first_at: datetime | None
    last_at: datetime | None
    replaced_first_at: datetime | None
    replaced_last_at: datetime | None
    new_rows: Sequence[SampleRow]
    duplicate_rows: Sequence[SampleRow]

    @property
    def new(self) -> int:
        return self.deploy_count - self.unchanged

    @property
    def dropped(self) -> int:
        return self.replaced - self.unchanged

    @property
    def duplicate_count(self) -> int:
        return self.row_count - self.deploy_count


COUNT = """
SELECT count(there.id), count(here.restores), min(told.deployed_at), max(told.deployed_at)
FROM import_place here
JOIN import_row told ON told.id = here.id
LEFT JOIN deployments_deploy there ON there.target_id = %s AND there.deployed_at = told.deployed_at
     AND there.sha = told.sha AND there.deleted_at IS NULL
"""
NEW_ROWS = """
SELECT told.line, told.sha, told.deployed_at
FROM import_place here
JOIN import_row told ON told.id = here.id
WHERE NOT EXISTS (
    SELECT 1 FROM deployments_deploy there
    WHERE there.target_id = %s AND there.deployed_at = told.deployed_at AND there.sha = told.sha
          AND there.deleted_at IS NULL
)
ORDER BY here.place DESC LIMIT %s
"""
DUPLICATE_ROWS = """
SELECT line, sha, deployed_at FROM import_row
WHERE NOT EXISTS (SELECT 1 FROM import_place WHERE import_place.id = import_row.id)
ORDER BY line LIMIT %s
"""


@transaction.atomic
def preview_import(*, target_id: int | None, rows: Iterable[HistoryRow]) -> Preview:
    """``target_id`` is none where nothing was ever deployed. Raises what ``rows`` raises."""
    nowhere = target_id or 0
    with staged(rows) as row_count, placed("import_row") as deploy_count:
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [nowhere])
            unchanged, rollbacks, first_at, last_at = cursor.fetchone()
        new_rows = sample(NEW_ROWS, nowhere, SAMPLE)
        duplicate_rows = sample(DUPLICATE_ROWS, SAMPLE)
    replaced = Deploy.objects.filter(target=nowhere).aggregate(
        count=Count("id"),
        detailed=Count("id", filter=Q(commit_count__gt=0) | Q(file_count__gt=0)),
        first=Min("deployed_at"),
        last=Max("deployed_at"),
    )
    return Preview(
        row_count=row_count,
        deploy_count=deploy_count,
        rollback_count=rollbacks,
        unchanged=unchanged,
        replaced=replaced["count"],
        detailed=replaced["detailed"],
        first_at=as_datetime(first_at),
        last_at=as_datetime(last_at),
        replaced_first_at=replaced["first"],
        replaced_last_at=replaced["last"],
        new_rows=new_rows,
        duplicate_rows=duplicate_rows,
    )


def sample(statement: str, *parameters: int) -> list[SampleRow]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [SampleRow(line, sha, as_datetime(at)) for line, sha, at in cursor.fetchall()]  # type: ignore[arg-type]  # never null
