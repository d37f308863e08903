"""What events of incidents make, in whatever order and however often they come."""

from itertools import permutations
from typing import Any

import pytest
import time_machine
from django.test import Client

from deployments.impacts.queries import incidents_of, open_incidents
from deployments.impacts.sources import delete_impact_source
from deployments.models import Call, ImpactKind, Incident, IncidentEvent
from deployments.request_log.writer import request_log
from orgs.deletion import delete_environment
from orgs.models import AuditEvent
from tests.calls import assert_sentence, count_rows
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tests.impacts.reporting import Reporter, make_reporter
from tests.imports.histories import START, minute
from tests.simultaneously import simultaneously
from tokens.scopes import Scope

Event = tuple[str, dict[str, Any]]


def test_triggered_resolved_and_reopened(alerts: Reporter) -> None:
    alerts.tell("triggered", id="A", date=minute(0), title="Shop is down", url="https://alerts.example.com/1")
    incident = Incident.objects.get()
    assert (str(incident), incident.url, incident.environment.slug) == (
        "Shop is down",
        "https://alerts.example.com/1",
        "production",
    )
    assert alerts.incidents == [("A", 0, None)]
    alerts.tell("resolved", id="A", date=minute(10))
    assert alerts.incidents == [("A", 0, 10)]
    alerts.tell("reopened", id="A", date=minute(12))
    assert alerts.incidents == [("A", 0, None)]
    alerts.tell("resolved", id="A", date=minute(20))
    assert alerts.incidents == [("A", 0, 20)]
    assert Incident.objects.get() == incident


def test_the_spelling_with_a_hyphen(alerts: Reporter) -> None:
    path = alerts.path.replace("register_impact", "register-impact")

    assert alerts.send('{"type": "triggered", "id": "1"}', path=path).content == b"Success"
    assert alerts.send('{"type": "resolved"}', path=f"{path}/{alerts.secret}", headers={}).content == b"Success"
    assert [external_id for external_id, _, ended in alerts.incidents if ended is not None] == ["1"]
    assert alerts.send('{"type": "triggered"}', path=f"{path}/wrong", headers={}).status_code == 401
    request_log.flush()
    assert {call.named_slug for call in Call.objects.all()} == {"shop/production/alerts"}


def test_an_id_that_comes_again_after_its_end_is_another_incident(alerts: Reporter) -> None:
    """As the fingerprints of Prometheus's Alertmanager do."""
    for start in (0, 100):
        alerts.tell("triggered", id="A", date=minute(start))
        alerts.tell("resolved", id="A", date=minute(start + 5))

    assert alerts.incidents == [("A", 0, 5), ("A", 100, 105)]


def test_without_dates_the_order_of_arrival_counts(alerts: Reporter) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for type_ in ("triggered", "triggered", "resolved", "resolved", "reopened", "reopened", "resolved"):
            alerts.tell(type_, id="A")
            clock.shift(60)
        alerts.tell("triggered", id="A")

    assert alerts.incidents == [("A", 0, 6), ("A", 7, None)]


TWO_FAILURES: list[Event] = [
    ("triggered", {"date": minute(0)}),
    ("resolved", {"date": minute(10)}),
    ("triggered", {"date": minute(20)}),
    ("resolved", {"date": minute(30)}),
]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=lambda order: "".join(map(str, order)))
def test_dated_events_of_two_failures_in_any_order(alerts: Reporter, order: tuple[int, ...]) -> None:
    for number in order:
        type_, fields = TWO_FAILURES[number]
        alerts.tell(type_, id="A", **fields)

    assert alerts.incidents == [("A", 0, 10), ("A", 20, 30)]


REOPENED: list[Event] = [
    ("triggered", {"date": minute(0), "title": "Down"}),
    ("resolved", {"date": minute(10), "title": "Up"}),
    ("reopened", {"date": minute(15)}),
]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
def test_a_reopening_in_any_order(alerts: Reporter, order: tuple[int, ...]) -> None:
    for number in order:
        type_, fields = REOPENED[number]
        alerts.tell(type_, id="A", **fields)

    assert alerts.incidents == [("A", 0, None)]


