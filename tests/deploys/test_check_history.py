"""``manage.py check_history``: what deploys and targets repeat, compared with what it follows from."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.deploys import consistency
from deployments.deploys.services import delete_deploy
from deployments.imports.importing import undo_import
from deployments.models import ChangedFile, Commit, Deploy, HistoryImport, PullRequest, Target
from deployments.setup.moving import move_deployment
from tests.conftest import World
from tests.factories import make_deployment, make_project
from tests.imports.histories import Event, history, post_history
from tests.imports.importing import dated, post_file
from tests.shared import shared_fixture

NOTHING = "Nothing is wrong.\n"
CHANGE: dict[str, Any] = {
    "commits": [{"revision": f"{number:040x}", "files": ["a.py", "b.py"]} for number in range(3)],
    "pull_requests": [{"number": 7, "title": "Fix it"}],
}
FILES: dict[str, Any] = {"files": [{"path": "a.py", "additions": 3, "deletions": 1}, {"path": "b.py", "additions": 2}]}


def check(*options: str) -> str:
    output = io.StringIO()
    call_command("check_history", *options, stdout=output)
    return output.getvalue()


def found() -> list[str]:
    """The lines of a check that finds something, and so exits with status 1."""
    output = io.StringIO()
    with pytest.raises(CommandError) as stopped:
        call_command("check_history", stdout=output)
    lines = output.getvalue().splitlines()
    assert stopped.value.returncode == 1
    assert str(stopped.value) == f"{len(lines)} found. Mend with manage.py check_history --fix."
    return lines


@shared_fixture
def rolled_back(ci: World) -> list[Deploy]:
    """The deploys a b c a in production, and one with a change in staging."""
    post_history(ci, "a b c a")
    assert ci.register(sha="s", environment="staging", **CHANGE, **FILES).status_code == 200
    return list(Deploy.objects.order_by("id"))


def test_nothing_is_wrong_with_what_services_stored(ci: World, other: World, rolled_back: list[Deploy]) -> None:
    assert ci.register(sha="t", environment="staging", **CHANGE).status_code == 200
    assert ci.register(sha="b", date="2024-01-01T00:00:00Z").status_code == 200
    delete_deploy(deploy=rolled_back[2])
    for _ in range(2):
        assert post_file(other, dated("a b c a d b")).status_code == 200
    undo_import(history_import=HistoryImport.objects.latest("id"))
    move_deployment(deployment=ci.deployment, project=make_project(ci.organization, name="Elsewhere"))

    assert check() == check("--fix") == NOTHING


@pytest.mark.django_db
def test_nothing_is_wrong_with_a_filled_organization() -> None:
    call_command("fill_organization", deployments=4, environments=3, deploys=300, stdout=io.StringIO())

    assert check() == NOTHING


@pytest.mark.parametrize("column", ["commit_count", "pull_request_count", "file_count", "additions", "deletions"])
def test_counts(rolled_back: list[Deploy], column: str) -> None:
    deploy = rolled_back[-1]
    right = getattr(deploy, column)
    assert right > 0
    Deploy.objects.filter(pk=deploy.pk).update(**{column: 99})

    line = f"target {deploy.target_id}, deploy {deploy.pk}: {column} is 99, should be {right}"
    assert found() == [line]
    assert check("--fix") == f"{line}: mended\n1 mended.\n"

    deploy.refresh_from_db()
    assert getattr(deploy, column) == right
    assert check() == NOTHING


def test_counts_of_rows_that_are_gone(rolled_back: list[Deploy]) -> None:
    for model in (Commit, PullRequest, ChangedFile):
        model.objects.all().delete()

    check("--fix")

    deploy = Deploy.objects.get(pk=rolled_back[-1].pk)
    assert (deploy.commit_count, deploy.pull_request_count, deploy.additions, deploy.deletions) == (0, 0, 0, 0)
    assert check() == NOTHING


def test_rollbacks_and_what_is_live(ci: World, rolled_back: list[Deploy]) -> None:
    a, b, c, again, elsewhere = rolled_back
    before = history(ci)
    Deploy.objects.filter(pk=again.pk).update(restores=b)
    Deploy.objects.filter(pk=b.pk).update(rolled_back_by=None)
    Deploy.objects.filter(pk=c.pk).update(rolled_back_by=elsewhere)
    Target.objects.filter(pk=a.target_id).update(live_deploy=c)
    lines = [
        f"target {a.target_id}: live_deploy_id is {c.pk}, should be {again.pk}",
        f"target {a.target_id}, deploy {b.pk}: rolled_back_by_id is empty, should be {again.pk}",
        f"target {a.target_id}, deploy {c.pk}: rolled_back_by_id is {elsewhere.pk}, should be {again.pk}",
        f"target {a.target_id}, deploy {again.pk}: restores_id is {b.pk}, should be {a.pk}",
    ]

    assert found() == lines
    assert check("--fix").splitlines() == [*(f"{line}: mended" for line in lines), "4 mended."]

    assert history(ci) == before
    assert check() == NOTHING


def test_a_live_deploy_that_is_deleted_or_missing(ci: World, rolled_back: list[Deploy]) -> None:
    production, staging = rolled_back[0].target, rolled_back[-1].target
    Deploy.objects.filter(target=staging).update(deleted_at=timezone.now())
    Target.objects.filter(pk=production.pk).update(live_deploy=None)
    expected = [
        f"target {production.pk}: live_deploy_id is empty, should be {rolled_back[3].pk}",
        f"target {staging.pk}: live_deploy_id is {rolled_back[-1].pk}, should be empty",
    ]

    assert sorted(found()) == sorted(expected)
    check("--fix")

    assert check() == NOTHING
    assert [event for event in history(ci) if event.is_live] == [Event("a", 0, None, is_live=True)]


def test_each_of_many_targets(ci: World, rolled_back: list[Deploy], monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets are read in parts, and one without disagreements is not locked."""
    monkeypatch.setattr(consistency, "TARGETS_AT_ONCE", 2)
    for number in range(3):
        make_deployment(ci.project, name=f"Api {number}")
        ci.register(sha="a", path=ci.path.replace("storefront", f"api-{number}"))
    with CaptureQueriesContext(connection) as queries:
        assert check() == NOTHING
    assert not any(query["sql"].startswith(("SAVEPOINT", "UPDATE")) for query in queries)

    Deploy.objects.update(deployed_at=timezone.now() - timedelta(days=1), commit_count=50)
    assert len(found()) > Target.objects.count() == 5

    check("--fix")
    assert check() == NOTHING
