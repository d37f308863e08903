"""Recording a manual change by hand, its page, editing, deleting and bringing it back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import travel

from deployments.models import ManualChange
from deployments.request_log.writer import request_log
from deployments.setup.deletion import delete_project
from orgs.deletion import delete_environment
from orgs.models import AuditEvent, Environment, User
from orgs.services import update_organization
from tests.conftest import World
from tests.factories import make_project, signed_in

NEW = "/acme/projects/shop/new-manual-change"
NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)


def environment(ci: World, slug: str) -> Environment:
    return Environment.objects.get(project=ci.project, slug=slug)


def fields(ci: World, **others: Any) -> dict[str, Any]:
    return {"name": "Scaled up", "environment": environment(ci, "production").pk, **others}


@pytest.fixture
def client(developer: User) -> Client:
    return signed_in(developer)


@pytest.fixture
def recorded(ci: World) -> ManualChange:
    """By a call, with everything that a call can say."""
    answer = ci.record(
        name="Scaled up",
        description="Two more\nnodes",
        date="2024-05-01T10:00:00.123456Z",
        tags="#infra,#web",
        author="github-actions[bot]@users.noreply.github.com",
        email="bob@example.com",
        links={"a=b": "https://example.com/?x=y", "ticket": "http://tracker.example.com/1"},
    )
    assert answer.status_code == 200
    change: ManualChange = ManualChange.objects.get()
    return change


def test_recording_one(ci: World, client: Client, developer: User) -> None:
    sent = fields(
        ci,
        environment=environment(ci, "staging").pk,
        description="Two more\r\nnodes",
        author="ann@example.com",
        tags="Infra, #web-tier,",
        links="ticket = https://example.com/?a=b\r\n\r\ndocs=http://docs.example.com",
        changed_at="2024-04-30T10:15:20",
    )

    answer = client.post(NEW, sent)

    change = ManualChange.objects.get()
    assert answer["Location"] == f"/acme/manual-changes/{change.pk}"
    assert (change.name, change.description) == ("Scaled up", "Two more\nnodes")
    assert (change.project, change.environment.slug) == (ci.project, "staging")
    assert change.changed_at == datetime(2024, 4, 30, 10, 15, 20, tzinfo=UTC)
    assert change.tag_list == ["infra", "web-tier"]
    assert change.links == [["ticket", "https://example.com/?a=b"], ["docs", "http://docs.example.com"]]
    assert (change.author_email, change.registered_by, change.token) == ("ann@example.com", developer, None)
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor, event.subject_label) == ("manual_change.registered", developer, "Scaled up")


def test_the_form_knows_what_is_likely(ci: World, client: Client, developer: User) -> None:
    production, staging = (environment(ci, slug).pk for slug in ("production", "staging"))

    html = client.get(NEW).content.decode()

    assert f'<option value="{production}" selected>' in html
    assert f'value="{developer.email}"' in html
    assert f'<option value="{staging}" selected>' in client.get(f"{NEW}?environment=staging").content.decode()
    assert f'<option value="{production}" selected>' in client.get(f"{NEW}?environment=none").content.decode()


def test_without_a_moment_it_was_now(ci: World, client: Client) -> None:
    with travel(NOW, tick=False):
        client.post(NEW, fields(ci))

    assert ManualChange.objects.get().changed_at == NOW


def test_the_clock_is_the_organizations(ci: World, client: Client) -> None:
    update_organization(organization=ci.organization, time_zone="Asia/Tokyo")

    client.post(NEW, fields(ci, changed_at="2024-05-01T10:15"))

    change = ManualChange.objects.get()
    assert change.changed_at == datetime(2024, 5, 1, 1, 15, tzinfo=UTC)
    assert 'value="2024-05-01T10:15:00"' in client.get(f"/acme/manual-changes/{change.pk}/edit").content.decode()
    assert "1 May 2024, 10:15:00" in client.get(f"/acme/manual-changes/{change.pk}").content.decode()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "a\x07b"}, "name must not contain control characters."),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"name": "n" * 256}, "at most 255 characters"),
        ({"environment": "99999999999999999999"}, "Select a valid choice."),
        ({"environment": ""}, "This field is required."),
        ({"changed_at": "yesterday"}, "Write a date and a time"),
        ({"changed_at": "0001-01-01T00:00"}, "before 2000"),
        ({"changed_at": "9999-12-31T23:59"}, "in the future"),
        ({"author": "ann"}, "author must be an e-mail address."),
        ({"tags": "a b"}, "The tag &#x27;#a b&#x27; is not valid"),
        ({"links": "https://example.com"}, "is not a name=address line with an http or https address"),
        ({"links": "x=javascript:alert(1)"}, "is not a name=address line with an http or https address"),
        ({"links": "x=https://"}, "links.x must be an http or https address."),
        ({"links": "a=https://a.example\na=https://b.example"}, "Two links have the name a."),
        ({"description": "d" * 10_001}, "at most 10000 characters"),
    ],
)
def test_a_field_that_cannot_be(ci: World, client: Client, sent: dict[str, str], words: str) -> None:
    answer = client.post(NEW, fields(ci, **sent))

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not ManualChange.objects.exists()


def test_an_environment_of_another_project_is_no_choice(ci: World, other: World, client: Client) -> None:
    data = make_project(ci.organization, "Data")
    for foreign in (data, other.project):
        answer = client.post(NEW, fields(ci, environment=Environment.objects.get(project=foreign, slug="staging").pk))
        assert "Select a valid choice." in answer.content.decode()
    assert not ManualChange.objects.exists()


def test_a_project_that_is_not_there(ci: World, client: Client) -> None:
    assert client.get("/acme/projects/none/new-manual-change").status_code == 404
    delete_project(project=ci.project)
    assert client.get(NEW).status_code == 404


def test_only_those_who_may_register_are_offered_it(ci: World, client: Client, observer: User) -> None:
    places = (
        "/acme/projects/shop",
        "/acme/projects/shop/timeline",
        "/acme/projects/shop/environments/staging/timeline",
    )
    for place in places:
        assert NEW in client.get(place).content.decode()
        assert NEW not in signed_in(observer).get(place).content.decode()
    assert f"{NEW}?environment=staging" in client.get(places[2]).content.decode()
    assert "Nothing happened here yet" in client.get(places[1]).content.decode()


def test_its_page(recorded: ManualChange, client: Client, observer: User) -> None:
    request_log.flush()
    path = f"/acme/manual-changes/{recorded.pk}"

    html = client.get(path).content.decode()

    for words in (
        "Scaled up", "Two more\nnodes", "#infra", "bob@example.com", "github-actions[bot]@users.noreply.github.com",
        '<a href="https://example.com/?x=y" rel="noopener noreferrer nofollow">a=b</a>', "with the token ci",
        "1 May 2024, 10:00:00", "/acme/requests/", f"{path}/edit", f"{path}/delete",
    ):  # fmt: skip
        assert words in html, words
    seen = signed_in(observer).get(path).content.decode()
    assert "Scaled up" in seen
    for words in ("/acme/requests/", f"{path}/edit", f"{path}/delete"):
        assert words not in seen


def test_its_request_leads_to_it(recorded: ManualChange, client: Client) -> None:
    request_log.flush()
    request = client.get(f"/acme/requests/{recorded.calls.get().pk}").content.decode()

    assert f"/acme/manual-changes/{recorded.pk}" in request
    assert "shop" in request.partition("<h1>")[2].partition("</h1>")[0]
    assert "Replay" not in request
    assert "shop" in client.get("/acme/requests").content.decode()


def test_editing_one(ci: World, recorded: ManualChange, client: Client, developer: User) -> None:
    path = f"/acme/manual-changes/{recorded.pk}/edit"
    staging = environment(ci, "staging")

    answer = client.post(path, {"name": "Scaled down", "environment": staging.pk, "links": "x=https://x.example"})

    changed = ManualChange.objects.get()
    assert answer["Location"] == f"/acme/manual-changes/{recorded.pk}"
    assert (changed.name, changed.environment, changed.tags) == ("Scaled down", staging, "")
    assert (changed.user_email, changed.author_email) == ("bob@example.com", "")
    assert (changed.changed_at, changed.token) == (recorded.changed_at, ci.token)
    assert changed.updated_at > recorded.updated_at
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor) == ("manual_change.changed", developer)
    assert event.changes["environment"] == ["Production", "Staging"]
    assert event.changes["links"][1] == "x=https://x.example"


def test_saving_what_the_form_shows_changes_nothing(recorded: ManualChange, client: Client) -> None:
    """Not a fraction of a second, nor a name that has a = in it."""
    path = f"/acme/manual-changes/{recorded.pk}/edit"
    form = client.get(path).context["form"]
    shown = {field.html_name: field.value() for field in form}
    events = AuditEvent.objects.count()
    assert shown["changed_at"] == "2024-05-01T10:00:00"

    assert client.post(path, shown).status_code == 302

    assert AuditEvent.objects.count() == events
    assert ManualChange.objects.get().changed_at == recorded.changed_at


def test_an_hour_that_comes_twice_is_not_moved(ci: World, client: Client) -> None:
    update_organization(organization=ci.organization, time_zone="Europe/Berlin")
    ci.record(name="x", date="2023-10-29T01:30:00Z")
    change = ManualChange.objects.get()

    client.post(f"/acme/manual-changes/{change.pk}/edit", fields(ci, name="y", changed_at="2023-10-29T02:30"))

    again = ManualChange.objects.get()
    assert (again.name, again.changed_at) == ("y", change.changed_at)


def test_one_of_a_deleted_environment_can_be_edited(ci: World, client: Client) -> None:
    ci.record(name="x", environment="staging")
    staging = environment(ci, "staging")
    delete_environment(environment=staging)
    change = ManualChange.objects.get()

    assert client.post(f"/acme/manual-changes/{change.pk}/edit", fields(ci, environment=staging.pk)).status_code == 302
    assert "Scaled up" in client.get("/acme/timeline").content.decode()
    assert "(deleted)" in client.get(f"/acme/manual-changes/{change.pk}").content.decode()


def test_one_that_was_deleted_is_not_edited(ci: World, recorded: ManualChange, client: Client) -> None:
    ManualChange.objects.update(deleted_at=timezone.now())

    answer = client.post(f"/acme/manual-changes/{recorded.pk}/edit", fields(ci, name="Other"))

    assert "Scaled up is deleted: restore it first." in answer.content.decode()
    assert ManualChange.all_objects.get().name == "Scaled up"


def test_deleting_and_bringing_back(recorded: ManualChange, client: Client) -> None:
    path = f"/acme/manual-changes/{recorded.pk}"

    for _ in range(2):
        answer = client.post(f"{path}/delete", follow=True)
    html = answer.content.decode()
    assert answer.redirect_chain == [("/acme/projects/shop/timeline", 302)]
    assert f'action="{path}/restore"' in html
    assert not ManualChange.objects.exists()
    deleted = client.get(path).content.decode()
    assert "This manual change was deleted" in deleted
    assert f"{path}/edit" not in deleted

    for _ in range(2):
        assert client.post(f"{path}/restore")["Location"] == path
    assert ManualChange.objects.get() == recorded
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions)[-2:] == ["manual_change.deleted", "manual_change.restored"]


def test_after_its_project_was_deleted(ci: World, recorded: ManualChange, client: Client) -> None:
    delete_project(project=ci.project)
    path = f"/acme/manual-changes/{recorded.pk}"

    assert "Shop (deleted)" in client.get(path).content.decode()
    assert "Scaled up" in client.get("/acme/timeline").content.decode()
    assert client.post(f"{path}/delete")["Location"] == "/acme/timeline"


def test_a_get_deletes_nothing(recorded: ManualChange, client: Client) -> None:
    for verb in ("delete", "restore"):
        assert client.get(f"/acme/manual-changes/{recorded.pk}/{verb}").status_code == 405
    assert ManualChange.objects.exists()


@pytest.mark.parametrize("name", ["", "/edit"])
def test_the_number_of_queries_of_its_page_does_not_grow(
    ci: World, recorded: ManualChange, client: Client, name: str
) -> None:
    request_log.flush()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/acme/manual-changes/{recorded.pk}{name}")
        return len(captured)

    queries()
    first = queries()
    for number in range(2):
        ci.record(name=f"{number}")
    request_log.flush()

    assert queries() == first <= 10
