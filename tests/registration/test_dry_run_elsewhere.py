"""?dry_run=1 of what is no deploy: manual changes, impact, imported histories."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from deployments.models import Call, Deploy, ImpactKind, Incident, MetricValue
from deployments.models.call import Outcome
from deployments.openapi.document import document
from deployments.request_log.writer import request_log
from tests.calls import bearer, call, count_rows
from tests.conftest import World
from tests.documented import component
from tests.factories import make_impact_source, make_token
from tests.imports.importing import dated, post_file
from tokens.scopes import Scope

Send = Callable[..., Any]


def manual_change(world: World) -> Send:
    return lambda query="", **fields: world.register(path=world.manual_path + query, **({"name": "Scaled up"} | fields))


def metric_value(world: World) -> Send:
    source = make_impact_source(world.project, ImpactKind.METRIC)
    headers = bearer(make_token(world.organization, Scope.REGISTER_IMPACT)[1])
    path = f"/api/1/impact/{source.pk}/register_impact"
    return lambda query="", **fields: call(path + query, json.dumps({"value": 7.5} | fields), headers=headers)


def incident_event(world: World) -> Send:
    make_impact_source(world.project, ImpactKind.INCIDENT, "Alerts")
    _, secret = make_token(world.organization, Scope.REGISTER_IMPACT)
    path = f"/api/1/deployments/acme/shop/production/alerts/register_impact/{secret}"
    return lambda query="", **fields: call(path + query, json.dumps({"type": "triggered", "id": "7"} | fields))


def history(world: World) -> Send:
    def send(query: str = "", sheet: str = dated("a b b c a"), **fields: Any) -> Any:
        return post_file(world, sheet, query=query, **fields)

    return send


EXPECTED: list[tuple[Callable[[World], Send], dict[str, Any], dict[str, Any]]] = [
    (manual_change, {"name": "Scaled up", "environment": "production", "tags": []}, {"name": ""}),
    (metric_value, {"value": 7.5, "impact_source": "custom-metric"}, {"value": "many"}),
    (incident_event, {"type": "triggered", "id": "7", "open_incidents": 1}, {"type": "broken"}),
    (
        history,
        {"deploys": 4, "duplicates": 1, "unsuccessful": 0, "replaced": 0, "rollbacks": 1, "deployment": "storefront"},
        {"sheet": "date\n2024"},
    ),
]
ENDPOINTS = pytest.mark.parametrize(
    ("endpoint", "expected", "mistake"), EXPECTED, ids=[endpoint.__name__ for endpoint, *_ in EXPECTED]
)


@ENDPOINTS
def test_it_says_what_would_happen_and_stores_nothing(
    ci: World, endpoint: Callable[[World], Send], expected: dict[str, Any], mistake: dict[str, Any]
) -> None:
    send = endpoint(ci)
    send(**mistake)  # the use of a token is noted once a minute
    before = count_rows()

    answer = send("?dry_run=1")

    assert answer.status_code == 200, answer.content
    assert count_rows() == before
    report = answer.json()
    assert {name: report[name] for name in expected} == expected
    assert report["would_answer"] == {"status": 200, "text": "Success"}
    components = document()["components"]["schemas"]
    names = [name for name, schema in components.items() if is_of(schema, report["result"])]
    assert any(component(name).is_valid(report) for name in names)
    assert send().content == b"Success"


def is_of(schema: dict[str, Any], result: str) -> bool:
    return result in schema.get("properties", {}).get("result", {}).get("enum", ())


@ENDPOINTS
def test_what_cannot_be_read_is_refused_alike(
    ci: World, endpoint: Callable[[World], Send], expected: dict[str, Any], mistake: dict[str, Any]
) -> None:
    send = endpoint(ci)

    real, tried = send(**mistake), send("?dry_run=yes", **mistake)

    assert 400 <= tried.status_code < 500
    assert (tried.status_code, tried.content) == (real.status_code, real.content)
    assert send("?dry_run=perhaps").content == b"dry_run must be 1 or 0."


@ENDPOINTS
def test_the_request_log_tells_it_from_the_real_call(
    ci: World, endpoint: Callable[[World], Send], expected: dict[str, Any], mistake: dict[str, Any]
) -> None:
    endpoint(ci)("?dry_run=1")
    request_log.flush()

    assert Call.objects.get().outcome == Outcome.DRY_RUN


def test_a_metric_tried_out_does_not_count_for_its_interval(ci: World) -> None:
    send = metric_value(ci)

    assert [send("?dry_run=1").status_code for _ in range(3)] == [200, 200, 200]
    assert send().status_code == 200
    # Another value, since the same bytes would be the same call once more.
    report = send("?dry_run=1", value=8).json()
    real = send(value=8)
    assert (real.status_code, report["result"]) == (429, "refused")
    wait = report["would_answer"].pop("retry_after")
    assert report["would_answer"] == {"status": 429, "text": real.content.decode()}
    assert int(real.headers["Retry-After"]) <= wait <= 120
    report["would_answer"]["retry_after"] = wait
    component("dry_run_of_metric_value").validate(report)
    assert MetricValue.objects.count() == 1


def test_an_incident_tried_out_changes_no_other(ci: World) -> None:
    send = incident_event(ci)
    send()

    assert send("?dry_run=1", type="resolved").json()["open_incidents"] == 0
    assert Incident.objects.get().ended_at is None


def test_an_import_tried_out_leaves_the_history(ci: World) -> None:
    ci.register(sha="x")
    assert history(ci)("?dry_run=1").json()["replaced"] == 1
    assert Deploy.objects.get().sha == "x"
