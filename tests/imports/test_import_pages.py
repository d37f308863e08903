"""Importing a history on the deployment's pages: choose a file, look, apply."""

import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from deployments.models import Deploy, DraftChunk, HistoryImport, ImportDraft
from deployments.tasks import run_imports
from orgs.models import AuditEvent, User
from tests.calls import count_rows
from tests.conftest import World
from tests.factories import signed_in
from tests.imports.histories import history, in_short, minute, post_history
from tests.imports.importing import dated, post_file, rows

PAGE = "/acme/deployments/storefront/imports"


def upload(
    client: Client,
    data: str | bytes,
    environment: str = "production",
    name: str = "old.csv",
    mode: str = "replace",
) -> Any:
    """The page after it."""
    file = io.BytesIO(data.encode() if isinstance(data, str) else data)
    file.name = name
    return client.post(PAGE, {"environment": environment, "mode": mode, "csv_file": file}, follow=True)


def import_draft(client: Client, page: Any) -> Any:
    """The page after the import that it offers, or would offer if its lines were right."""
    path = page.request["PATH_INFO"]
    assert client.post(path).headers["Location"] == path
    assert run_imports() == 1
    return client.get(path)


def text(response: Any) -> str:
    content: str = response.content.decode()
    return " ".join(content.split())


@pytest.mark.django_db(transaction=True)
def test_what_would_happen_is_shown_first_and_then_done(ci: World, client: Client) -> None:
    post_history(ci, "a b c", commits=[{"revision": "a", "message": "One"}])

    page = upload(
        client, rows("x,2024-05-02", "x,2024-05-03", f"b,{minute(1)}", "a,2024-04-30T11:00:00Z", "y,2024-05-04")
    )

    preview = page.context["preview"]
    assert (preview.new, preview.unchanged, preview.duplicate_count, preview.replaced, preview.detailed) == (
        3,
        1,
        1,
        3,
        3,
    )
    assert [row.line for row in preview.new_rows] == [6, 2, 5]
    assert [(row.line, row.sha) for row in preview.duplicate_rows] == [(3, "x")]
    assert "Import 4 deploys" in text(page)
    assert in_short(history(ci)) == "a b c[live]"

    done = import_draft(client, page)

    assert "4 deploys imported to Production. 3 deploys made way for them." in text(done)
    assert in_short(history(ci)) == "a b x y[live]"
    assert Deploy.objects.filter(token=None).count() == 4
    assert not DraftChunk.objects.exists()
    event = AuditEvent.objects.get(action="import.applied")
    assert event.actor_label == ci.organization.memberships.get().user.email
    assert event.address == "127.0.0.1"
    undo = f"{PAGE}/{HistoryImport.objects.get().pk}/undo"
    assert f'action="{undo}"' in text(done)
    client.post(undo)
    assert in_short(history(ci)) == "a b c[live]"


@pytest.mark.django_db(transaction=True)
def test_what_did_not_succeed_is_counted_before_and_after(ci: World, client: Client) -> None:
    file = "sha,date,status\na1,2024-05-01T12:00:00Z,success\nb2,2024-05-01T12:01:00Z,failed\n"
    page = upload(client, file)

    preview = page.context["preview"]
    assert (preview.new, preview.duplicate_count, preview.unsuccessful_count) == (1, 0, 1)
    assert "Did not succeed" in text(page)
    assert "1 row of deploys that did not succeed left out." in text(import_draft(client, page))


