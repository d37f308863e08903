"""Files that say how deploys ended: only those that succeeded are a history."""

import pytest
from django.test import Client

from deployments.models import Deploy, HistoryImport
from tests.conftest import World
from tests.factories import make_token
from tests.imports.histories import history, in_short
from tests.imports.importing import post_file
from tokens.scopes import Scope

S, X = "5" * 40, "7" * 40
PREFER = {"Prefer": "return=representation"}


@pytest.mark.parametrize("column", ["status", "state", "result", "phase", "conclusion", " Status "])
@pytest.mark.parametrize("word", ["failed", "FAILURE", "cancelled", "running", "skipped", "in_progress", "'failed'"])
def test_rows_that_did_not_succeed_are_left_out_and_counted(ci: World, column: str, word: str) -> None:
    file = f"id,{column},sha,date\n1,success,{S},2025-11-01T10:00:00Z\n2,{word},{X},2025-11-02T10:00:00Z\n"

    response = post_file(ci, file, headers={"Authorization": f"Bearer {ci.secret}", **PREFER})

    assert (response.status_code, response.json()) == (
        200,
        {"deploys": 1, "duplicates": 0, "unsuccessful": 1, "replaced": 0},
    )
    assert in_short(history(ci)) == f"{S}[live]"


def test_a_column_success_says_so_too(ci: World) -> None:
    file = f"sha,date,success\n{S},2025-11-01T10:00:00Z,true\n{X},2025-11-02T10:00:00Z,false\n"

    assert post_file(ci, file).status_code == 200
    assert in_short(history(ci)) == f"{S}[live]"


def test_an_empty_cell_and_a_short_row_say_nothing(ci: World) -> None:
    file = f"sha,date,status\n{S},2025-11-01T10:00:00Z,\n{X},2025-11-02T10:00:00Z\n"

    assert post_file(ci, file).status_code == 200
    assert in_short(history(ci)) == f"{S} {X}[live]"


def test_a_word_that_nobody_knows_is_wrong(ci: World) -> None:
    file = f"sha,date,state\n{S},2025-11-01T10:00:00Z,success\n{X},2025-11-02T10:00:00Z,California\n"

    response = post_file(ci, file)

    assert (response.status_code, response.content.decode()) == (
        400,
        "Nothing was imported: state must be started, succeeded, failed or cancelled, or what your CI system calls it: "
        "line 3.",
    )
    assert not Deploy.objects.exists()


def test_a_file_of_failures_alone_replaces_nothing(ci: World) -> None:
    ci.register(sha="a1")

    response = post_file(ci, f"sha,date,status\n{S},2025-11-01T10:00:00Z,failed\n")

    assert (response.status_code, response.content.decode()) == (
        400,
        "Nothing was imported: none of the deploys in the file succeeded.",
    )
    assert in_short(history(ci)) == "a1[live]"


def test_a_wrong_row_that_did_not_succeed_is_left_out_as_well(ci: World) -> None:
    """A deploy that failed may have no date."""
    file = f"sha,date,status\n{S},2025-11-01T10:00:00Z,success\n{X},,failed\n"

    assert post_file(ci, file).status_code == 200
    assert HistoryImport.objects.get().unsuccessful_count == 1


def test_a_download_comes_back_without_what_failed(ci: World) -> None:
    _, reader = make_token(ci.organization, Scope.READ, name="reader")
    ci.register(sha="a1", date="2024-05-01T12:00:00Z")
    ci.register(sha="b2", date="2024-05-01T12:01:00Z", status="failed")
    ci.register(sha="c3", date="2024-05-01T12:02:00Z")
    path = "/api/1/organizations/acme/timeline?format=csv"
    file = Client().get(path, headers={"Authorization": f"Bearer {reader}"}).getvalue().decode()

    dry = post_file(ci, file, query="?dry_run=1").json()
    assert (dry["deploys"], dry["unsuccessful"]) == (2, 1)
    assert post_file(ci, file).status_code == 200
    assert in_short(history(ci)) == "a1 c3[live]"
