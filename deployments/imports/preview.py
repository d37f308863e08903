"""What an import would do, before somebody confirms it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import Count, Max, Min, Q

from deployments.api.dates import to_microseconds
from deployments.imports.file_history import History
from deployments.imports.merging import missing_from
from deployments.models import Deploy

SAMPLE = 5
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class SampleRow:
    line: int
    sha: str
    deployed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``deploy_count`` counts what would be stored, and ``unchanged`` what is there already: with this sha at this
    moment, or at about this moment if the file only adds. ``detailed`` counts those of the replaced ones that know
    their commits or files.

    The first and the last moments are None if there is no deploy.
    """

    deploy_count: int
    duplicate_count: int
    rollback_count: int
    unsuccessful_count: int
    new: int
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
    def dropped(self) -> int:
        return self.replaced - self.unchanged


def preview_addition(*, target_id: int | None, history: History) -> Preview:
    """Of a file that only adds what is missing. Only reads, as below."""
    missing = missing_from(target_id or 0, history)
    span = span_of(missing)
    return Preview(
        deploy_count=len(missing.deploys),
        duplicate_count=len(history.duplicates),
        unsuccessful_count=history.rows.unsuccessful,
        rollback_count=0,
        new=len(missing.deploys),
        unchanged=len(history.deploys) - len(missing.deploys),
        replaced=0,
        detailed=0,
        first_at=span[0],
        last_at=span[1],
        replaced_first_at=None,
        replaced_last_at=None,
        new_rows=sample(history, reversed(missing.deploys)),
        duplicate_rows=sample(history, sorted(history.duplicates)),
    )


def span_of(history: History) -> list[datetime] | list[None]:
    deploys = history.deploys
    return [history.rows.dates(index)[0] for index in (deploys[0], deploys[-1])] if deploys else [None, None]


def sample(history: History, indexes: Iterable[int]) -> list[SampleRow]:
    rows = history.rows
    return [
        SampleRow(rows.lines[index], rows.shas[index].decode(), rows.dates(index)[0])
        for index in islice(indexes, SAMPLE)
    ]


def preview_replacement(*, target_id: int | None, history: History) -> Preview:
    """``target_id`` is None if nothing was ever deployed there.

    Only reads, and outside a transaction: on SQLite that would keep every registration waiting.
    """
    rows, deploys = history.rows, history.deploys
    present = Deploy.objects.filter(target=target_id or 0)
    new = {(rows.shas[index], rows.deployed_at[index]): index for index in deploys}
    span = span_of(history)
    if deploys:
        pairs = present.filter(deployed_at__range=span).order_by().values_list("sha", "deployed_at")
        for sha, deployed_at in pairs.iterator(chunk_size=CHUNK):
            new.pop((sha.encode(), to_microseconds(deployed_at)), None)
    replaced = present.aggregate(
        count=Count("id"),
        detailed=Count("id", filter=Q(commit_count__gt=0) | Q(file_count__gt=0)),
        first=Min("deployed_at"),
        last=Max("deployed_at"),
    )

    return Preview(
        deploy_count=len(deploys),
        unsuccessful_count=rows.unsuccessful,
        duplicate_count=len(rows) - len(deploys),
        rollback_count=len(history.rollbacks()[0]),
        new=len(new),
        unchanged=len(deploys) - len(new),
        replaced=replaced["count"],
        detailed=replaced["detailed"],
        first_at=span[0],
        last_at=span[1],
        replaced_first_at=replaced["first"],
        replaced_last_at=replaced["last"],
        new_rows=sample(history, reversed(new.values())),
        duplicate_rows=sample(history, sorted(history.duplicates)),
    )
