"""Taking an import back, and forgetting what it replaced."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from deployments.models import Commit, Deploy, DraftChunk, HistoryImport, ImportDraft
from deployments.tasks import delete_old_import_drafts, delete_replaced_deploys
from orgs.models import AuditEvent, User
from tests.conftest import World
from tests.factories import signed_in
from tests.imports.histories import history, in_short, post_history
from tests.imports.importing import dated, post_file


def undo(client: Client, done: HistoryImport) -> str:
    """The message of the page after it."""
    response: Any = client.post(f"/acme/deployments/storefront/imports/{done.pk}/undo", follow=True)
    return str(list(response.context["messages"])[-1])


def rows_of(world: World) -> list[dict[str, Any]]:
    return [dict(row) for row in Deploy.objects.filter(deployment=world.deployment).order_by("id").values()]


def test_the_history_is_exactly_what_it_was(ci: World, client: Client) -> None:
    post_history(ci, "a b c a d", commits=[{"revision": "x", "message": "One"}])
    before, events = rows_of(ci), history(ci)
    post_file(ci, dated("x y x"))

    assert "what it was before" in undo(client, HistoryImport.objects.get())

    assert rows_of(ci) == before
    assert history(ci) == events
    assert Commit.objects.count() == 5
    event = AuditEvent.objects.get(action="import.undone")
    assert event.actor_label == User.objects.get(memberships__role="admin").email


def test_of_a_first_history_nothing_remains(ci: World, client: Client) -> None:
    post_file(ci, dated("x y x"))
    undo(client, HistoryImport.objects.get())
    assert history(ci) == []


def test_what_was_registered_since_stays(ci: World, client: Client) -> None:
    post_history(ci, "a b c")
    post_file(ci, dated("x y b"))
    ci.register(sha="y")
    ci.register(sha="a")
    assert in_short(history(ci)) == "x y b[rolled back] y[rollback] a[live]"

    undo(client, HistoryImport.objects.get())

    assert in_short(history(ci)) == "a b[rolled back] c[rolled back] y[rolled back] a[rollback, live]"


def test_what_was_deleted_or_restored_by_itself_since_stays_so(ci: World, client: Client) -> None:
    post_history(ci, "a b c")
    post_file(ci, dated("x y z"))
    for sha, verb in (("x", "delete"), ("b", "restore")):
        client.post(f"/acme/deploys/{Deploy.all_objects.get(sha=sha).pk}/{verb}")
    assert in_short(history(ci)) == "b y z[live]"

    undo(client, HistoryImport.objects.get())

    assert in_short(history(ci)) == "a b c[live]"


def test_imports_are_undone_from_the_last_one_back(ci: World, client: Client) -> None:
    post_history(ci, "a b")
    post_file(ci, dated("c d"))
    post_file(ci, dated("e f"))
    first, second = HistoryImport.objects.order_by("id")

    assert "undo that import first" in undo(client, first)
    assert in_short(history(ci)) == "e f[live]"
    undo(client, second)
    assert in_short(history(ci)) == "c d[live]"
    undo(client, first)
    assert in_short(history(ci)) == "a b[live]"
    assert "undone already" in undo(client, first)
    assert in_short(history(ci)) == "a b[live]"


def test_after_thirty_days_it_cannot_be_undone(ci: World, client: Client) -> None:
    post_history(ci, "a b")
    post_file(ci, dated("c d"))
    age_by(days=31)
    assert "older than 30 days" in undo(client, HistoryImport.objects.get())
    assert in_short(history(ci)) == "c d[live]"


def age_by(**time: int) -> None:
    """Let what imports did be older."""
    for done in HistoryImport.objects.all():
        at = done.created_at - timedelta(**time)
        Deploy.all_objects.filter(deleted_at=done.created_at).update(deleted_at=at)
        HistoryImport.objects.filter(pk=done.pk).update(created_at=at)
    ImportDraft.objects.update(created_at=timezone.now() - timedelta(**time))


def test_what_was_replaced_is_forgotten_after_thirty_days(ci: World, client: Client) -> None:
    post_history(ci, "a b", commits=[{"revision": "x", "message": "One"}], files=[{"path": "db/a.sql"}], tags="#x")
    post_file(ci, dated("c d"))
    age_by(days=29)
    assert delete_replaced_deploys() == 0
    age_by(days=2)

    assert delete_replaced_deploys() == 2

    assert in_short(history(ci)) == "c d[live]"
    assert (Deploy.all_objects.count(), Commit.objects.count(), HistoryImport.objects.count()) == (2, 0, 0)
    assert delete_replaced_deploys() == 0


def test_what_an_undone_import_brought_is_forgotten_too(ci: World, client: Client) -> None:
    post_history(ci, "a b")
    post_file(ci, dated("c d"))
    undo(client, HistoryImport.objects.get())
    age_by(days=31)

    assert delete_replaced_deploys() == 2

    assert in_short(history(ci)) == "a b[live]"
    assert Deploy.all_objects.count() == 2


def test_uploads_are_forgotten_after_a_day(ci: World, client: Client, tmp_path: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_text(dated("a"))
    with path.open("rb") as file:
        client.post("/acme/deployments/storefront/imports", {"environment": "production", "csv_file": file})
    assert DraftChunk.objects.count() == 1
    age_by(hours=23)
    assert delete_old_import_drafts() == 0
    age_by(hours=25)
    assert delete_old_import_drafts() == 1
    assert DraftChunk.objects.count() == 0


def test_a_member_of_another_organization_finds_nothing(ci: World, other: World, stranger: User) -> None:
    post_file(ci, dated("c d"))
    post_file(other, dated("c d"))
    done = HistoryImport.objects.get(organization=ci.organization)
    path = f"/globex/deployments/storefront/imports/{done.pk}/undo"
    assert signed_in(stranger).post(path).status_code == 404
    assert in_short(history(ci)) == "c d[live]"
