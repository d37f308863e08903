"""Impact sources by ``manage.py provision``."""

from typing import Any

from django.test import Client
from pytest_django import Settings

from deployments.models import ImpactSource
from orgs.models import AuditEvent
from tests.calls import bearer, call
from tests.provisioning.provisioning import Provision, Rejected

FILE = """
organizations:
- slug: acme
  tokens:
  - {name: monitor, scopes: [REGISTER_IMPACT]}
  projects:
  - slug: shop
    environments:
    - {slug: staging}
    - {slug: production, default: true}
    impact_sources:
    - {slug: alerts, name: On-call alerts, kind: incident, environment: staging}
    - {slug: alerts, kind: incident, environment: production}
    - {slug: error-rate, kind: metric}
"""


def sources_in(output: Any) -> Any:
    return output["organizations"][0]["projects"][0]["impact_sources"]


def test_prints_what_callers_need(provision: Provision, settings: Settings) -> None:
    output = provision(FILE)
    staging, production, metric = sources_in(output)

    base = f"{settings.SITE_URL}/api/1"
    assert staging == {
        "id": ImpactSource.objects.get(environment__slug="staging").pk,
        "slug": "alerts",
        "name": "On-call alerts",
        "kind": "incident",
        "environment": "staging",
        "register_url": f"{base}/deployments/acme/shop/staging/alerts/register_impact",
        "created": True,
    }
    assert (production["name"], metric["name"], metric["environment"]) == ("Alerts", "Error rate", "production")
    assert metric["register_url"] == f"{base}/impact/{metric['id']}/register_impact"

    secret = output["organizations"][0]["tokens"][0]["token"]
    path = {item["kind"]: item["register_url"].removeprefix(settings.SITE_URL) for item in (staging, metric)}
    assert call(path["metric"], '{"value": 1}', headers=bearer(secret)).status_code == 200
    assert call(f"{path['incident']}/{secret}", '{"type": "triggered"}').status_code == 200
    assert Client().post(path["incident"], {"type": "resolved", "api_key": secret}).status_code == 200


def test_a_second_run_changes_what_differs(provision: Provision) -> None:
    first = sources_in(provision(FILE))
    events = AuditEvent.objects.count()
    second = sources_in(provision(FILE))
    assert [item | {"created": True} for item in second] == first
    assert {item["created"] for item in second} == {False}
    assert AuditEvent.objects.count() == events

    third = sources_in(provision(FILE.replace("On-call alerts", "Pager")))
    assert (third[0]["id"], third[0]["name"]) == (first[0]["id"], "Pager")
    assert third[1]["name"] == "Alerts", "a name that is left out stays"


def test_mistakes_are_all_reported_with_their_places(rejected: Rejected) -> None:
    at = "organizations[0].projects[0].impact_sources"
    assert sorted(rejected(FILE.replace("slug: error-rate, kind: metric", "kind: metrics, unit: ms"))) == [
        f"{at}[2].kind: is 'metrics': write one of incident, metric.",
        f"{at}[2].slug: is missing.",
        f"{at}[2].unit: unknown key. Known: slug, name, kind, environment.",
    ]
    assert rejected(FILE.replace("environment: staging", "environment: stagin")) == [
        f"{at}[0].environment: no environment 'stagin' in project shop; did you mean 'staging'? "
        "Known: staging, production."
    ]
    assert rejected(FILE.replace("environment: staging}", "environment: production}")) == [
        f"{at}[1].slug: 'alerts' is already used at {at}[0]."
    ]


def test_one_without_an_environment_is_in_the_default_one(provision: Provision, rejected: Rejected) -> None:
    at = "organizations[0].projects[0].impact_sources"
    twice = FILE.replace("slug: error-rate, kind: metric", "slug: alerts, name: Mine, kind: incident")
    assert rejected(twice) == [f"{at}[2].slug: 'alerts' is already used at {at}[1]."]

    provision(FILE)
    assert rejected(twice.replace(", default: true", "")) == [f"{at}[2].slug: 'alerts' is already used at {at}[1]."]
    other_default = twice.replace("{slug: production, default: true}", "{slug: canary, default: true}")
    assert [source["environment"] for source in sources_in(provision(other_default))] == [
        "staging",
        "production",
        "canary",
    ]


def test_the_kind_stays(provision: Provision, rejected: Rejected) -> None:
    provision(FILE)
    (line,) = rejected(FILE.replace("kind: metric", "kind: incident"))
    assert line.startswith("organizations[0].projects[0].impact_sources[2].kind: Error rate is of kind metric")
