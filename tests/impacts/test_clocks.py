"""Clocks that differ: of two machines that report to us, and of one and ours."""

from datetime import timedelta

import pytest
from django.utils import timezone
from time_machine import travel

from deployments.models import ManualChange, MetricValue
from tests.conftest import World
from tests.impacts.reporting import Reporter
from tests.imports.histories import START, minute

SECOND = 1 / 60


@pytest.mark.parametrize("ahead", [0.5 * SECOND, 2 * SECOND, 1, 3, 5])
def test_a_resolution_dated_shortly_before_its_trigger_ends_it(alerts: Reporter, ahead: float) -> None:
    alerts.tell("triggered", id="skew", date=minute(10))
    alerts.tell("resolved", id="skew", date=minute(10 - ahead))

    assert alerts.incidents == [("skew", 10, 10)]


def test_it_took_as_long_as_lay_between_the_arrivals(alerts: Reporter) -> None:
    with travel(START, tick=False) as traveller:
        alerts.tell("triggered", id="skew", date=minute(-1))
        traveller.shift(timedelta(minutes=2))
        alerts.tell("resolved", id="skew", date=minute(-1.5))

    assert alerts.incidents == [("skew", -1, 1)]


def test_a_resolution_without_an_id_ends_what_began_shortly_after_it(alerts: Reporter) -> None:
    alerts.tell("triggered", id="a", date=minute(10))
    alerts.tell("triggered", id="b", date=minute(0))
    alerts.tell("resolved", date=minute(9))

    assert alerts.incidents == [("b", 0, 9), ("a", 10, 10)]


def test_a_resolution_of_an_earlier_failure_ends_none_that_began_later(alerts: Reporter) -> None:
    """Long before it, or while an earlier one of the same id was open."""
    alerts.tell("triggered", id="far", date=minute(10))
    alerts.tell("resolved", id="far", date=minute(4.9))
    alerts.tell("triggered", id="near", date=minute(0), ended_date=minute(9))
    alerts.tell("triggered", id="near", date=minute(10))
    alerts.tell("resolved", id="near", date=minute(8))

    assert alerts.incidents == [("near", 0, 8), ("far", 10, None), ("near", 10, None)]


def test_an_end_shortly_before_its_start(alerts: Reporter) -> None:
    alerts.tell("triggered", id="a", date=minute(10), ended_date=minute(9))

    assert alerts.incidents == [("a", 10, 10)]
    assert alerts.post(type="triggered", id="b", date=minute(10), ended_date=minute(4)).status_code == 400


@pytest.mark.parametrize("zero", ["0001-01-01T00:00:00Z", "0001-01-01 00:00:00 +0000 UTC", "1970-01-01", "0", 0])
def test_an_end_of_zero_is_none(alerts: Reporter, zero: str | int) -> None:
    alerts.tell("triggered", id="am", date=minute(0), ended_date=zero)

    assert alerts.incidents == [("am", 0, None)]
    assert alerts.post(type="triggered", id="b", date=zero).status_code == 400


def test_nothing_is_later_than_its_arrival(alerts: Reporter) -> None:
    with travel(START, tick=False) as traveller:
        alerts.tell("triggered", id="a", date=minute(90))
        assert alerts.incidents == [("a", 0, None)]
        traveller.shift(timedelta(minutes=1))
        for _ in range(2):
            alerts.tell("triggered", id="a", date=minute(90))
            alerts.tell("resolved", id="a", date=minute(91))

    assert alerts.incidents == [("a", 0, 1)]


def test_no_value_and_no_manual_change_is_later_than_its_arrival(metric: Reporter, ci: World) -> None:
    ahead = (timezone.now() + timedelta(minutes=30)).isoformat()

    assert metric.post(value=1, date=ahead).status_code == ci.record(name="Scaled", date=ahead).status_code == 200

    value, change = MetricValue.objects.get(), ManualChange.objects.get()
    assert value.measured_at == value.created_at
    assert change.changed_at <= change.created_at