def test_repetitions_change_nothing(alerts: Reporter) -> None:
    events: list[Event] = [
        ("triggered", {"id": "A", "date": minute(0)}),
        ("resolved", {"id": "A", "date": minute(10)}),
        ("triggered", {"date": minute(0), "ended_date": minute(5), "title": "Past"}),
        ("triggered", {"id": "P", "date": minute(0), "ended_date": minute(5)}),
        ("triggered", {"id": "B", "date": minute(20)}),
        ("resolved", {"date": minute(25)}),
    ]
    for type_, fields in events:
        alerts.tell(type_, **fields)
        alerts.tell(type_, **fields)
    before, rows = alerts.incidents, count_rows()
    for type_, fields in events * 2:
        alerts.tell(type_, **fields)

    assert sorted(before) == [("", 0, 5), ("A", 0, 10), ("B", 20, 25), ("P", 0, 5)]
    assert (alerts.incidents, count_rows()) == (before, rows)


def test_a_late_repetition_of_a_resolution_does_not_end_a_new_failure(alerts: Reporter) -> None:
    resolution = {"id": "A", "date": minute(10)}
    alerts.tell("triggered", id="A", date=minute(0))
    alerts.tell("resolved", **resolution)
    alerts.tell("triggered", id="A", date=minute(20))
    alerts.tell("resolved", **resolution)

    assert alerts.incidents == [("A", 0, 10), ("A", 20, None)]


def test_resolved_without_id_ends_all_that_is_open_in_the_source(ci: World, alerts: Reporter) -> None:
    elsewhere = make_reporter(ci, ImpactKind.INCIDENT, "Elsewhere")
    elsewhere.tell("triggered", id="A", date=minute(0))
    alerts.tell("triggered", id="A", date=minute(0))
    alerts.tell("triggered", id=7, date=minute(1))
    alerts.tell("triggered", title="No id", date=minute(2))
    alerts.tell("triggered", id="Over", date=minute(0), ended_date=minute(1))
    alerts.tell("resolved", id="", date=minute(10))

    assert alerts.incidents == [("A", 0, 10), ("Over", 0, 1), ("7", 1, 10), ("", 2, 10)]
    assert elsewhere.incidents == [("A", 0, None)]


def test_a_resolution_of_all_ends_what_is_reported_after_it(alerts: Reporter) -> None:
    alerts.tell("resolved", date=minute(10))
    alerts.tell("triggered", id="A", date=minute(5))
    alerts.tell("triggered", id="B", date=minute(15))

    assert alerts.incidents == [("A", 5, 10), ("B", 15, None)]


def test_without_an_id_the_title_tells_incidents_apart(alerts: Reporter) -> None:
    alerts.tell("triggered", title="CPU", date=minute(0))
    alerts.tell("triggered", title="CPU", date=minute(1))
    alerts.tell("triggered", title="Disk", date=minute(2))
    assert alerts.incidents == [("", 0, None), ("", 2, None)]
    alerts.tell("resolved", date=minute(5))
    alerts.tell("reopened", date=minute(6))
    assert alerts.incidents == [("", 0, 5), ("", 2, None)]


def test_grafana_oncall_dates_a_resolution_as_its_trigger(alerts: Reporter) -> None:
    """https://help.sleuth.io: its template sends created_at each time."""
    body = {"id": "I6HNZGUFG4K11", "title": "High CPU on web-1", "date": "2023-09-08T11:28:24.669436Z"}
    with time_machine.travel(START, tick=False) as clock:
        alerts.tell("triggered", **body)
        alerts.tell("resolved", **body)
        incident = Incident.objects.get()
        assert incident.ended_at == incident.started_at
        # When somebody works on it for a while, its length is the time between the arrivals.
        body["id"] = "another"
        alerts.tell("triggered", **body)
        clock.shift(600)
        alerts.tell("resolved", **body)
        alerts.tell("resolved", **body)
        clock.shift(600)
        alerts.tell("reopened", **body)
        assert Incident.objects.get(external_id="another").is_open
        clock.shift(600)
        alerts.tell("resolved", **body)

    another = Incident.objects.get(external_id="another")
    assert another.seconds == 1800
    assert IncidentEvent.objects.filter(incident=another).count() == 4


def test_a_resolution_dated_before_its_trigger_ends_it(alerts: Reporter) -> None:
    """A trigger without a date is as new as its arrival, and clocks differ."""
    with time_machine.travel(START, tick=False) as clock:
        alerts.tell("triggered", id="A")
        clock.shift(120)
        alerts.tell("resolved", id="A", date=minute(-1))

    assert alerts.incidents == [("A", 0, 2)]


