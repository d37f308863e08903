"""``register_manual_deploy``: what it accepts, what becomes of it, and its answers down to the byte."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from deployments.models import Call, Deploy, ManualChange
from deployments.models.call import Outcome
from deployments.request_log.writer import request_log
from orgs.models import AuditEvent
from orgs.services import NewEnvironment, create_environment
from tests.calls import FORM, JSON, MULTIPART, SHA, basic, bearer, call, encoded, multipart
from tests.conftest import World
from tests.factories import make_token
from tokens.scopes import Scope

PATH = "/api/1/deployments/acme/shop/register_manual_deploy"
NAME = "Scaled up web tier"
ENCODINGS = ("json", "form", "multipart")


def post(ci: World, fields: dict[str, Any], encoding: str = "json", path: str = PATH) -> Any:
    body, content_type = encoded(fields, encoding)
    return call(path, body, content_type=content_type, headers=bearer(ci.secret))


def recorded(response: Any) -> ManualChange:
    assert (response.status_code, response.content) == (200, b"Success"), response.content
    return ManualChange.objects.latest("id")


# --- The answer -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [PATH, PATH.replace("_manual_", "-manual-"), PATH.replace("acme/shop", "Acme/SHOP")])
def test_the_exact_answer(ci: World, path: str) -> None:
    response = post(ci, {"name": NAME}, path=path)

    change = recorded(response)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Manual-Change-Id"] == str(change.pk)
    assert response["Location"] == f"/api/1/organizations/acme/manual-changes/{change.pk}"
    assert not response.cookies
    assert (change.name, change.project, change.organization) == (NAME, ci.project, ci.organization)
    assert (change.environment.slug, change.token, change.registered_by) == ("production", ci.token, None)
    assert timezone.now() - change.changed_at < timedelta(minutes=1)
    assert not Deploy.objects.exists()


@pytest.mark.parametrize(
    "path", [f"{PATH}/", f"{PATH}s", f"{PATH}%0A", PATH.replace("_manual_", "_manual-"), PATH.replace("shop", "")]
)
def test_a_path_beside_it_leads_nowhere(ci: World, path: str) -> None:
    response = post(ci, {"name": NAME}, path=path)

    assert response.status_code == 404
    assert not ManualChange.objects.exists()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods(ci: World, method: str) -> None:
    response = call(PATH, b"{}", method=method, headers=bearer(ci.secret))

    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_what_was_stored_on_request(ci: World) -> None:
    sent = {
        "name": NAME,
        "description": "2 more nodes",
        "environment": "staging",
        "date": "2024-05-01T12:35:01Z",
        "tags": "#infra,#capacity",
        "author": "ann@example.com",
        "email": "bob@example.com",
        "links": {"ticket": "https://tracker.example.com/1"},
    }

    response = ci.record(**sent, headers={"Prefer": "return=representation"})

    change = ManualChange.objects.get()
    assert response["Preference-Applied"] == "return=representation"
    assert response.json() == {
        "id": change.pk,
        "url": response["Location"],
        "organization": "acme",
        "project": "shop",
        "environment": "staging",
        "name": NAME,
        "description": "2 more nodes",
        "changed_at": "2024-05-01T12:35:01Z",
        "registered_at": change.created_at.isoformat().replace("+00:00", "Z"),
        "author": "ann@example.com",
        "email": "bob@example.com",
        "dropped": [],
        "tags": ["#infra", "#capacity"],
        "links": {"ticket": "https://tracker.example.com/1"},
    }


def test_the_location_leads_to_it(ci: World, other: World) -> None:
    _, reader = make_token(ci.organization, Scope.READ)
    _, stranger = make_token(other.organization, Scope.READ)
    location = post(ci, {"name": NAME})["Location"]

    assert call(location, method="GET", headers=bearer(reader)).json()["name"] == NAME
    assert call(location, method="GET", headers=bearer(ci.secret)).status_code == 403
    assert call(location, method="GET", headers=bearer(stranger)).status_code == 401
    foreign = location.replace("acme", "globex")
    assert call(foreign, method="GET", headers=bearer(stranger)).status_code == 404
    ManualChange.objects.update(deleted_at=timezone.now())
    assert call(location, method="GET", headers=bearer(reader)).status_code == 404


# --- Fields -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_field_in_every_encoding(ci: World, encoding: str) -> None:
    fields: dict[str, Any] = {
        "name": f"  {NAME}  ",
        "description": "2 more nodes\nfor the sale",
        "environment": "Staging",
        "date": "2024-05-01 12:35:01.5",
        "tags": "#infra, #web-tier",
        "author": "ann@example.com",
        "email": "bob@example.com",
        "links": "ticket=https://tracker.example.com/1?a=b",
        "unknown": "ignored",
        "sha": SHA,
    }

    change = recorded(post(ci, fields, encoding))

    assert (change.name, change.description) == (NAME, "2 more nodes\nfor the sale")
    assert change.environment.slug == "staging"
    assert change.changed_at == datetime(2024, 5, 1, 12, 35, 1, 500_000, tzinfo=UTC)
    assert change.tag_list == ["infra", "web-tier"]
    assert (change.author_email, change.user_email) == ("ann@example.com", "bob@example.com")
    assert change.links == [["ticket", "https://tracker.example.com/1?a=b"]]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("field", ["description", "environment", "date", "tags", "author", "email", "links", "api_key"])
def test_an_empty_text_means_absent(ci: World, field: str, encoding: str) -> None:
    for empty in ("", "   ", "\n"):
        assert recorded(post(ci, {"name": NAME, field: empty}, encoding)).environment.slug == "production"


def test_null_and_empty_members_mean_absent(ci: World) -> None:
    absent = dict.fromkeys(("description", "environment", "date", "tags", "author", "email", "links"))
    cases: list[dict[str, Any]] = [absent, {"tags": [], "links": {}}, {"tags": [""]}]
    for fields in cases:
        change = recorded(post(ci, {"name": NAME, **fields}))
        assert (change.tags, change.links, change.author_email) == ("", [], "")


@pytest.mark.parametrize(
    ("sent", "slug"),
    [
        ("staging", "staging"),
        ("STAGING", "staging"),
        ("Stage two", "stage-2"),
        ("stage TWO", "stage-2"),
        ("stage-2", "stage-2"),
        (" staging ", "staging"),
    ],
)
def test_the_environment_by_slug_or_name(ci: World, sent: str, slug: str) -> None:
    create_environment(project=ci.project, new=NewEnvironment(name="Stage two", slug="stage-2"))

    assert recorded(post(ci, {"name": NAME, "environment": sent})).environment.slug == slug


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2024-05-01T12:35:01Z", datetime(2024, 5, 1, 12, 35, 1, tzinfo=UTC)),
        ("2024-05-01T12:35:01+02:00", datetime(2024, 5, 1, 10, 35, 1, tzinfo=UTC)),
        ("2024-05-01T12:35:01", datetime(2024, 5, 1, 12, 35, 1, tzinfo=UTC)),
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
    ],
)
def test_dates(ci: World, date: str, moment: datetime) -> None:
    assert recorded(post(ci, {"name": NAME, "date": date})).changed_at == moment


@pytest.mark.parametrize("tags", ["#a,#b", ["#a", "#b"], "#a, #b,#a", ["#a,#b"]])
def test_tags(ci: World, tags: Any) -> None:
    assert recorded(post(ci, {"name": NAME, "tags": tags})).tag_list == ["a", "b"]


def test_links_keep_their_order(ci: World) -> None:
    links = {"z": "https://z.example.com", "a=b": "http://a.example.com"}

    assert recorded(post(ci, {"name": NAME, "links": links})).links == [list(link) for link in links.items()]


def test_as_much_as_there_can_be(ci: World) -> None:
    fields: dict[str, Any] = {
        "name": "n" * 255,
        "description": "d" * 10_000,
        "tags": [f"#{number:050d}" for number in range(100)],
        "links": {str(number): f"https://example.com/{'x' * 1900}" for number in range(100)},
    }

    change = recorded(post(ci, fields))

    assert (len(change.name), len(change.description), len(change.tag_list), len(change.links)) == (
        255,
        10_000,
        100,
        100,
    )


# --- How clients label bodies and send the token ---------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"name": "x"}\n', "application/json; charset=UTF-8"),
        ('{\n  "name": "x"\n}', "text/plain"),
        ('{"name": "x"}', None),
        ('{"name": "x"}', FORM),
        ('\ufeff{"name": "x"}', JSON),
        ("name=x&tags=#a,#b", FORM),
        ("name=x", "text/plain"),
        ("name=x", None),
    ],
)
def test_labels(ci: World, body: str, content_type: str | None) -> None:
    assert recorded(call(PATH, body, content_type=content_type, headers=bearer(ci.secret))).name == "x"


def test_the_token_in_every_place(ci: World) -> None:
    key = ci.secret
    calls: list[tuple[str, bytes | str, str | None, dict[str, str]]] = [
        (PATH, '{"name": "x"}', JSON, {"authorization": f"apikey {key}"}),
        # Other bytes: the same ones would be the same call once more.
        (PATH, '{"name":"x"}', JSON, {"Authorization": f"BEARER  {key}"}),
        (PATH, json.dumps({"name": "x", "api_key": f" {key} "}), JSON, {}),
        (PATH, f"api_key={key}&name=x", FORM, {}),
        (PATH, multipart(("api_key", key), ("name", "x")), MULTIPART, {}),
        (f"{PATH}?api_key={key}&environment=Staging", "name=x", FORM, {}),
        (PATH, "name=x", FORM, basic(key)),
    ]

    for path, body, content_type, headers in calls:
        recorded(call(path, body, content_type=content_type, headers=headers))
    assert ManualChange.objects.count() == len(calls)


# --- What else a call does --------------------------------------------------------------------------


def test_a_key_makes_it_safe_to_repeat(ci: World) -> None:
    first, again = (ci.record(name=NAME, headers={"Idempotency-Key": "a"}) for _ in range(2))
    other_body = ci.record(name="Other", headers={"Idempotency-Key": "a"})

    assert (first.content, again.content, again["Idempotency-Replayed"]) == (b"Success", b"Success", "true")
    assert first["X-Manual-Change-Id"] == again["X-Manual-Change-Id"]
    assert other_body.status_code == 422
    assert ManualChange.objects.count() == 1


def test_the_audit_log_names_the_token(ci: World) -> None:
    change = recorded(post(ci, {"name": NAME}))

    event = AuditEvent.objects.latest("id")
    assert (event.action, event.subject_id, event.subject_label) == ("manual_change.registered", change.pk, NAME)
    assert (event.actor_label, event.subject_type) == ("access token ci", "manual change")
    assert event.changes["environment"] == "Production"


def test_the_request_log_names_the_project(ci: World) -> None:
    change = recorded(post(ci, {"name": NAME}))
    post(ci, {})
    call(PATH, b"{}")
    post(ci, {"name": NAME}, path=PATH.replace("shop", "storefront"))
    post(ci, {"name": NAME}, path=PATH.replace("shop", quote("Ünbekannt")))
    request_log.flush()

    accepted, nameless, without_token, deployment, unknown = Call.objects.order_by("id")
    assert (accepted.manual_change, accepted.outcome, accepted.answer) == (change, Outcome.ACCEPTED, "Success")
    assert {line.project_slug for line in (accepted, nameless, without_token)} == {"shop"}
    assert {line.deployment_slug for line in Call.objects.all()} == {""}
    assert (nameless.outcome, nameless.answer) == (Outcome.REJECTED, "Name is required.")
    assert (without_token.answer, without_token.outcome) == ("Unauthorized", Outcome.UNAUTHORIZED)
    assert without_token.explanation.startswith("No access token")
    assert deployment.explanation == "'storefront' is a deployment: write its project's slug, 'shop'."
    assert unknown.explanation == "There is no project 'ünbekannt' in this organization."
    assert not any(line.can_be_replayed for line in Call.objects.all())
