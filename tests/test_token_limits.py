"""Every endpoint of the API, called with a token without limits, one for a deployment and one for an environment.

A new endpoint, or a new method of one, fails this test until it is written here what each of the three tokens reaches.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.urls import URLPattern, reverse
from django.utils import timezone

from deployments import api_urls
from deployments.impacts.incidents import IncidentReport, record_incident
from deployments.models import Deploy, ImpactKind, IncidentEventType
from deployments.registration.formats import FORMATS
from orgs.services import NewEnvironment
from tests.calls import MULTIPART, bearer, call
from tests.conftest import World
from tests.factories import make_deployment, make_impact_source, make_project, make_token
from tests.imports.importing import END, dated, field_part, file_part
from tests.shared import shared_fixture
from tokens.scopes import Scope
from tokens.services import limit_token

COMMIT = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
FORMER_PATH = r"^api/1/(?P<organization>[^/]+)/(?P<deployment>[^/]+)/register_deploy\Z"
# GraphQL answers 200 to a query with errors, too.
ERRORS = "errors"

# What is reached. Deploys are named by deployment and environment, what belongs to no deployment by its environment.
STOREFRONT = {"storefront/production", "storefront/staging"}
PRODUCTION = {"storefront/production", "backend/production"}
TARGETS = {*STOREFRONT, *PRODUCTION, "backend/staging", "payroll/live"}
CREATED = {"cart/production"}
ENVIRONMENTS = {"production", "staging", "live"}
NOTHING: set[str] = set()


@dataclass
class Acme:
    """Shop with two deployments in two environments, and the project Office; ``secrets`` of the three tokens."""

    world: World
    secrets: dict[str, str]
    deploys: dict[str, int]
    changes: dict[str, int]
    metrics: dict[str, int]


@shared_fixture
def acme(ci: World) -> Acme:
    office = make_project(ci.organization, "Office", environments=[NewEnvironment(name="Live", is_default=True)])
    make_deployment(ci.project, "Backend")
    make_deployment(office, "Payroll")
    found = Acme(ci, {}, {}, {}, {})
    for target in sorted(TARGETS):
        deployment, environment = target.split("/")
        deploy = ci.register(
            path=ci.path.replace("storefront", deployment),
            environment=environment,
            sha="a" * 40,
            commits=[{"revision": COMMIT, "message": "First"}],
            files=[{"path": "a.txt"}],
            pull_requests=[{"number": "1"}],
        )
        found.deploys[target] = deploy["X-Deploy-Id"]
    for name in ENVIRONMENTS:
        project = office if name == "live" else ci.project
        change = ci.register(path=ci.manual_path.replace("shop", project.slug), name="Scaled", environment=name)
        found.changes[name] = change["X-Manual-Change-Id"]
        found.metrics[name] = make_impact_source(project, ImpactKind.METRIC, environment=name).pk
        source = make_impact_source(project, ImpactKind.INCIDENT, "Alerts", environment=name)
        report = IncidentReport(type=IncidentEventType.TRIGGERED)
        record_incident(source=source, report=report, now=timezone.now(), token_id=None)
    _, found.secrets["unlimited"] = make_token(ci.organization, Scope.ALL)
    token, found.secrets["storefront"] = make_token(ci.organization, Scope.ALL)
    limit_token(token=token, deployments=[ci.deployment])
    production = ci.project.environments.get(slug="production")
    _, found.secrets["production"] = make_token(ci.organization, Scope.ALL, environments=[production])
    return found


@dataclass
class Caller:
    acme: Acme
    secret: str

    def call(self, path: str, body: Any = "", **options: Any) -> Any:
        data = json.dumps(body) if isinstance(body, dict) else body
        return call(path, data, headers=bearer(self.secret), **options)

    def get(self, route: str, **arguments: Any) -> Any:
        return self.call(reverse(route, kwargs=arguments), method="GET")

    def post(self, route: str, body: Any, **arguments: Any) -> Any:
        return self.call(reverse(route, kwargs={"organization": "acme", **arguments}), body)


Ask = Callable[[Caller], set[str]]
Answers = Iterator[tuple[str, Any]]


def rows(name: str, label: Callable[[dict[str, Any]], str]) -> Ask:
    """The labels of the rows of a list."""

    def ask(caller: Caller) -> set[str]:
        arguments = {} if name == "organizations-list" else {"organization": "acme"}
        return {label(row) for row in caller.get(name, **arguments).json()}

    return ask


def accepted(denial: int, each: Callable[[Caller], Answers]) -> Ask:
    """The labels of the calls that are not answered by ``denial``; all others have to succeed."""

    def ask(caller: Caller) -> set[str]:
        answers = {label: response.status_code for label, response in each(caller)}
        assert set(answers.values()) <= {200, 202, denial}
        return {label for label, status in answers.items() if status != denial}

    return ask


def by_target(row: dict[str, Any]) -> str:
    return f"{row['deployment']}/{row['environment']}"


def of_deploys(name: str) -> Ask:
    def each(caller: Caller) -> Answers:
        for label, deploy_id in caller.acme.deploys.items():
            yield label, caller.get(name, organization="acme", deploy_id=deploy_id)

    return accepted(404, each)


def register_deploys(caller: Caller) -> Answers:
    for target in TARGETS:
        deployment, environment = target.split("/")
        body = {"sha": "new", "environment": environment}
        yield target, caller.post("register-deploy", body, deployment=deployment)


def register_by_former_path(caller: Caller) -> Answers:
    for target in TARGETS:
        deployment, environment = target.split("/")
        yield target, caller.call(f"/api/1/acme/{deployment}/register_deploy", {"sha": "b", "environment": environment})


def import_deploys(caller: Caller) -> Answers:
    for target in TARGETS:
        deployment, environment = target.split("/")
        path = reverse("import-deploys", kwargs={"organization": "acme", "deployment": deployment})
        body = field_part("environment", environment) + file_part(dated("a b")) + END
        yield target, caller.call(path, body, content_type=MULTIPART)


def register_by_sweetr(caller: Caller) -> Answers:
    for target in TARGETS | CREATED:
        app, environment = target.split("/")
        fields = {"repositoryFullName": "acme/shop", "version": "2", "commitHash": "b" * 40}
        yield target, caller.call(reverse("sweetr-deployments"), {**fields, "app": app, "environment": environment})


def project_of(environment: str) -> str:
    return "office" if environment == "live" else "shop"


def register_manual_changes(caller: Caller) -> Answers:
    for name in ENVIRONMENTS:
        path = f"/api/1/deployments/acme/{project_of(name)}/register_manual_deploy"
        yield name, caller.call(path, {"name": "Scaled", "environment": name})


def register_values(caller: Caller) -> Answers:
    for name, pk in caller.acme.metrics.items():
        yield name, caller.call(reverse("register-metric", kwargs={"impact_id": pk}), {"value": 1})


def register_incidents(caller: Caller) -> Answers:
    for name in ENVIRONMENTS:
        where = {"project": project_of(name), "environment": name, "source": "alerts"}
        yield name, caller.post("register-incident", {"type": "triggered"}, **where)


def register_incidents_by_path(caller: Caller) -> Answers:
    for name in ENVIRONMENTS:
        where = {"organization": "acme", "project": project_of(name), "environment": name, "source": "alerts"}
        path = reverse("register-incident-by-path", kwargs={**where, "token": caller.secret})
        yield name, call(path, json.dumps({"type": "triggered"}))


def manual_changes(caller: Caller) -> Answers:
    for name, pk in caller.acme.changes.items():
        yield name, caller.get("manual-change", organization="acme", change_id=pk)


def timeline(caller: Caller) -> set[str]:
    lines = caller.get("export-timeline", organization="acme").getvalue().decode().splitlines()
    return {by_target(row) if row["deployment"] else row["environment"] for row in map(json.loads, lines)}


def live(caller: Caller) -> set[str]:
    return {
        f"{deployment['deployment']}/{environment['environment']}"
        for project in caller.get("live", organization="acme").json()["projects"]
        for deployment in project["deployments"]
        for environment in deployment["environments"]
    }


def commit(caller: Caller) -> set[str]:
    response = caller.get("commit", organization="acme", sha=COMMIT)
    return set(map(by_target, response.json()["environments"])) if response.status_code == 200 else NOTHING


def graphql_query(caller: Caller) -> set[str]:
    latest = "{... on CodeChangeSource {latestChange(environmentSlug: %s) {slug}}}"
    found = set()
    for target in TARGETS:
        deployment, environment = map(json.dumps, target.split("/"))
        query = f'{{deployment(orgSlug: "acme", deploymentSlug: {deployment}) {latest % environment}}}'
        if ERRORS not in caller.call(f"/graphql?query={quote(query)}", method="GET").json():
            found.add(target)
    return found


def graphql_mutation(caller: Caller) -> set[str]:
    for target, pk in caller.acme.deploys.items():
        deployment = json.dumps(target.split("/")[0])
        where = f'orgSlug: "acme", deploymentSlug: {deployment}, deploySlug: "{pk}"'
        caller.call("/graphql", {"query": f'mutation {{setHealth({where}, health: "AILING") {{success}}}}'})
    return {target for target, pk in caller.acme.deploys.items() if Deploy.objects.get(pk=pk).health_set}


def document(route: str, **arguments: str) -> Ask:
    return accepted(403, lambda caller: iter([("document", caller.get(route, **arguments))]))


@dataclass(frozen=True)
class Reach:
    """What ``ask`` reaches with each token: what it reads, or where it may write."""

    ask: Ask
    unlimited: set[str]
    storefront: set[str]
    production: set[str]


def for_all(ask: Ask, label: str) -> Reach:
    """What no limit is about."""
    return Reach(ask, {label}, {label}, {label})


TABLE = {
    ("register-deploy", "post"): Reach(accepted(403, register_deploys), TARGETS, STOREFRONT, PRODUCTION),
    (FORMER_PATH, "post"): Reach(accepted(403, register_by_former_path), TARGETS, STOREFRONT, PRODUCTION),
    ("import-deploys", "post"): Reach(accepted(403, import_deploys), TARGETS, STOREFRONT, PRODUCTION),
    ("sweetr-deployments", "post"): Reach(accepted(403, register_by_sweetr), TARGETS | CREATED, STOREFRONT, PRODUCTION),
    ("register-manual-deploy", "post"): Reach(
        accepted(403, register_manual_changes), ENVIRONMENTS, NOTHING, {"production"}
    ),
    ("register-metric", "post"): Reach(accepted(403, register_values), ENVIRONMENTS, NOTHING, {"production"}),
    ("register-incident", "post"): Reach(accepted(403, register_incidents), ENVIRONMENTS, NOTHING, {"production"}),
    ("register-incident-by-path", "post"): Reach(
        accepted(403, register_incidents_by_path), ENVIRONMENTS, NOTHING, {"production"}
    ),
    ("export-timeline", "get"): Reach(timeline, TARGETS | ENVIRONMENTS, STOREFRONT, PRODUCTION | {"production"}),
    ("live", "get"): Reach(live, TARGETS, STOREFRONT, PRODUCTION),
    ("organizations-list", "get"): for_all(rows("organizations-list", lambda row: row["slug"]), "acme"),
    ("projects-list", "get"): Reach(
        rows("projects-list", lambda row: row["slug"]), {"shop", "office"}, {"shop"}, {"shop"}
    ),
    ("environments-list", "get"): Reach(
        rows("environments-list", lambda row: row["slug"]), ENVIRONMENTS, {"production", "staging"}, {"production"}
    ),
    ("deployments-list", "get"): Reach(
        rows("deployments-list", lambda row: row["slug"]),
        {"storefront", "backend", "payroll"},
        {"storefront"},
        {"storefront", "backend"},
    ),
    ("deploys-list", "get"): Reach(rows("deploys-list", by_target), TARGETS, STOREFRONT, PRODUCTION),
    ("deploy", "get"): Reach(of_deploys("deploy"), TARGETS, STOREFRONT, PRODUCTION),
    ("deploy-commits", "get"): Reach(of_deploys("deploy-commits"), TARGETS, STOREFRONT, PRODUCTION),
    ("deploy-files", "get"): Reach(of_deploys("deploy-files"), TARGETS, STOREFRONT, PRODUCTION),
    ("deploy-pull-requests", "get"): Reach(of_deploys("deploy-pull-requests"), TARGETS, STOREFRONT, PRODUCTION),
    ("commit", "get"): Reach(commit, TARGETS, STOREFRONT, PRODUCTION),
    ("graphql", "get"): Reach(graphql_query, TARGETS, STOREFRONT, PRODUCTION),
    ("graphql", "post"): Reach(graphql_mutation, TARGETS, STOREFRONT, PRODUCTION),
    ("incidents-list", "get"): Reach(
        rows("incidents-list", lambda row: row["environment"]), ENVIRONMENTS, NOTHING, {"production"}
    ),
    ("manual-changes-list", "get"): Reach(
        rows("manual-changes-list", lambda row: row["environment"]), ENVIRONMENTS, NOTHING, {"production"}
    ),
    ("manual-change", "get"): Reach(accepted(404, manual_changes), ENVIRONMENTS, NOTHING, {"production"}),
    ("openapi", "get"): for_all(document("openapi"), "document"),
    ("schema", "get"): for_all(document("schema", name="register_deploy"), "document"),
}


def methods_of(route: URLPattern) -> list[str]:
    """A plain function only reads."""
    view: Any = getattr(route.callback, "cls", None)
    return [name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)] if view else ["get"]


def test_every_endpoint_has_its_line() -> None:
    answered = {
        (route.name or str(route.pattern), method) for route in api_urls.urlpatterns for method in methods_of(route)
    }
    # What limits a further wire format, tests/registration/test_formats.py asks by the example of its schema.
    assert answered - {(name, "POST") for name in FORMATS} == set(TABLE) - {(name, "POST") for name in FORMATS}


@pytest.mark.parametrize("token", ["unlimited", "storefront", "production"])
@pytest.mark.parametrize("endpoint", TABLE, ids=" ".join)
def test_a_token_reaches_what_it_is_limited_to(endpoint: tuple[str, str], token: str, acme: Acme) -> None:
    reach = TABLE[endpoint]

    assert reach.ask(Caller(acme, acme.secrets[token])) == getattr(reach, token)


LIMITED = [endpoint for endpoint, reach in TABLE.items() if reach.production != reach.unlimited]


@pytest.mark.parametrize("endpoint", LIMITED, ids=" ".join)
def test_a_token_limited_to_what_was_deleted_reaches_nothing(endpoint: tuple[str, str], acme: Acme) -> None:
    token, secret = make_token(acme.world.organization, Scope.ALL)
    limit_token(token=token, deployments=[])

    assert TABLE[endpoint].ask(Caller(acme, secret)) == NOTHING