def test_a_resolution_of_nothing_is_no_incident(alerts: Reporter) -> None:
    alerts.tell("resolved", id="A", date=minute(0))
    alerts.tell("resolved")
    alerts.tell("reopened", id="B", date=minute(0))

    assert alerts.incidents == [("B", 0, None)]


def test_past_incidents(alerts: Reporter) -> None:
    alerts.tell("triggered", title="Live", date=minute(100))
    alerts.tell("triggered", title="Live", date=minute(0), ended_date=minute(10))
    alerts.tell("triggered", title="Live", date=minute(5), ended_date=minute(20))
    alerts.tell("triggered", id="Late end", date=minute(30))
    alerts.tell("triggered", id="Late end", date=minute(30), ended_date=minute(40))

    assert alerts.incidents == [("", 0, 10), ("", 5, 20), ("Late end", 30, 40), ("", 100, None)]


@pytest.mark.parametrize(
    "events",
    [
        [("triggered", "A")],
        [("triggered", "A"), ("resolved", "A"), ("reopened", "A"), ("resolved", "")],
        [("triggered", str(number % 3)) for number in range(8)],
    ],
    ids=["one", "all kinds", "three incidents"],
)
@pytest.mark.django_db(transaction=True)
def test_clients_at_once_leave_one_open_incident_of_an_id(alerts: Reporter, events: list[tuple[str, str]]) -> None:
    posts = (events * 8)[:8]
    responses = simultaneously(*(lambda type_=type_, id_=id_: alerts.post(type=type_, id=id_) for type_, id_ in posts))

    assert {response.status_code for response in responses} == {200}
    opened = [incident.external_id for incident in Incident.objects.filter(ended_at=None)]
    assert len(opened) == len(set(opened))
    if len(events) != 4:
        assert sorted(opened) == sorted({id_ for _, id_ in posts})


# --- What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": ""},
        {"type": None},
        {"type": "acknowledged"},
        {"type": ["triggered"]},
        {"type": 1},
        {"type": "triggered\0"},
        {"type": "triggered", "id": "x" * 256},
        {"type": "triggered", "id": 10**300},
        {"type": "triggered", "id": True},
        {"type": "triggered", "id": {"a": 1}},
        {"type": "triggered", "id": "a\nb"},
        {"type": "triggered", "id": "\ud800"},
        {"type": "triggered", "date": "yesterday"},
        {"type": "triggered", "date": 1694172},
        {"type": "triggered", "date": "9999-12-31T23:59:59Z"},
        {"type": "triggered", "date": "0001-01-01"},
        {"type": "triggered", "ended_date": minute(5)},
        {"type": "triggered", "date": minute(15), "ended_date": minute(9)},
        {"type": "triggered", "date": minute(5), "ended_date": "soon"},
        {"type": "resolved", "ended_date": []},
    ],
)
def test_what_cannot_be_meant_is_refused(alerts: Reporter, body: dict[str, Any]) -> None:
    alerts.tell("triggered", id="first")
    before = count_rows()
    response = alerts.post(**body)

    assert response.status_code == 400
    assert_sentence(response)
    assert count_rows() == before


def test_only_incident_sources_that_are_there_are_found(ci: World, other: World, alerts: Reporter) -> None:
    metric = make_impact_source(ci.project, ImpactKind.METRIC, "Errors")
    make_impact_source(other.project, ImpactKind.INCIDENT, "Theirs")
    for path in (
        alerts.path.replace("alerts", metric.slug),
        alerts.path.replace("alerts", "theirs"),
        alerts.path.replace("alerts", "%00"),
        alerts.path.replace("alerts", "x" * 300),
        alerts.path.replace("production", "staging"),
        alerts.path.replace("shop", "-"),
    ):
        response = alerts.send('{"type": "triggered"}', path=path)
        assert response.status_code == 404
        assert assert_sentence(response).startswith("There is no incident impact source '")
    for path in (alerts.path, alerts.path.replace("acme/shop/production/alerts", "ACME/Shop/PRODUCTION/Alerts")):
        assert alerts.send('{"type": "triggered"}', path=path).status_code == 200


