"""Alertmanager's and Grafana's fixed body, at the address of an incident source."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from deployments.models import Call, Incident
from deployments.models.call import Outcome
from deployments.request_log.writer import request_log
from tests.calls import assert_sentence
from tests.impacts.reporting import Reporter
from tests.imports.histories import minute

SECONDS = 20
ZERO = "0001-01-01T00:00:00Z"


def alert(name: str = "HighLatency", begin: float = 0, end: float | None = None, **more: Any) -> dict[str, Any]:
    return {
        "status": "firing" if end is None else "resolved",
        "labels": {"alertname": name, "severity": "page"},
        "annotations": {"summary": f"{name} is high", "runbook": "https://example.com"},
        "startsAt": minute(begin),
        "endsAt": ZERO if end is None else minute(end),
        "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
        "fingerprint": name.lower(),
        **more,
    }


def notification(*alerts: Any, **more: Any) -> dict[str, Any]:
    """As https://prometheus.io/docs/alerting/latest/configuration/#webhook_config shows it."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighLatency"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "gumshoe",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
        **more,
    }


def notify(reporter: Reporter, *alerts: Any, **more: Any) -> None:
    response = reporter.post(**notification(*alerts, **more))
    assert (response.status_code, response.content) == (200, b"Success")


def test_each_alert_is_an_incident(alerts: Reporter) -> None:
    notify(alerts, alert(), alert("DiskFull", 1), alert("Over", 2, 3))

    assert alerts.incidents == [("highlatency", 0, None), ("diskfull", 1, None), ("over", 2, 3)]
    incident = Incident.objects.get(external_id="highlatency")
    assert (incident.title, incident.url) == ("HighLatency is high", "http://prometheus:9090/graph?g0.expr=x")


