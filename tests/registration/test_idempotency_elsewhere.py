"""``Idempotency-Key`` beside ``register_deploy``, and what counts as a repetition there without one."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from deployments.models import Deploy, HistoryImport, IdempotencyKey, ImpactKind, ManualChange, MetricValue
from deployments.tasks import delete_expired_idempotency_keys
from tests.calls import MULTIPART, bearer, call, multipart
from tests.conftest import World
from tests.factories import make_token
from tests.impacts.reporting import Reporter, make_reporter
from tests.imports.histories import START, history, in_short
from tokens.scopes import Scope

KEY = {"Idempotency-Key": "build-1"}
SWEETR = {"app": "storefront", "environment": "production", "version": "1", "repositoryFullName": "acme/storefront"}


@pytest.fixture
def metric(ci: World) -> Reporter:
    return make_reporter(ci, ImpactKind.METRIC)


@pytest.fixture
def alerts(ci: World) -> Reporter:
    return make_reporter(ci, ImpactKind.INCIDENT)


def assert_replayed(first: Any, again: Any) -> None:
    assert first.status_code in (200, 202)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")


def test_sweetrs(ci: World) -> None:
    def post(commit: str) -> Any:
        return call("/v1/deployments", json.dumps({**SWEETR, "commitHash": commit}), headers=bearer(ci.secret) | KEY)

    first = post("a")
    assert ci.register(sha="b").status_code == 200

    assert_replayed(first, post("a"))
    assert in_short(history(ci)) == "a b[live]"
    assert (post("c").status_code, Deploy.objects.count()) == (422, 2)


def import_file(world: World, csv: str, key: str | None = "build-1", query: str = "", **parts: str) -> Any:
    headers = bearer(make_token(world.organization, Scope.ALL)[1] if not world.secret else world.secret)
    body = multipart(("csv_file", csv), *parts.items())
    path = f"{world.path.removesuffix('register_deploy')}import_deploys{query}"
    return call(path, body, content_type=MULTIPART, headers=headers | ({"Idempotency-Key": key} if key else {}))


@pytest.fixture
def importer(ci: World) -> World:
    ci.secret = make_token(ci.organization, Scope.ALL, name="importer")[1]
    return ci


def test_an_import(importer: World) -> None:
    csv = "sha,date\na,2024-05-01\nb,2024-05-02\n"
    first = import_file(importer, csv)
    importer.register(sha="c")

    assert_replayed(first, import_file(importer, csv))
    assert in_short(history(importer)) == "a b c[live]"
    assert HistoryImport.objects.count() == 1
    assert import_file(importer, csv.replace("b", "d")).status_code == 422
    assert import_file(importer, csv, environment="staging").status_code == 422
    assert import_file(importer, csv, "build-2").headers.get("Idempotency-Replayed") is None
    assert in_short(history(importer)) == "a b[live]"


def test_an_import_that_was_rejected_or_tried_may_come_again(importer: World) -> None:
    assert import_file(importer, "sha,date\na,yesterday\n").status_code == 400
    assert import_file(importer, "sha,date\na,2024-05-01\n", query="?dry_run=1").status_code == 200
    assert import_file(importer, "sha,date\nb,2024-05-01\n").status_code == 200
    assert in_short(history(importer)) == "b[live]"


def test_a_metric_value(metric: Reporter) -> None:
    headers = bearer(metric.secret) | KEY
    with travel(START, tick=False):
        metric.source.created_at = START
        first = metric.send('{"value": 1}', headers=headers)
        assert_replayed(first, metric.send('{"value": 1}', headers=headers))
        assert metric.send('{"value": 2}', headers=headers).status_code == 422
    with travel(START + timedelta(hours=1), tick=False):
        assert_replayed(first, metric.send('{"value": 1}', headers=headers))
        assert metric.send('{"value": 2}').status_code == 200
    assert list(MetricValue.objects.order_by("id").values_list("value", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    ("body", "seconds", "status"),
    [('{"value": 1}', 59, 200), ('{"value": 1}', 61, 429), ('{"value": 1 }', 1, 429), ('{"value": 2}', 1, 429)],
)
def test_the_same_metric_value_within_a_minute_is_the_same_call(
    metric: Reporter, body: str, seconds: int, status: int
) -> None:
    with travel(START, tick=False):
        first = metric.send('{"value": 1}')
    with travel(START + timedelta(seconds=seconds), tick=False):
        again = metric.send(body)
        if status == 200:
            assert_replayed(first, again)
        assert again.status_code == status
    assert MetricValue.objects.count() == 1


def test_an_incident(alerts: Reporter) -> None:
    headers = bearer(alerts.secret) | KEY
    first = alerts.send('{"type": "triggered", "id": "1"}', headers=headers)
    alerts.tell("resolved", id="1")

    assert_replayed(first, alerts.send('{"type": "triggered", "id": "1"}', headers=headers))
    assert len(alerts.incidents) == 1
    assert alerts.incidents[0][2] is not None
    assert alerts.send('{"type": "triggered", "id": "2"}', headers=headers).status_code == 422


def test_an_incident_that_begins_again_is_no_repetition(alerts: Reporter) -> None:
    """Alerts flap, and their tools send the same bytes each time."""
    for type_ in ("triggered", "resolved", "triggered"):
        alerts.tell(type_, id="1")

    assert len([incident for incident in alerts.incidents if incident[2] is None]) == 1


@pytest.mark.parametrize(("seconds", "count"), [(0, 1), (59, 1), (61, 2)])
def test_the_same_manual_change_within_a_minute_is_the_same_call(ci: World, seconds: int, count: int) -> None:
    with travel(START, tick=False):
        first = ci.record(name="Resize")
        assert ci.record(name="Restart").headers["X-Manual-Change-Id"] != first.headers["X-Manual-Change-Id"]
    with travel(START + timedelta(seconds=seconds), tick=False):
        again = ci.record(name="Resize")

    assert (again.headers["X-Manual-Change-Id"] == first.headers["X-Manual-Change-Id"]) is (count == 1)
    assert ManualChange.objects.filter(name="Resize").count() == count


def test_what_was_remembered_by_its_bytes_goes_within_the_hour(ci: World) -> None:
    ci.record(name="Resize")
    ci.record(name="Resize", headers=KEY)
    assert delete_expired_idempotency_keys() == 0
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(minutes=2))

    assert delete_expired_idempotency_keys() == 1
    assert IdempotencyKey.objects.get().key == "build-1"


def test_a_key_is_no_digest(ci: World) -> None:
    ci.record(name="Resize")
    name = IdempotencyKey.objects.get().key

    assert ci.record(name="Restart", headers={"Idempotency-Key": name}).status_code == 200
    assert ManualChange.objects.count() == 2


@pytest.mark.parametrize("key", ["", "ä"])
def test_a_key_that_cannot_be_used(importer: World, metric: Reporter, alerts: Reporter, key: str) -> None:
    bad = {"Idempotency-Key": key}
    answers = [
        import_file(importer, "sha,date\na,2024-05-01\n", key) if key else None,
        metric.send('{"value": 1}', headers=bearer(metric.secret) | bad),
        alerts.send('{"type": "triggered"}', headers=bearer(alerts.secret) | bad),
        metric.send('{"value": 1}', headers=bearer(metric.secret) | bad, path=f"{metric.path}?dry_run=1"),
    ]

    assert {answer.content for answer in answers if answer} == {
        b"Idempotency-Key must be 1 to 255 printable ASCII characters."
    }
    assert not MetricValue.objects.exists()
