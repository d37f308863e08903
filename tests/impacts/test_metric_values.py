"""Values of custom metrics: one every two minutes, and what is no value."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from deployments.impacts.queries import buckets_between
from deployments.impacts.sources import delete_impact_source
from deployments.models import ImpactKind, ImpactSource, MetricValue
from deployments.request_log.writer import request_log
from tests.calls import FORM, MULTIPART, assert_sentence, bearer, call, count_rows, multipart, text_of
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tests.impacts.reporting import Reporter
from tests.simultaneously import simultaneously
from tokens.scopes import Scope

NO_NUMBER = "Bad Request - impact value must be a number"
TOO_SOON = "You may only register a custom metric once every 120 seconds"
CREATED = datetime(2024, 5, 1, 12, tzinfo=UTC)


def again(metric: Reporter) -> None:
    """As if the last value were old."""
    ImpactSource.objects.filter(pk=metric.source.pk).update(last_value_at=None)


VALUES: list[tuple[str, float]] = [
    ("12.5", 12.5),
    ("0", 0.0),
    ("-3", -3.0),
    ("1e3", 1000.0),
    ('"7.5"', 7.5),
    ('" 7.5\\n"', 7.5),
    ('"+.5"', 0.5),
    ('"-1.5E-3"', -0.0015),
    ("9007199254740993", 9007199254740992.0),
    (f'"1{"0" * 300}"', 1e300),
    ("1e308", 1e308),
    ('"0"', 0.0),
]


def test_the_spelling_with_a_hyphen(metric: Reporter) -> None:
    path = metric.path.replace("register_impact", "register-impact")

    assert metric.send('{"value": 1}', path=path).content == b"Success"
    assert metric.send('{"value": 1}', path=path.replace("-impact", "--impact")).status_code == 404
    assert MetricValue.objects.count() == 1


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_number_is_stored(metric: Reporter, text: str, value: float) -> None:
    response = metric.send(f'{{"value": {text}}}')

    assert (response.status_code, response.content) == (200, b"Success")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert MetricValue.objects.get().value == value


NO_VALUES = [
    "", "{}", '{"value": ""}', '{"value": " "}', '{"value": null}', '{"value": "many"}', '{"value": true}',
    '{"value": NaN}', '{"value": Infinity}', '{"value": -Infinity}', '{"value": "NaN"}', '{"value": "inf"}',
    '{"value": "-Infinity"}', '{"value": 1e400}', '{"value": "1e400"}', f'{{"value": 1{"0" * 400}}}',
    f'{{"value": {2**63}}}',
    f'{{"value": "1{"0" * 500}"}}', '{"value": [1]}', '{"value": {"a": 1}}', '{"value": "1_000"}', '{"value": "1,5"}',
    '{"value": "0x10"}', '{"value": "٣"}', '{"value": "1 2"}', '{"val": 1}', '{"date": "yesterday"}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_VALUES)
def test_what_is_no_number_is_refused(metric: Reporter, body: str) -> None:
    before = count_rows()
    response = metric.send(body)

    assert (response.status_code, text_of(response)) == (400, NO_NUMBER)
    assert count_rows() == before
    assert metric.post(value=1).status_code == 200, "a refused value does not count for the interval"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("value=7.5", FORM),
        ("value=7.5&date=&api_key=", FORM),
        (multipart(("value", "7.5")), MULTIPART),
        ('{"value": 7.5}', "text/plain"),
        ('{"value": 7.5}', None),
        ('{"value": 7.5}', FORM),
        ('\n{"value": "7.5", "unit": "ms"}\n', "application/json; charset=UTF-8"),
        ('﻿{"value": 7.5}', "application/json"),
    ],
)
def test_every_encoding(metric: Reporter, body: str | bytes, content_type: str | None) -> None:
    assert metric.send(body, content_type).status_code == 200
    assert MetricValue.objects.get().value == 7.5


def test_the_token_in_every_place(metric: Reporter) -> None:
    secret = metric.secret
    calls: list[dict[str, Any]] = [
        {"body": '{"value": 1}', "headers": {"AUTHORIZATION": f"apikey {secret}"}},
        {"body": '{"value": 1.0}', "headers": {"Authorization": f"bearer {secret}"}},
        {"body": f'{{"value": 1, "api_key": "{secret}"}}'},
        {"body": f"value=1&api_key={secret}", "content_type": FORM},
        {"body": f"value=1&api_key=%20{secret}+", "content_type": FORM},
        {"body": multipart(("value", "1"), ("api_key", secret)), "content_type": MULTIPART},
        {"body": '{"value": 1}', "path": f"{metric.path}?api_key={secret}"},
        {"path": f"{metric.path}?api_key={secret}&value=1"},
    ]
    for arguments in calls:
        again(metric)
        response = call(**{"path": metric.path, **arguments})
        assert response.status_code == 200, arguments
    assert MetricValue.objects.count() == len(calls)


def test_one_value_every_two_minutes(ci: World, metric: Reporter) -> None:
    other = Reporter(ci, make_impact_source(ci.project, ImpactKind.METRIC, "Other"), metric.secret)
    later = datetime.now(UTC) + timedelta(days=1)
    with time_machine.travel(later, tick=False) as clock:
        assert metric.post(value=1).status_code == 200
        assert other.post(value=1).status_code == 200
        refused = metric.post(value=2)
        assert (refused.status_code, text_of(refused), refused["Retry-After"]) == (429, TOO_SOON, "120")
        clock.shift(119.5)
        refused = metric.post(value=2, date=(later + timedelta(minutes=5)).isoformat())
        assert (refused.status_code, refused["Retry-After"]) == (429, "1")
        # What is wrong with the call is said first.
        assert metric.post(value="x").status_code == 400
        clock.shift(0.5)
        assert metric.post(value=2).status_code == 200
        # The clock was ahead, and is set right.
        clock.shift(-600)
        assert metric.post(value=3).status_code == 200
        assert metric.post(value=4)["Retry-After"] == "120"


def test_a_value_has_the_callers_date(metric: Reporter) -> None:
    ImpactSource.objects.filter(pk=metric.source.pk).update(created_at=CREATED)
    for date, measured_at in (
        ("2024-05-01T12:00:00", CREATED),
        ("2024-05-01 14:00:00.000000+02:00", CREATED),
        ("2024-06-01T00:00:00.123456Z", datetime(2024, 6, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        (" 2024-06-02 ", datetime(2024, 6, 2, tzinfo=UTC)),
    ):
        again(metric)
        assert metric.post(value=1, date=date).status_code == 200, date
        assert MetricValue.objects.latest("id").measured_at == measured_at


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("2024-05-01T11:59:59Z", "date is older than the impact source, which was created on 2024-05-01"),
        ("2001-01-01", "date is older than the impact source"),
        ("yesterday", "Invalid date format.  Must be in ISO 8601 format"),
        ("0001-01-01T00:00:00Z", "date is 0001-01-01T00:00:00Z, which is before 2000 and means no time"),
        (5, "Invalid date format.  Must be in ISO 8601 format"),
        ([], "Invalid date format.  Must be in ISO 8601 format"),
        ("2150-01-01", "date is in the future"),
    ],
)
def test_dates_that_are_refused(metric: Reporter, date: Any, text: str) -> None:
    ImpactSource.objects.filter(pk=metric.source.pk).update(created_at=CREATED)
    response = metric.post(value=1, date=date)

    assert response.status_code == 400
    assert assert_sentence(response).startswith(text)
    assert not MetricValue.objects.exists()


@pytest.mark.parametrize("clients", [16])
@pytest.mark.django_db(transaction=True)
def test_of_clients_at_once_one_gets_through(metric: Reporter, clients: int) -> None:
    responses = simultaneously(*[lambda by=n: metric.post(value=1, by=by) for n in range(clients)])

    assert Counter(response.status_code for response in responses) == {200: 1, 429: clients - 1}
    assert {1 <= int(r["Retry-After"]) <= 120 for r in responses if r.status_code == 429} == {True}
    assert MetricValue.objects.count() == 1


def test_only_metric_sources_of_the_tokens_organization_are_found(ci: World, other: World, metric: Reporter) -> None:
    incidents = make_impact_source(ci.project, ImpactKind.INCIDENT)
    theirs = make_impact_source(other.project, ImpactKind.METRIC)
    gone = make_impact_source(ci.project, ImpactKind.METRIC, "Gone")
    delete_impact_source(source=gone)
    for impact_id in (incidents.pk, theirs.pk, gone.pk, 0, "9" * 30, "-1", "x", "%00", "1.0", "٣"):
        response = metric.send("nonsense", path=f"/api/1/impact/{impact_id}/register_impact")
        assert (response.status_code, text_of(response)) == (404, "MetricImpactSource Not Found"), impact_id


def test_a_token_needs_scope_and_place(ci: World, metric: Reporter) -> None:
    staging = ci.project.environments.get(slug="staging")
    impact = (Scope.REGISTER_IMPACT,)
    for secret, status in (
        ("wrong", 401),
        (ci.secret, 403),
        (make_token(ci.organization, Scope.READ)[1], 403),
        (make_token(ci.organization, *impact, environments=[staging])[1], 403),
        (make_token(ci.organization, *impact, limited_to_deployments=True)[1], 403),
        (make_token(ci.organization, Scope.ALL)[1], 200),
    ):
        response = metric.send('{"value": 1}', headers=bearer(secret))
        assert response.status_code == status
        assert status != 401 or text_of(response) == "Unauthorized"
    # Scope before source.
    assert metric.send("x", path="/api/1/impact/0/register_impact", headers=bearer(ci.secret)).status_code == 403
    assert metric.send('{"value": 1}', headers={}).status_code == 401


def test_calls_are_in_the_log_of_the_tokens_organization(ci: World, metric: Reporter) -> None:
    metric.post(value=1)
    metric.post(value=2)
    metric.post(value="many")
    metric.send('{"value": 1}', headers=bearer("unknown"))
    request_log.flush()

    calls = ci.organization.calls.order_by("id")
    assert [(c.status, c.outcome, c.token_name) for c in calls] == [
        (200, "accepted", "token 2"),
        (429, "rate_limited", "token 2"),
        (400, "rejected", "token 2"),
    ]
    assert {c.named_slug for c in calls} == {f"impact/{metric.source.pk}"}
    assert not any(c.can_be_replayed for c in calls)


def test_buckets_of_a_chart(metric: Reporter) -> None:
    since = CREATED
    for minute, value in ((0, 1.0), (1, 3.0), (100, -1e308), (101, 1e308), (358, 5.0), (359, 7.0)):
        MetricValue.objects.create(source=metric.source, value=value, measured_at=since + timedelta(minutes=minute))

    buckets = buckets_between(metric.source, since, since + timedelta(hours=12))

    assert [(bucket.low, bucket.mean, bucket.high) for bucket in buckets] == [
        (1.0, 2.0, 3.0),
        (-1e308, 0.0, 1e308),
        (5.0, 6.0, 7.0),
    ]
