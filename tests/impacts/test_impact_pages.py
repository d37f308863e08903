"""The pages of impact sources."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from deployments.impacts.charts import HEIGHT, ticks_between
from deployments.impacts.sources import create_impact_source, delete_impact_source, register_path
from deployments.models import Call, ImpactKind, ImpactSource, MetricValue
from deployments.request_log.writer import request_log
from orgs.deletion import delete_environment
from orgs.models import AuditEvent, User
from tests.conftest import World
from tests.factories import make_impact_source, make_project, make_token, signed_in
from tests.impacts.reporting import Reporter, make_reporter
from tests.imports.histories import minute
from tokens.scopes import Scope

SOURCES = "/acme/projects/shop/impact-sources"
NEW = "/acme/projects/shop/new-impact-source"


@pytest.fixture
def page(admin: User) -> Client:
    return signed_in(admin)


def address(reporter: Reporter) -> str:
    return f"{SOURCES}/{reporter.source.pk}"


def test_a_new_source_shows_the_call_to_copy(ci: World, page: Client, settings: Settings) -> None:
    response = page.post(NEW, {"kind": "incident", "name": "On call", "environment": "staging"}, follow=True)

    source = ImpactSource.objects.get()
    assert (source.slug, source.environment.slug, source.organization) == ("on-call", "staging", ci.organization)
    assert response.redirect_chain == [(f"{SOURCES}/{source.pk}", 302)]
    url = f"{settings.SITE_URL}/api/1/deployments/acme/shop/staging/on-call/register_impact"
    assert f"&quot;{url}&quot;" in response.content.decode()
    created = AuditEvent.objects.get(action="impact_source.created")
    assert created.changes["environment"] == "Staging"
    for tool, text in (("webhook", f"POST {url}/$GUMSHOE_TOKEN"), ("grafana-oncall", "{{ alert_group.created_at }}")):
        content = page.get(f"{SOURCES}/{source.pk}?tool={tool}").content.decode()
        assert text in content
        assert 'data-copy="snippet"' in content


def test_a_new_metric_shows_its_call(page: Client, ci: World, settings: Settings) -> None:
    page.post(NEW, {"kind": "metric", "name": "Errors", "environment": "production", "slug": "err"})

    source = ImpactSource.objects.get(slug="err")
    content = page.get(f"{SOURCES}/{source.pk}").content.decode()
    assert f"{settings.SITE_URL}/api/1/impact/{source.pk}/register_impact" in content
    assert "No value yet" in content


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "deploys"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"environment": "elsewhere"}, "environment"),
        ({"slug": "No slug"}, "slug"),
        ({"slug": "alerts"}, "slug"),
    ],
)
def test_mistakes_are_told_beside_the_field(
    ci: World, page: Client, alerts: Reporter, fields: dict[str, str], field: str
) -> None:
    make_project(ci.organization, name="Elsewhere")
    right = {"kind": "incident", "name": "New", "environment": "production"}
    response = page.post(NEW, right | fields)

    assert list(response.context["form"].errors) == [field]
    assert ImpactSource.objects.count() == 1


def test_the_same_slug_may_be_in_another_environment(ci: World, page: Client, alerts: Reporter) -> None:
    page.post(NEW, {"kind": "incident", "name": "Alerts", "environment": "staging"})
    page.post(NEW, {"kind": "metric", "name": "Alerts", "environment": "staging"})

    sources = ImpactSource.objects.order_by("id").values_list("environment__slug", "slug")
    assert list(sources) == [("production", "alerts"), ("staging", "alerts"), ("staging", "alerts-2")]


def test_a_renamed_source_keeps_its_slug(page: Client, alerts: Reporter) -> None:
    assert page.post(f"{address(alerts)}/settings", {"name": "Pager"}).status_code == 302
    assert list(page.post(f"{address(alerts)}/settings", {"name": "\0"}).context["form"].errors) == ["name"]
    alerts.source.refresh_from_db()
    assert (alerts.source.name, alerts.source.slug) == ("Pager", "alerts")
    assert AuditEvent.objects.get(action="impact_source.changed").changes == {"name": ["Alerts", "Pager"]}


def test_a_deletion_can_be_undone(page: Client, alerts: Reporter) -> None:
    alerts.tell("triggered", id="A")
    after = page.post(f"{address(alerts)}/delete", follow=True)
    form = re.search(r'action="([^"]+)"><input [^>]+><button class="button small">Undo', after.content.decode())
    assert form
    assert page.get(address(alerts)).status_code == 404
    assert alerts.post(type="triggered").status_code == 404
    assert "Alerts" in page.get("/acme/deleted?kind=impact-sources").content.decode()

    assert page.post(form[1]).headers["Location"] == address(alerts)
    assert alerts.post(type="resolved", id="A").status_code == 200
    assert page.post(form[1]).status_code == 404
    actions = AuditEvent.objects.filter(action__startswith="impact_source.").order_by("id")
    assert [event.action.partition(".")[2] for event in actions] == ["created", "deleted", "restored"]


def test_an_undo_that_comes_too_late_says_why(ci: World, page: Client, alerts: Reporter) -> None:
    delete_impact_source(source=alerts.source)
    make_impact_source(ci.project, ImpactKind.INCIDENT, "Alerts")
    response = page.post(f"/acme/deleted/impact-sources/{alerts.source.pk}/restore", follow=True)

    assert response.redirect_chain == [("/acme/deleted?kind=impact-sources", 302)]
    assert "another impact source has its slug alerts now" in response.content.decode()


def test_what_goes_with_its_environment_comes_back_with_it(ci: World, page: Client) -> None:
    source = make_impact_source(ci.project, ImpactKind.METRIC, "Errors", environment="staging")
    delete_environment(environment=source.environment)
    assert page.get(f"{SOURCES}/{source.pk}").status_code == 404
    assert "Errors" not in page.get(SOURCES).content.decode()

    page.post(f"/acme/deleted/environments/{source.environment.pk}/restore")
    assert page.get(f"{SOURCES}/{source.pk}").status_code == 200


def test_observers_look_and_change_nothing(ci: World, observer: User, alerts: Reporter, other: World) -> None:
    client = signed_in(observer)
    for path in (SOURCES, address(alerts)):
        content = client.get(path).content.decode()
        assert "Settings" not in content
        assert "New impact source" not in content
    make_project(ci.organization, name="Empty")
    assert "An admin of the organization creates" in client.get("/acme/projects/empty/impact-sources").content.decode()
    assert client.get(f"/acme/projects/empty/impact-sources/{alerts.source.pk}").status_code == 404


# --- What was reported -----------------------------------------------------------------------------


def test_incidents_with_their_events_and_a_chart(page: Client, alerts: Reporter) -> None:
    alerts.tell("triggered", id="A", title="<b>Down</b>", url="https://alerts.example.com/1")
    alerts.tell("triggered", id="B", url="javascript:alert(1)")
    alerts.tell("resolved", id="B")
    alerts.tell("triggered", id="Long ago", date=minute(0), ended_date=minute(90))

    response = page.get(address(alerts))
    content = response.content.decode()
    assert "1 open" in content
    assert '<a href="https://alerts.example.com/1"' in content
    assert "&lt;b&gt;Down" in content
    assert 'href="javascript' not in content
    assert "1 h 30 min" in content
    assert [bar.incident.external_id for bar in response.context["bars"]] == ["B", "A"]
    assert "by token 2" in content
    assert "1 open" in page.get(SOURCES).content.decode()


def test_values_with_a_chart(page: Client, metric: Reporter) -> None:
    now = timezone.now()
    for days, value in ((40, 5.0), (3, 2.5), (0, -1e300)):
        MetricValue.objects.create(source=metric.source, value=value, measured_at=now - timedelta(days=days))
    response = page.get(address(metric))

    assert [value.value for value in response.context["page"].rows] == [-1e300, 2.5, 5.0]
    assert len(response.context["chart"].dots) == 2
    assert len(page.get(f"{address(metric)}?range=day").context["chart"].dots) == 1
    for chosen in ("week", "month", "nonsense", "\0"):
        assert page.get(address(metric), {"range": chosen, "tool": chosen}).status_code == 200
    MetricValue.objects.filter(measured_at__gt=now - timedelta(days=20)).delete()
    assert "There are no values in this period." in page.get(address(metric)).content.decode()


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, [0, 5, 10]),
        (3, 10, [0, 5, 10]),
        (8, 10, [8, 8.5, 9, 9.5, 10]),
        (-3, 7, [-5, 0, 5, 10]),
        (5, 5, [2, 4, 6, 8]),
        (0, 0, [0, 0.5, 1]),
        (-5, -5, [-8, -6, -4, -2]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert ticks_between(low, high) == pytest.approx(ticks)


ODD = [
    0.0,
    5e-324,
    -5e-324,
    1e-310,
    1.0,
    1.0000000000000002,
    -1.0,
    1e17,
    1e300,
    -1e300,
    1.7e308,
    -1.7976931348623157e308,
]


@pytest.mark.parametrize("first", ODD)
def test_a_chart_of_any_two_values(page: Client, metric: Reporter, first: float) -> None:
    now = timezone.now()
    for second in ODD[ODD.index(first) :]:
        MetricValue.objects.all().delete()
        for age, value in ((1, first), (2, second)):
            MetricValue.objects.create(source=metric.source, value=value, measured_at=now - timedelta(hours=age))
        response = page.get(address(metric))
        assert response.status_code == 200, second
        chart = response.context["chart"]
        assert all(-5 <= y <= HEIGHT + 5 for _, y in chart.dots), second
        assert 2 <= len(chart.ticks) <= 8, second


@pytest.mark.parametrize("kind", list(ImpactKind))
def test_queries_do_not_grow_with_rows(ci: World, page: Client, kind: ImpactKind) -> None:
    reporter = make_reporter(ci, kind, "First")

    def add(number: int) -> None:
        make_impact_source(ci.project, kind, f"Source {number}")
        delete_impact_source(source=make_impact_source(ci.project, kind, f"Gone {number}"))
        if kind == ImpactKind.INCIDENT:
            reporter.tell("triggered", id=str(number))
            reporter.tell("resolved", id=str(number))
        else:
            MetricValue.objects.create(source=reporter.source, value=number, measured_at=timezone.now())

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(path).status_code == 200
        return len(captured)

    paths = [SOURCES, address(reporter), "/acme/deleted?kind=impact-sources"]
    add(1)
    for path in paths:
        queries(path)
    with_one = [queries(path) for path in paths]
    add(2)
    add(3)
    assert [queries(path) for path in paths] == with_one


@pytest.mark.parametrize("kind", list(ImpactKind))
def test_a_long_list_has_pages(ci: World, page: Client, kind: ImpactKind) -> None:
    reporter = make_reporter(ci, kind, "First")
    now = timezone.now()
    for number in range(51):
        if kind == ImpactKind.INCIDENT:
            reporter.tell("triggered", id=str(number), date=minute(number), ended_date=minute(number))
        else:
            at = now - timedelta(minutes=100 - number)
            MetricValue.objects.create(source=reporter.source, value=number, measured_at=at)
    first = page.get(address(reporter)).context["page"]
    second = page.get(f"{address(reporter)}?after={first.following}").context["page"]

    named = [getattr(row, "external_id", None) or f"{row.value:g}" for row in [*first.rows, *second.rows]]
    assert named == [str(number) for number in range(50, -1, -1)]
    assert second.following == ""


def test_the_request_log_names_the_source(ci: World, page: Client, alerts: Reporter) -> None:
    alerts.send('{"type": "odd"}', path=f"{alerts.path}/{alerts.secret}", headers={})
    request_log.flush()
    call = ci.organization.calls.get()

    for path in ("/acme/requests", f"/acme/requests/{call.pk}"):
        content = page.get(path).content.decode()
        assert "shop/production/alerts" in content
        assert alerts.secret not in content


def test_no_source_is_made_in_what_is_deleted(ci: World) -> None:
    staging = ci.project.environments.get(slug="staging")
    delete_environment(environment=staging)
    with pytest.raises(Exception, match="is deleted"):
        create_impact_source(environment=staging, kind=ImpactKind.METRIC, name="Errors")


def test_admins_of_others_find_nothing(stranger: User, alerts: Reporter, other: World) -> None:
    client: Any = signed_in(stranger)
    for path in (address(alerts), address(alerts).replace("acme", "globex"), f"{address(alerts)}/settings"):
        assert client.get(path).status_code == 404
    restore = f"/globex/deleted/impact-sources/{alerts.source.pk}/restore"
    delete_impact_source(source=alerts.source)
    assert client.post(restore).status_code == 404


@pytest.mark.parametrize("kind", list(ImpactKind))
def test_the_page_waits_for_the_first_report_and_shows_what_was_rejected(
    ci: World, developer: User, observer: User, kind: ImpactKind
) -> None:
    source = make_impact_source(ci.project, kind, "Watched")
    page = f"/acme/projects/shop/impact-sources/{source.pk}"
    _, secret = make_token(ci.organization, Scope.REGISTER_IMPACT, name="watcher")
    client = signed_in(developer)
    assert "for the first report to Watched" in client.get(page).content.decode()

    ci.register(path=register_path(source), type="triggered", title="Down", value=1)
    request_log.flush()
    rejected = client.get(page).content.decode()

    assert "Answered 403" in rejected
    assert f'href="/acme/requests/{Call.objects.get().pk}"' in rejected
    assert "/acme/requests/" not in signed_in(observer).get(page).content.decode()

    answer = ci.register(path=register_path(source), secret=secret, type="triggered", title="Down", value=1)
    assert answer.status_code == 200
    assert "The last report came" in client.get(page).content.decode()