def test_more_alerts_than_are_taken_are_told(alerts: Reporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.impacts.alerts.MAX_ALERTS", 2)

    notify(alerts, alert(), alert("DiskFull", 1), alert("Over", 2, 3))

    assert alerts.incidents == [("highlatency", 0, None), ("diskfull", 1, None)]
    request_log.flush()
    assert Call.objects.get().dropped == "alerts cut at 2 of 3 entries"


def test_the_same_alert_again_says_nothing_new(alerts: Reporter) -> None:
    for _ in range(3):
        notify(alerts, alert())
    for _ in range(2):
        notify(alerts, alert(end=5), status="resolved")
    assert alerts.incidents == [("highlatency", 0, 5)]

    notify(alerts, alert(begin=7))
    assert alerts.incidents == [("highlatency", 0, 5), ("highlatency", 7, None)]


def test_notifications_in_any_order(alerts: Reporter) -> None:
    for begin, end in ((0, 5), (7, None), (0, None), (7, 9), (7, None)):
        notify(alerts, alert(begin=begin, end=end))

    assert alerts.incidents == [("highlatency", 0, 5), ("highlatency", 7, 9)]


def test_the_end_of_an_alert_that_fires_is_when_it_will_be_forgotten(alerts: Reporter) -> None:
    notify(alerts, alert(endsAt=minute(4)))

    assert alerts.incidents == [("highlatency", 0, None)]


@pytest.mark.parametrize(
    ("more", "title", "id_"),
    [
        ({"annotations": {}}, "HighLatency", "highlatency"),
        ({"annotations": None, "labels": None}, "", "highlatency"),
        ({"annotations": {"summary": " a\nb " * 200}}, ("a b " * 200)[:255].strip(), "highlatency"),
        ({"fingerprint": ""}, "HighLatency is high", "9e3a2b6ffd2e9e1e"),
        ({"generatorURL": "x" * 3000}, "HighLatency is high", "highlatency"),
        ({"generatorURL": None, "startsAt": "soon", "endsAt": 5}, "HighLatency is high", "highlatency"),
    ],
)
def test_no_alert_is_lost_for_a_detail(alerts: Reporter, more: dict[str, Any], title: str, id_: str) -> None:
    notify(alerts, alert(**more))

    incident = Incident.objects.get()
    assert incident.title == title
    assert incident.is_open
    assert incident.external_id == id_ or (not more.get("fingerprint", True) and len(incident.external_id) == 16)


def test_without_a_fingerprint_an_alert_is_its_labels(alerts: Reporter) -> None:
    for _ in range(2):
        notify(alerts, alert("A", fingerprint=None), alert("B", fingerprint=None))

    assert len({incident[0] for incident in alerts.incidents}) == len(alerts.incidents) == 2


def test_grafana(alerts: Reporter) -> None:
    """https://grafana.com/docs/grafana/latest/alerting/, "Webhook notifier": more members, the same shape."""
    more = {"orgId": 1, "title": "[FIRING:1]", "state": "alerting", "message": "**Firing**"}
    notify(alerts, alert(values={"B": 44.2}, valueString="[ var='B' ]", silenceURL="http://grafana/x"), **more)

    assert alerts.incidents == [("highlatency", 0, None)]


def test_what_is_no_notification(alerts: Reporter) -> None:
    assert "alerts[1]" in assert_sentence(alerts.post(**notification(alert(), "x")))
    assert_sentence(alerts.post(alerts={}))
    assert alerts.incidents == []
    # Sleuth ignores unknown members.
    alerts.tell("triggered", id="1", alerts=[alert()])
    assert [incident[0] for incident in alerts.incidents] == ["1"]


def test_a_notification_without_alerts(alerts: Reporter) -> None:
    notify(alerts)

    assert alerts.incidents == []


def test_a_dry_run(alerts: Reporter) -> None:
    answer = alerts.send(json.dumps(notification(alert(), alert("B"))), path=f"{alerts.path}?dry_run=1").json()

    assert (answer["result"], answer["alerts"], answer["open_incidents"]) == ("incident_event", 2, 2)
    assert alerts.incidents == []


def test_the_token_in_the_address(alerts: Reporter) -> None:
    path = f"{alerts.path}/{alerts.secret}"

    assert alerts.send(json.dumps(notification(alert())), path=path, headers={}).status_code == 200
    assert alerts.send(json.dumps(notification(alert())), path=f"{path}x", headers={}).status_code == 401


def test_an_alertmanager_that_calls_too_often_comes_again(alerts: Reporter, settings: Settings) -> None:
    """At a 4xx, and so at a 429, it gives up until the next repetition, which may be hours away."""
    settings.API_RATE_LIMIT = "1/d"
    notify(alerts, alert())

    late = alerts.post(**notification(alert("B")))
    other = alerts.post(type="triggered", id="1")

    assert (late.status_code, other.status_code) == (503, 429)
    assert late.headers["Retry-After"]
    request_log.flush()
    assert [call.outcome for call in Call.objects.order_by("id")][1:] == [Outcome.RATE_LIMITED] * 2


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from([*alert(), "x"]), ANYTHING), status=ANYTHING)
def test_any_alert(alerts: Reporter, changes: dict[str, Any], status: Any) -> None:
    """A 400 is for text that no database stores, and nothing is half stored."""
    before = Incident.objects.count()
    response = alerts.post(**notification({**alert("Sound"), "fingerprint": None, **changes}, status=status))

    assert response.status_code in (200, 400)
    if response.status_code == 400:
        assert_sentence(response)
        assert Incident.objects.count() == before


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
def test_a_real_alertmanager(alerts: Reporter, live_server: LiveServer, tmp_path: Path) -> None:
    """Debian's, which sends one alert when it begins, again, and when it ends."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("prometheus-alertmanager is not installed: apt install prometheus-alertmanager")
    address = f"{live_server.url}{alerts.path}/{alerts.secret}"
    config = tmp_path / "alertmanager.yml"
    config.write_text(
        "route: {receiver: gumshoe, group_wait: 100ms, group_interval: 1s, repeat_interval: 1s}\n"
        f"receivers: [{{name: gumshoe, webhook_configs: [{{url: '{address}', send_resolved: true}}]}}]\n"
    )
    port = free_port()
    arguments = [f"--config.file={config}", f"--storage.path={tmp_path}", "--cluster.listen-address="]
    listen = f"--web.listen-address=127.0.0.1:{port}"
    process = subprocess.Popen([program, *arguments, listen], stderr=subprocess.DEVNULL)

    def tell(**more: str) -> bool:
        body = json.dumps([{"labels": {"alertname": "Down"}, "annotations": {"summary": "Down"}, **more}]).encode()
        headers = {"Content-Type": "application/json"}
        try:
            with urlopen(Request(f"http://127.0.0.1:{port}/api/v2/alerts", body, headers), timeout=5):
                return True
        except OSError:
            return False

    try:
        wait_until(tell)
        wait_until(lambda: Incident.objects.filter(ended_at=None, title="Down").exists())
        incident = Incident.objects.get()
        tell(startsAt=incident.started_at.isoformat(), endsAt=(incident.started_at + timedelta(seconds=1)).isoformat())
        wait_until(lambda: Incident.objects.filter(ended_at__isnull=False).exists())
        assert Incident.objects.count() == 1
    finally:
        process.terminate()
        process.wait(10)
