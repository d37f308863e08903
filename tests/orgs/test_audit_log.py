"""The page of the audit log, and that everything that changes is in it."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.setup.services import map_branch, update_deployment
from orgs import audit
from orgs.audit import Actor, acting_as, changes_in_words
from orgs.models import AuditEvent, Organization, User
from orgs.services import (
    NewEnvironment,
    create_environment,
    order_environments,
    set_default_environment,
    update_environment,
    update_organization,
    update_project,
)
from tests.conftest import World
from tests.factories import make_project, make_token, signed_in
from tokens.scopes import Scope
from tokens.services import limit_token, revoke_token, update_token

PAGE = "/acme/audit"


def record(
    organization: Organization, action: str = "thing.changed", actor: str = "ada@example.com", **fields: Any
) -> None:
    with acting_as(Actor(label=actor, address="192.0.2.1")):
        audit.record(action, organization, organization=organization, changes=fields)


def rows(client: Any, query: str = "") -> list[str]:
    return [item["event"].action for item in client.get(f"{PAGE}?{query}").context["events"]]


def exported(client: Any, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"{PAGE}?format=csv&{query}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="acme-audit-log.csv"'
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode(), newline="")))


def test_who_sees_it(ci: World, owner: User, admin: User, developer: User, observer: User, stranger: User) -> None:
    statuses = [signed_in(user).get(PAGE).status_code for user in (owner, admin, developer, observer, stranger)]

    assert statuses == [200, 200, 403, 403, 404]
    assert signed_in(developer).get(f"{PAGE}?format=csv").status_code == 403
    assert signed_in(stranger).get(f"{PAGE}?format=csv").status_code == 404
    assert ci.client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_it_says_who_did_what_to_what_from_where_and_how(ci: World, admin: User) -> None:
    record(ci.organization, "organization.changed", name=["Acme", "Acme Ltd"])

    html = signed_in(admin).get(PAGE).content.decode()

    for text in ("ada@example.com", "192.0.2.1", "Organization changed", "<del>Acme</del>", "<ins>Acme Ltd</ins>"):
        assert text in html


def test_the_events_of_others_are_not_in_it(ci: World, other: World, admin: User) -> None:
    record(other.organization, "secret.changed")

    assert "secret.changed" not in rows(signed_in(admin))
    assert "Secret changed" not in signed_in(admin).get(PAGE).content.decode()
    assert "secret.changed" not in {row["action"] for row in exported(signed_in(admin))}


def test_filters(ci: World, admin: User) -> None:
    AuditEvent.objects.all().delete()
    record(ci.organization, "token.revoked")
    record(ci.organization, "member.added", actor="grace@example.com")
    AuditEvent.objects.filter(action="member.added").update(
        subject_label="Hopper", created_at=timezone.now() - timedelta(days=9)
    )
    today = f"{timezone.now():%Y-%m-%d}"
    client = signed_in(admin)

    assert rows(client) == ["member.added", "token.revoked"]
    assert rows(client, "person=grace@example.com") == ["member.added"]
    assert rows(client, "person=GRACE@example.com") == ["member.added"]
    assert rows(client, "action=token.revoked") == ["token.revoked"]
    assert rows(client, "subject=hopp") == ["member.added"]
    assert rows(client, f"since={today}") == ["token.revoked"]
    assert rows(client, f"until={today}") == ["member.added", "token.revoked"]
    assert rows(client, "until=2001-01-01") == []
    assert rows(client, f"since={today}&person=grace@example.com") == []
    assert [row["action"] for row in exported(client, "action=token.revoked")] == ["token.revoked"]


def test_days_begin_at_midnight_of_the_organization(ci: World, admin: User) -> None:
    update_organization(organization=ci.organization, time_zone="Pacific/Auckland")
    AuditEvent.objects.all().delete()
    record(ci.organization)
    AuditEvent.objects.update(created_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    client = signed_in(admin)

    assert rows(client, "since=2026-03-02&until=2026-03-02") == ["thing.changed"]
    assert rows(client, "since=2026-03-01&until=2026-03-01") == []


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=0001-01-01", "until=9999-12-31", "person=%00", "subject=%00", "action=nothing.such"],
)
def test_filters_that_cannot_be_are_told(ci: World, admin: User, query: str) -> None:
    response = signed_in(admin).get(f"{PAGE}?{query}")

    assert response.status_code == 200
    assert response.context["form"].errors


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=99999999999999999999", "after=0", "after=%00"])
def test_pages_that_cannot_be_are_no_error(ci: World, admin: User, query: str) -> None:
    assert signed_in(admin).get(f"{PAGE}?{query}").status_code == 200


def test_many_events_come_in_pages_and_all_of_them_in_the_csv(ci: World, admin: User) -> None:
    AuditEvent.objects.all().delete()
    for number in range(120):
        record(ci.organization, f"thing.number{number}")
    client, url, seen = signed_in(admin), PAGE, []
    while url:
        context = client.get(url).context
        seen += [item["event"].action for item in context["events"]]
        url = f"{PAGE}?after={context['following']}" if context["following"] else ""

    assert seen == [f"thing.number{number}" for number in reversed(range(120))]
    assert [row["action"] for row in exported(client, "after=5")] == seen


def test_a_cell_of_the_csv_is_no_formula(ci: World, admin: User) -> None:
    AuditEvent.objects.all().delete()
    for label in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", 'plain, with "quotes"\nand lines'):
        record(ci.organization, actor=label, note=label)
    AuditEvent.objects.filter(actor_label="+1").update(subject_label="=1+1")

    cells = exported(signed_in(admin))

    assert [row["who"] for row in reversed(cells)] == [
        "'=cmd|' /C calc'!A0",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "'\t=1",
        'plain, with "quotes"\nand lines',
    ]
    assert cells[4]["subject"] == "'=1+1"
    assert cells[4]["changes"] == "note: +1"


def test_the_page_takes_as_many_queries_for_three_events_as_for_one(ci: World, admin: User) -> None:
    AuditEvent.objects.all().delete()
    counts = []
    for more in (1, 2):
        for _ in range(more):
            record(ci.organization, "a.b", x=[1, 2])
        client = signed_in(admin)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PAGE).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_without_events_it_says_what_will_be_here(ci: World, admin: User) -> None:
    AuditEvent.objects.all().delete()

    assert "Nothing has been changed yet" in signed_in(admin).get(PAGE).content.decode()
    assert "Nothing fits these filters" in signed_in(admin).get(f"{PAGE}?subject=x").content.decode()


def test_changes_are_in_words() -> None:
    changes = {
        "role": ["admin", "owner"],
        "expires_at": [None, "2026"],
        "is_default": True,
        "empty": "",
        "paths": [[], ["a", "b"]],
    }

    assert [change.sentence for change in changes_in_words(changes)] == [
        "role: admin → owner",
        "expires at: nothing → 2026",
        "is default: yes",
        "paths: nothing → a, b",
    ]


def test_every_change_of_set_up_is_recorded_once_and_no_change_is_not(ci: World) -> None:
    staging = ci.project.environments.get(slug="staging")
    order = ("production", "staging")
    token, _ = make_token(ci.organization, name="second")
    steps: list[tuple[str, Callable[[], object]]] = [
        ("project.changed", lambda: update_project(project=ci.project, name="Store")),
        ("environment.changed", lambda: update_environment(environment=staging, colour="#123456")),
        (
            "environment.created",
            lambda: (
                create_environment(project=ci.project, new=NewEnvironment(name="Test", slug="test"))
                if not ci.project.environments.filter(slug="test").exists()
                else None
            ),
        ),
        ("environment.made_default", lambda: set_default_environment(environment=staging)),
        (
            "project.environments_ordered",
            lambda: order_environments(
                project=ci.project, environments=list(ci.project.environments.filter(slug__in=order).order_by("slug"))
            ),
        ),
        ("deployment.changed", lambda: update_deployment(deployment=ci.deployment, name="Front")),
        ("deployment.changed", lambda: map_branch(deployment=ci.deployment, environment=staging, branch="main*")),
        ("token.changed", lambda: update_token(token=token, scopes=[Scope.READ])),
        ("token.limited", lambda: limit_token(token=token, environments=[staging])),
        ("token.limited", lambda: limit_token(token=token, deployments=[ci.deployment])),
        ("token.revoked", lambda: revoke_token(token=token)),
    ]
    for action, step in steps:
        for expected in ([action], []):
            last = AuditEvent.objects.order_by("id").last()
            assert last is not None
            step()
            assert list(AuditEvent.objects.filter(id__gt=last.pk).values_list("action", flat=True)) == expected


def test_a_new_project_is_recorded_with_its_environments(ci: World) -> None:
    last = AuditEvent.objects.order_by("id").last()
    assert last is not None
    make_project(ci.organization, "Bank")

    events = AuditEvent.objects.filter(id__gt=last.pk).order_by("id").values_list("action", "subject_label")
    assert list(events) == [
        ("project.created", "Bank"),
        ("environment.created", "Staging"),
        ("environment.created", "Production"),
        ("environment.made_default", "Production"),
    ]


def test_secrets_are_not_in_it(ci: World) -> None:
    _, secret = make_token(ci.organization, name="x")

    assert not any(secret in str(event.changes) for event in AuditEvent.objects.all())
    assert not any(secret[8:20] in f"{event.changes}{event.subject_label}" for event in AuditEvent.objects.all())


def test_the_log_outlives_its_people(ci: World, admin: User) -> None:
    signed_in(admin).post("/acme/settings", {"name": "Acme Ltd", "slug": "acme", "time_zone": "UTC"})
    email = admin.email
    admin.delete()

    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.actor, event.actor_label) == (None, email)


def test_a_token_of_earlier_versions_is_the_same_actor(ci: World) -> None:
    for actor in ("token ci", "access token ci", "tokenia@example.com"):
        record(ci.organization, actor=actor)

    migration = import_module("orgs.migrations.0003_one_name_of_a_token")
    migration.name_tokens_in_one_way(apps, None)

    labels = AuditEvent.objects.filter(action="thing.changed").order_by("id").values_list("actor_label", flat=True)
    assert list(labels) == ["access token ci", "access token ci", "tokenia@example.com"]
