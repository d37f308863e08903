"""Adding what a history lacks, where two systems registered deploys for a while."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployments.imports.merging import SAME_DEPLOY_WITHIN
from deployments.models import Deploy, HistoryImport
from deployments.tasks import run_imports
from orgs.models import User
from tests.conftest import World
from tests.factories import signed_in
from tests.imports.histories import START, history, in_short, post_history
from tests.imports.importing import dated, post_file, rows
from tests.imports.test_import_pages import PAGE, text, upload


def row(sha: str, at: int, seconds: int = 0) -> str:
    """A deploy so many minutes after START."""
    return f"{sha},{(START + timedelta(minutes=at, seconds=seconds)).isoformat()}"


def add(world: World, *lines: str, query: str = "") -> Any:
    return post_file(world, rows(*lines), query=query, mode="add")


def test_the_week_in_which_both_ran_is_kept(ci: World) -> None:
    """b and c are in both systems, a few seconds apart; a is older, and d is only here."""
    post_history(ci, "b c d", commits=[{"revision": "b", "message": "One"}])
    kept = set(Deploy.objects.values_list("pk", flat=True))

    answer = add(ci, row("a", -60), row("b", 0, 4), row("c", 1, -3))

    assert (answer.status_code, answer.content) == (200, b"Success")
    assert in_short(history(ci)) == "a b c d[live]"
    assert kept < set(Deploy.objects.values_list("pk", flat=True)), "with the commits that they know"
    done = HistoryImport.objects.get()
    assert (done.deploy_count, done.duplicate_count, done.replaced_count) == (1, 2, 0)


def test_by_default_a_call_replaces_as_sleuth_does(ci: World) -> None:
    post_history(ci, "b c")
    assert post_file(ci, dated("a")).status_code == 200
    assert in_short(history(ci)) == "a[live]"
    assert post_file(ci, dated("z"), mode="replace").status_code == 200
    assert in_short(history(ci)) == "z[live]"


@pytest.mark.parametrize("mode", ["merge", "ADD", "0"])
def test_another_mode_changes_nothing(ci: World, mode: str) -> None:
    post_history(ci, "b")

    answer = post_file(ci, dated("a"), mode=mode)

    assert answer.status_code == 400
    assert answer.content == b"mode must be add, which keeps what is there, or replace, which is the default."
    assert in_short(history(ci)) == "b[live]"


def test_rollbacks_follow_from_the_whole_history(ci: World) -> None:
    post_history(ci, "a c")

    add(ci, row("b", 0, 30), row("a", 20), row("d", 40))

    assert in_short(history(ci)) == "a b[rolled back] c[rolled back] a[rollback] d[live]"


def test_what_was_live_already_is_no_deploy(ci: World) -> None:
    post_history(ci, "a b")

    add(ci, row("a", 0, 30), row("b", 60), row("b", 90), row("a", -60))

    assert in_short(history(ci)) == "a b[live]"
    assert not HistoryImport.objects.exists(), "nothing was missing"


def test_short_and_whole_shas_are_one_commit(ci: World) -> None:
    whole = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
    post_history(ci, f"{whole} v2")

    add(ci, row(whole[:7], 0, 3), row("v1", -60))

    assert in_short(history(ci)) == f"v1 {whole} v2[live]"


def test_a_second_time_nothing_is_missing(ci: World) -> None:
    lines = [row("a", 0), row("b", 60), row("a", 120)]
    for _ in range(2):
        assert add(ci, *lines).status_code == 200

    assert in_short(history(ci)) == "a b[rolled back] a[rollback, live]"
    assert HistoryImport.objects.count() == 1


def test_a_dry_run_says_what_is_missing(ci: World) -> None:
    post_history(ci, "a")

    answer = add(ci, row("a", 0, 5), row("b", 60), query="?dry_run=1").json()

    assert (answer["deploys"], answer["duplicates"], answer["replaced"]) == (1, 1, 0)
    assert in_short(history(ci)) == "a[live]"


@pytest.mark.django_db(transaction=True)
def test_pages_add_by_default_and_undo_it(ci: World, admin: User) -> None:
    client = signed_in(admin)
    post_history(ci, "b c")
    form = client.get(PAGE).context["form"]
    assert form["mode"].value() == "add"
    page = upload(client, rows(row("a", -60), row("b", 0, 4)), mode="add")
    assert (page.context["preview"].new, page.context["preview"].unchanged) == (1, 1)
    assert "What is there already stays." in text(page)
    assert "Import 1 deploy<" in text(page)

    done = confirm(client, page)

    assert "1 deploy imported to Production." in text(done)
    assert in_short(history(ci)) == "a b c[live]"
    client.post(f"{PAGE}/{HistoryImport.objects.get().pk}/undo")
    assert in_short(history(ci)) == "b c[live]"


@pytest.mark.django_db(transaction=True)
def test_pages_say_that_nothing_is_missing(ci: World, admin: User) -> None:
    client = signed_in(admin)
    post_history(ci, "b c")
    page = upload(client, rows(row("b", 0)), mode="add")
    assert "Nothing is missing" in text(page)
    assert "Nothing is missing: every deploy of the file is there already." in text(confirm(client, page))
    assert in_short(history(ci)) == "b c[live]"


def confirm(client: Client, page: Any) -> Any:
    path = page.request["PATH_INFO"]
    client.post(path)
    run_imports()
    return client.get(path)


moments = st.integers(0, 40).map(lambda number: START + timedelta(minutes=7 * number))
deploys = st.lists(st.tuples(moments, st.sampled_from("abc")), max_size=12, unique_by=lambda item: item[0])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(stored=deploys, sent=deploys)
def test_adding_twice_is_adding_once(ci: World, stored: list[tuple[datetime, str]], sent: Any) -> None:
    """And what was there stays, and no deploy follows one of the same sha that the file brought."""
    Deploy.objects.all().delete()
    for at, sha in sorted(stored):
        ci.register(sha=sha, date=at.isoformat(), ignore_if_duplicate=True)
    before = set(Deploy.objects.values_list("pk", flat=True))
    lines = [f"{sha},{at.isoformat()}" for at, sha in sent] or [row("a", 0)]

    assert add(ci, *lines).status_code == 200
    once = in_short(history(ci))
    assert add(ci, *lines).status_code == 200

    assert in_short(history(ci)) == once
    assert before <= set(Deploy.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (SAME_DEPLOY_WITHIN, "a b[live]"),
        (SAME_DEPLOY_WITHIN + timedelta(microseconds=1), "a b[rolled back] a[rollback, live]"),
    ],
)
def test_a_deploy_is_the_same_within_ten_minutes(ci: World, later: timedelta, expected: str) -> None:
    post_history(ci, "a b")

    add(ci, f"a,{(START + later).isoformat()}")

    assert in_short(history(ci)) == expected
