"""What the rows of deploys and targets repeat, compared with what it follows from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Count, F, Model, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from deployments.errors import TargetMoved
from deployments.models import ChangedFile, Commit, Deploy, PullRequest, Target
from deployments.registration.history import relink_target, rollbacks_of
from deployments.registration.registration import MAX_COMMITS, MAX_FILES, MAX_PULL_REQUESTS
from deployments.registration.statements import lock_target

TARGETS_AT_ONCE = 1_000
COUNTS = ("commit_count", "pull_request_count", "file_count", "additions", "deletions")
KEPT = {"commit_count": MAX_COMMITS, "pull_request_count": MAX_PULL_REQUESTS, "file_count": MAX_FILES}
LINKS = ("restores_id", "rolled_back_by_id")


@dataclass(frozen=True, slots=True, order=True)
class Disagreement:
    """A column of a deploy, or of the target itself if ``deploy_id`` is 0, that has another value than it should."""

    target_id: int
    deploy_id: int
    column: str
    found: int | None
    expected: int | None

    def __str__(self) -> str:
        row = f"target {self.target_id}" + (f", deploy {self.deploy_id}" if self.deploy_id else "")
        return f"{row}: {self.column} is {shown(self.found)}, should be {shown(self.expected)}"


def shown(value: int | None) -> str:
    return "empty" if value is None else str(value)


def check_all_targets(*, fix: bool) -> Iterator[Disagreement]:
    """All disagreements, one target after another, in the memory that the longest history needs.

    A target with a disagreement is checked again under its lock, since a call may have come between two queries. With
    ``fix`` what is found then is mended in the same transaction.
    """
    last = 0
    while target_ids := list(
        Target.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:TARGETS_AT_ONCE]
    ):
        for target_id in target_ids:
            if find_disagreements(target_id):
                yield from check_locked(target_id, fix=fix)
        last = target_ids[-1]


@transaction.atomic
def check_locked(target_id: int, *, fix: bool) -> Sequence[Disagreement]:
    try:
        lock_target(target_id)
    except TargetMoved:
        return ()
    found = find_disagreements(target_id)
    if fix:
        mend(target_id, found)
    return found


def mend(target_id: int, found: Sequence[Disagreement]) -> None:
    """Must be called under the target's lock."""
    deploys = Deploy.all_objects.filter(target=target_id)
    for item in found:
        if item.column in COUNTS:
            deploys.filter(pk=item.deploy_id).update(**{item.column: item.expected})
    if any(item.column in (*LINKS, "live_deploy_id") for item in found):
        relink_target(target_id)


def find_disagreements(target_id: int) -> list[Disagreement]:
    return sorted([*wrong_counts(target_id), *wrong_links(target_id)])


def wrong_counts(target_id: int) -> Iterator[Disagreement]:
    """Without a row of a file, ``file_count`` says how many the commits name, and is not checked."""
    expected = {
        "commit_count": of_each_deploy(Commit, Count("pk")),
        "pull_request_count": of_each_deploy(PullRequest, Count("pk")),
        "file_count": of_each_deploy(ChangedFile, Count("pk"), otherwise=F("file_count")),
        "additions": of_each_deploy(ChangedFile, Sum("additions")),
        "deletions": of_each_deploy(ChangedFile, Sum("deletions")),
    }
    annotations = {f"expected_{name}": value for name, value in expected.items()}
    differs = Q()
    for name in expected:
        differs |= ~Q((name, F(f"expected_{name}")))
    deploys: QuerySet[Any] = Deploy.all_objects.filter(target=target_id).annotate(**annotations).filter(differs)
    for deploy_id, *values in deploys.values_list("pk", *COUNTS, *annotations).iterator():
        found, rows = values[: len(COUNTS)], dict(zip(COUNTS, values[len(COUNTS) :], strict=True))
        for item in differences(target_id, deploy_id, COUNTS, found, list(rows.values())):
            # Changes beyond the limit count, and have no rows.
            limited = item.column if item.column in KEPT else "file_count"
            if rows[limited] < KEPT[limited] or (item.found or 0) < (item.expected or 0):
                yield item


def of_each_deploy(model: type[Model], aggregate: Any, *, otherwise: Any = Value(0)) -> Any:  # noqa: B008
    rows = model._default_manager.filter(deploy=OuterRef("pk")).order_by().values("deploy")  # noqa: SLF001 - Django's documented name
    found = Subquery(rows.annotate(number=aggregate).values("number"), output_field=BigIntegerField())
    return Coalesce(found, otherwise, output_field=BigIntegerField())


def wrong_links(target_id: int) -> Iterator[Disagreement]:
    """Those of deleted deploys are theirs: nobody reads them until the deploys are back and linked again."""
    deploys = Deploy.succeeded.filter(target=target_id).order_by("deployed_at", "id")
    history = list(deploys.values_list("id", "sha", *LINKS))
    restores, rolled_back_by = rollbacks_of([sha for _, sha, *_ in history])
    for index, (deploy_id, _, *found) in enumerate(history):
        linked = (restores.get(index), rolled_back_by.get(index))
        expected = [None if other is None else history[other][0] for other in linked]
        yield from differences(target_id, deploy_id, LINKS, found, expected)
    newest = history[-1][0] if history else None
    for live in Target.objects.filter(pk=target_id).values_list("live_deploy_id", flat=True):
        yield from differences(target_id, 0, ["live_deploy_id"], [live], [newest])


def differences(
    target_id: int, deploy_id: int, columns: Sequence[str], found: Sequence[Any], expected: Sequence[Any]
) -> Iterator[Disagreement]:
    for column, value, wanted in zip(columns, found, expected, strict=True):
        if value != wanted:
            yield Disagreement(target_id, deploy_id, column, value, wanted)