def test_a_source_that_is_deleted_with_or_without_its_environment_is_not_found(ci: World, alerts: Reporter) -> None:
    staging = make_impact_source(ci.project, ImpactKind.INCIDENT, "Staging", environment="staging")
    delete_environment(environment=staging.environment)
    delete_impact_source(source=alerts.source)

    assert alerts.post(type="triggered").status_code == 404
    assert Reporter(ci, staging, alerts.secret).post(type="triggered").status_code == 404


def test_a_token_needs_scope_and_place(ci: World, other: World, alerts: Reporter) -> None:
    def status(secret: str) -> int:
        path = f"{alerts.path}/{secret}"
        statuses = {
            alerts.send('{"type": "triggered"}', path=path, headers={}).status_code,
            alerts.send('{"type": "triggered"}', headers={"Authorization": f"apikey {secret}"}).status_code,
        }
        (only,) = statuses
        return int(only)

    production, staging = (ci.project.environments.get(slug=slug) for slug in ("production", "staging"))
    impact, everything = (Scope.REGISTER_IMPACT,), (Scope.ALL,)
    assert status(alerts.secret) == 200
    assert status(make_token(ci.organization, *everything)[1]) == 200
    assert status(make_token(ci.organization, *impact, environments=[production])[1]) == 200
    assert status(ci.secret) == 403
    assert status(make_token(ci.organization, Scope.READ)[1]) == 403
    assert status(make_token(ci.organization, *impact, environments=[staging])[1]) == 403
    assert status(make_token(ci.organization, *impact, limited_to_deployments=True)[1]) == 403
    assert status(make_token(other.organization, *impact)[1]) == 401
    assert status("wrong") == 401


def test_who_may_not_is_told_before_anything_is_looked_at(ci: World, other: World, alerts: Reporter) -> None:
    nowhere = alerts.path.replace("alerts", "nowhere")
    theirs = make_token(other.organization, Scope.ALL)[1]
    for path, secret, status, text in (
        (nowhere, "wrong", 401, "Unauthorized"),
        (alerts.path, theirs, 401, "Unauthorized"),
        (nowhere, ci.secret, 403, None),
        (nowhere, alerts.secret, 404, None),
    ):
        response = alerts.send("nonsense", path=f"{path}/{secret}", headers={})
        assert response.status_code == status
        assert assert_sentence(response) == text or text is None
    assert alerts.send("{}", headers={}).status_code == 401
    assert Client().get(alerts.path).status_code == 401
    assert alerts.send("", method="GET").status_code == 405


# --- Audit and reading -----------------------------------------------------------------------------


def test_a_token_is_named_in_the_audit_log_once_for_each_change(alerts: Reporter) -> None:
    for type_ in ("triggered", "triggered", "resolved", "resolved"):
        alerts.tell(type_, id="A", title="Shop is down", date=minute(0 if type_ == "triggered" else 5))

    events = AuditEvent.objects.filter(action__startswith="incident.").order_by("id")
    assert [(event.action, event.subject_label) for event in events] == [
        ("incident.triggered", "Shop is down"),
        ("incident.resolved", "Shop is down"),
    ]
    assert {(event.actor_label, event.address) for event in events} == {("access token token 2", "127.0.0.1")}
    assert alerts.secret not in repr([event.changes for event in events])


def test_open_incidents_of_a_source(ci: World, alerts: Reporter) -> None:
    staging = Reporter(
        ci, make_impact_source(ci.project, ImpactKind.INCIDENT, "Staging", environment="staging"), alerts.secret
    )
    deleted = make_reporter(ci, ImpactKind.INCIDENT, "Gone")
    for reporter, start in ((alerts, 3), (staging, 2), (deleted, 1)):
        reporter.tell("triggered", id=reporter.source.slug, date=minute(start))
    alerts.tell("triggered", id="over", date=minute(0), ended_date=minute(1))
    delete_impact_source(source=deleted.source)

    def ids(incidents: Any) -> list[str]:
        return [incident.external_id for incident in incidents]

    assert ids(open_incidents(alerts.source)) == ["alerts"]
    assert ids(open_incidents(staging.source)) == ["staging"]
    assert ids(open_incidents(deleted.source)) == []
    assert ids(incidents_of(alerts.source)) == ["alerts", "over"]
