"""Incident events as their clients write them: the token in the path, and every encoding."""

from typing import Any

import pytest

from deployments.models import Incident
from tests.calls import FORM, JSON, MULTIPART, call, multipart
from tests.impacts.reporting import Reporter

BODIES: list[tuple[str | bytes, str | None]] = [
    ('{"type":"triggered","id":"1","title":"Down"}', JSON),
    ('{\n  "type": "Triggered",\n  "id": 1,\n  "title": " Down\\n"\n}\n', "application/json; charset=UTF-8"),
    ('{"type":"TRIGGERED ","id":" 1 ","title":"Down","date":"","ended_date":null,"url":""}', JSON),
    ('{"type":"triggered","id":"1","title":"Down","unknown":{"a":[1]}}', "text/plain"),
    ('{"type":"triggered","id":"1","title":"Down"}', None),
    ('{"type":"triggered","id":"1","title":"Down"}', FORM),
    ("type=triggered&id=1&title=Down", FORM),
    ("type=triggered&id=1&title=Down&date=&url=", FORM),
    (multipart(("type", "triggered"), ("id", "1"), ("title", "Down")), MULTIPART),
    ('﻿{"type":"triggered","id":"1","title":"Down"}', JSON),
]


@pytest.mark.parametrize(("body", "content_type"), BODIES)
def test_every_encoding(alerts: Reporter, body: str | bytes, content_type: str | None) -> None:
    response = call(f"{alerts.path}/{alerts.secret}", body, content_type=content_type)

    assert (response.status_code, response.content) == (200, b"Success")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert "Location" not in response.headers
    incident = Incident.objects.get()
    assert (incident.external_id, incident.title, incident.is_open) == ("1", "Down", True)


def test_an_id_is_the_same_as_number_and_as_text(alerts: Reporter) -> None:
    alerts.tell("triggered", id=4711)
    alerts.tell("resolved", id="4711")
    alerts.tell("triggered", id=0)

    assert [(i.external_id, i.is_open) for i in Incident.objects.order_by("id")] == [("4711", False), ("0", True)]


@pytest.mark.parametrize("before", ["", "%20", "%09"])
def test_white_space_around_the_token_in_the_path(alerts: Reporter, before: str) -> None:
    assert call(f"{alerts.path}/{before}{alerts.secret}{before}", '{"type": "triggered"}').status_code == 200


def test_the_token_in_other_places(alerts: Reporter) -> None:
    calls: list[dict[str, Any]] = [
        {"body": '{"type": "triggered"}', "headers": {"Authorization": f"Bearer {alerts.secret}"}},
        {"body": f'{{"type": "triggered", "api_key": "{alerts.secret}"}}'},
        {"body": f"type=triggered&api_key={alerts.secret}", "content_type": FORM},
        {"path": f"{alerts.path}?type=triggered&api_key={alerts.secret}"},
    ]
    for arguments in calls:
        assert call(**{"path": alerts.path, **arguments}).status_code == 200, arguments


def test_the_token_in_the_path_counts(alerts: Reporter) -> None:
    headers = {"Authorization": f"Bearer {alerts.secret}"}
    assert call(f"{alerts.path}/wrong", '{"type": "triggered"}', headers=headers).status_code == 401


def test_a_title_of_many_lines_is_one_line_and_cut(alerts: Reporter) -> None:
    alerts.tell("triggered", title="Down\n\n  since\ttoday " + "x" * 300)

    title = Incident.objects.get().title
    assert title.startswith("Down since today xxx")
    assert len(title) == 255
