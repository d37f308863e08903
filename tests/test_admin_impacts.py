"""Impact sources in Django admin."""

import pytest

from deployments.models import ImpactKind, ImpactSource, Incident
from orgs.models import AuditEvent
from tests.conftest import World
from tests.impacts.reporting import make_reporter
from tests.operator import OperatorClient, page, problems, saved, text_of


def test_add_one(operator: OperatorClient, ci: World) -> None:
    production = ci.project.environments.get(slug="production")
    fields = {"environment": production.pk, "kind": "incident", "name": "On call"}
    assert saved(operator.add(ImpactSource, **fields))
    source = ImpactSource.objects.get()
    assert (source.slug, source.project, source.organization) == ("on-call", ci.project, ci.organization)
    assert AuditEvent.objects.filter(action="impact_source.created", actor_label="operator@example.com").exists()

    for wrong, problem in (
        ({"slug": "on-call"}, "another impact source with this slug"),
        ({"slug": "No slug"}, "lower-case"),
        ({"kind": "deploys"}, "valid choice"),
        ({"environment": "9" * 30}, "valid choice"),
        ({"name": "N\0"}, "Null"),
    ):
        assert problem in problems(operator.add(ImpactSource, **{**fields, **wrong}))
    assert ImpactSource.objects.count() == 1


def test_only_the_name_changes(operator: OperatorClient, ci: World) -> None:
    source = make_reporter(ci, ImpactKind.METRIC, "Errors").source
    assert saved(operator.change(source, name="Failures", kind="incident", slug="other"))
    source.refresh_from_db()
    assert (source.name, source.kind, source.slug) == ("Failures", "metric", "errors")


@pytest.mark.parametrize("kind", ImpactKind)
def test_so_is_where_it_reported(operator: OperatorClient, ci: World, kind: ImpactKind) -> None:
    reporter = make_reporter(ci, kind, environment="staging")
    reporter.tell("triggered", id="A", title="Down") if kind == ImpactKind.INCIDENT else reporter.post(value=1)

    for place in (ci.organization, ci.project, reporter.source.environment):
        answer = operator.post(page("delete", place), {"post": "yes"}, follow=True)
        assert "their history is kept" in text_of(answer)

    assert ImpactSource.objects.exists()


def test_what_has_reported_is_kept(operator: OperatorClient, ci: World) -> None:
    alerts = make_reporter(ci, ImpactKind.INCIDENT, "Alerts")
    metric = make_reporter(ci, ImpactKind.METRIC, "Errors")
    unused = make_reporter(ci, ImpactKind.METRIC, "Unused")
    alerts.tell("triggered", id="A", title="Down")
    metric.post(value=1)
    for reporter in (alerts, metric):
        operator.delete_object(reporter.source)
        assert "their history is kept" in text_of(operator.get(page("changelist", ImpactSource)))
    operator.delete_object(unused.source)

    assert list(ImpactSource.objects.order_by("id")) == [alerts.source, metric.source]
    assert "triggered" in text_of(operator.get(page("change", Incident.objects.get())))
