"""What spreadsheets and our own exports write in cells that should not be read as formulas or numbers."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from deployments.models import Deploy
from orgs.csv_export import FORMULA_STARTS, plain_cell, safe_cell
from orgs.models import User
from tests.calls import bearer
from tests.conftest import World
from tests.factories import make_token, signed_in
from tests.imports.histories import history, minute
from tests.imports.importing import post_file, rows
from tokens.scopes import Scope

SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
TITLES = ["@babel/core: bump", "=1+1", "-x", "+1", "'quoted'", "'=quoted", "''-twice", "'", "plain", '="a"']


@pytest.mark.parametrize("cell", [f"'{SHA}", f"'{SHA}'", f'"=""{SHA}"""', f'="{SHA}"', f" '{SHA} "])
def test_a_sha_that_was_kept_from_being_a_number(ci: World, cell: str) -> None:
    assert post_file(ci, rows(f"{cell},'2024-05-01T12:00:00Z")).status_code == 200
    assert Deploy.objects.get().sha == SHA


def test_the_apostrophe_before_a_formula_is_dropped(ci: World) -> None:
    lines = [f"{SHA},2024-05-01T12:00:00Z,'@babel/core: bump,'-x", "v1,2024-05-02T12:00:00Z,'til then,'s-branch"]

    assert post_file(ci, "\n".join(["sha,date,title,branch", *lines])).status_code == 200

    assert [(deploy.title, deploy.branch) for deploy in Deploy.objects.order_by("id")] == [
        ("@babel/core: bump", "-x"),
        ("'til then", "'s-branch"),
    ]


@pytest.mark.parametrize("sha", ["{}", "{:x}"], ids=["numbers", "hashes"])
def test_an_export_that_is_imported_gives_the_same(ci: World, observer: User, sha: str) -> None:
    for number, title in enumerate(TITLES):
        commits = [{"revision": "a", "message": title, "author": {"name": title, "email": "=a@example.com"}}]
        body = {"sha": sha.format(number + 16**7), "date": minute(number), "branch": f"-{title.replace(' ', '')}"}
        assert ci.register(**body, commits=commits).status_code == 200
    columns = ("sha", "deployed_at", "branch", "title", "author_name", "author_email")
    before, linked = list(Deploy.objects.values_list(*columns)), history(ci)

    page: Any = signed_in(observer).get("/acme/timeline?format=csv")
    exported = b"".join(page.streaming_content)
    answer = post_file(ci, exported)

    assert answer.status_code == 200, answer.content
    assert (list(Deploy.objects.values_list(*columns)), history(ci)) == (before, linked)


def test_the_export_of_the_api_can_be_imported(ci: World) -> None:
    ci.register(sha=SHA, date=minute(0), commits=[{"revision": SHA, "message": "=1"}])
    secret = make_token(ci.organization, Scope.READ)[1]

    page: Any = Client().get("/api/1/organizations/acme/timeline?format=csv", headers=bearer(secret))
    exported = b"".join(page.streaming_content)

    assert b",'=1," in exported
    assert post_file(ci, exported).status_code == 200
    assert Deploy.objects.get().title == "=1"


@given(text=st.text(alphabet=st.sampled_from("'=+-@\t\r\na\""), max_size=6) | st.text(max_size=20))
@example(text="'=1")
@example(text="''")
def test_a_cell_is_no_formula_and_is_read_as_it_was(text: str) -> None:
    cell = safe_cell(text)

    assert not cell.startswith(FORMULA_STARTS)
    assert plain_cell(cell) == text