def test_wrong_lines_are_shown_and_cannot_be_applied(ci: World, client: Client) -> None:
    ci.register(sha="old")
    page = upload(client, rows("a,2024-05-01", "b,soon", *([",2024-05-02"] * 25)))

    assert 'Date is not in ISO 8601: line <span class="num">3</span>' in text(page)
    lines = ", ".join(map(str, range(4, 24)))
    assert f'Sha is missing: lines <span class="num">{lines}</span> and 5 more<' in text(page)
    assert '<dd class="num">26</dd>' in text(page)
    assert "Import 1 deploy<" not in text(page)
    answer = import_draft(client, page)
    assert "Nothing was imported: date is not in ISO 8601: line 3; sha is missing: line 4, line 5" in text(answer)
    assert in_short(history(ci)) == "old[live]"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "The submitted file is empty."),
        ("nothing", "Line 1 names no column sha"),
        (dated("a").encode("utf-16"), "The file is not UTF-8 text"),
    ],
)
def test_what_is_no_history_is_not_even_kept(ci: World, client: Client, data: str | bytes, words: str) -> None:
    before = count_rows()
    page = upload(client, data)
    assert page.status_code == 200
    assert words in text(page)
    assert count_rows() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("sha,date\n", "The file has no rows"),
        (dated("a") + '"', "Line 3 opens a quotation mark"),
        (dated("a") + "x" * 300_000, "Line 3 is too long"),
    ],
)
def test_what_cannot_be_read_to_its_end(ci: World, client: Client, data: str, words: str) -> None:
    page = upload(client, data)
    assert words in text(page)
    import_draft(client, page)
    assert not HistoryImport.objects.exists()


def test_a_file_that_is_too_large_is_dropped(ci: World, client: Client, settings: Settings) -> None:
    settings.MAX_IMPORT_BYTES = 2048
    page = upload(client, dated("a") + "\n" * 3000)
    assert "The file is larger than 2.0" in text(page)
    assert not ImportDraft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_large_file_is_kept_in_pieces(ci: World, client: Client) -> None:
    padding = "".join(
        f"# {number:x} a line that is left out because nothing names its columns\n" for number in range(50_000)
    )
    page = upload(
        client, "sha,date,note\n" + "a,2024-05-01," + f'"{padding[:100_000]}"\n' + "\n" * 2_500_000 + "b,2024-05-02,"
    )
    assert ImportDraft.objects.get().chunks.count() == 3
    assert page.context["preview"].deploy_count == 2
    import_draft(client, page)
    assert in_short(history(ci)) == "a b[live]"


def test_a_person_has_one_upload_of_a_deployment(ci: World, client: Client) -> None:
    first = upload(client, dated("a"))
    upload(client, dated("b"))
    assert ImportDraft.objects.count() == 1
    assert client.get(first.request["PATH_INFO"]).status_code == 404
    assert "upload it again" in text(client.post(first.request["PATH_INFO"], follow=True))


@pytest.mark.django_db(transaction=True)
def test_an_environment_that_was_deleted_meanwhile(ci: World, client: Client) -> None:
    page = upload(client, dated("a"), "staging")
    client.post("/acme/projects/shop/environments/staging/delete")
    assert client.get(page.request["PATH_INFO"]).status_code == 200
    answer = import_draft(client, page)
    assert "is no environment of Storefront any more" in text(answer)


def test_only_who_manages_deployments_imports(ci: World, developer: User, client: Client) -> None:
    page = upload(client, dated("a"))
    other = signed_in(developer)
    assert other.get(PAGE).status_code == 403
    assert other.post(page.request["PATH_INFO"]).status_code == 403
    assert not HistoryImport.objects.exists()


def test_imports_by_ci_are_listed_and_undone_here(ci: World, client: Client) -> None:
    post_history(ci, "a b")
    post_file(ci, dated("c d"))
    page = text(client.get(PAGE))
    assert "deploys.csv" in page
    assert "access token ci" in page
    client.post(f"{PAGE}/{HistoryImport.objects.get().pk}/undo")
    assert in_short(history(ci)) == "a b[live]"
    assert "undone" in text(client.get(PAGE))


def test_the_page_costs_the_same_at_one_import_and_at_three(ci: World, client: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PAGE).status_code == 200
        return len(queries)

    post_file(ci, dated("a"))
    client.get(PAGE)
    at_one = count()
    post_file(ci, dated("b"))
    post_file(ci, dated("c"), environment="staging")
    assert count() == at_one <= 12
