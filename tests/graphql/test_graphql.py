"""GraphQL as the Sleuth CLI asks it, and as anybody else might."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from deployments.models import Deploy
from orgs.models import AuditEvent
from orgs.services import update_organization
from tests.calls import FORM, JSON, assert_sentence, basic, bearer, call
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.imports.histories import minute, post_history
from tokens.scopes import Scope
from tokens.services import limit_token

# https://github.com/sleuth-io/sleuth-client, sleuth/service.py and sleuth/commands/set_health.py, byte for byte.
LATEST = """
{
    deployment(orgSlug:"%s", deploymentSlug:"%s") {
        ... on CodeChangeSource {
            latestChange(environmentSlug:"%s") {
                revision
                slug
                url
            }
        }
    }
}
    """
SET_HEALTH = """
            mutation {
                setHealth(orgSlug:"%s", deploymentSlug:"%s", deploySlug:"%s", health:"%s") {
                    success
                }
            }
            """
INTROSPECTION = """
query IntrospectionQuery {
  __schema { queryType { name } mutationType { name } subscriptionType { name } types { ...FullType }
    directives { name description locations args { ...InputValue } } }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated
    deprecationReason }
  inputFields { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }
"""
# Each fragment spreads the next one twice: 2⁹⁰ fields.
DOUBLING = "{...F0}" + "".join(f"fragment F{n} on Query {{...F{n + 1} b ...F{n + 1}}}" for n in range(90))


def ask(query: str, secret: str, *, method: str = "POST", **more: Any) -> Any:
    return call("/graphql", json.dumps({"query": query, **more}), method=method, headers=bearer(secret))


def latest(world: World, environment: str = "production", *, secret: str = "", deployment: str = "storefront") -> Any:
    query = LATEST % (world.organization.slug, deployment, environment)
    answer = ask(query, secret or world.secret, method="GET")
    assert answer.status_code == 200, answer.content
    return answer.json()


def set_health(world: World, deploy: Any, health: str, *, secret: str = "") -> Any:
    answer = ask(SET_HEALTH % (world.organization.slug, "storefront", deploy, health), secret or world.secret)
    assert answer.status_code == 200, answer.content
    return answer.json()


def message(answer: Any) -> str:
    """The one error of an answer."""
    assert answer["Content-Type"] == "application/json"
    (error,) = answer.json()["errors"]
    text: str = error["message"]
    assert text.isprintable()
    return text


def refusal(body: Any) -> str:
    """The error of an answer whose data is null."""
    assert not body["data"] or list(body["data"].values()) == [None]
    (error,) = body["errors"]
    return str(error["message"])


class TestLatestChange:
    def test_nothing_yet(self, ci: World) -> None:
        assert latest(ci) == {"data": {"deployment": {"latestChange": None}}}
        answer = ask(LATEST % ("acme", "storefront", "production"), ci.secret, method="GET")
        assert answer.content == b'{"data":{"deployment":{"latestChange":null}}}'

    def test_what_is_live(self, ci: World) -> None:
        post_history(ci, "a b a")
        ci.register(sha="v1.2 rc", environment="staging")
        live = Deploy.objects.get(live_in__environment__slug="production")

        change = {"revision": "a", "slug": str(live.pk), "url": f"/acme/deploys/{live.pk}"}
        assert latest(ci) == {"data": {"deployment": {"latestChange": change}}}
        assert latest(ci, "staging")["data"]["deployment"]["latestChange"]["revision"] == "v1.2 rc"

    @pytest.mark.parametrize("environment", ["PRODUCTION", "Production", " production ", ""])
    def test_the_environment_is_read_as_by_register_deploy(self, ci: World, environment: str) -> None:
        ci.register(sha="a")
        assert latest(ci, environment)["data"]["deployment"]["latestChange"]["revision"] == "a"

    def test_no_environment_is_the_default_one(self, ci: World) -> None:
        ci.register(sha="a")
        query = '{deployment(orgSlug:"acme",deploymentSlug:"storefront"){...on CodeChangeSource{latestChange{slug}}}}'
        assert ask(query, ci.secret).json()["data"]["deployment"]["latestChange"]

    def test_what_does_not_exist(self, ci: World, other: World) -> None:
        sentences = {
            refusal(latest(ci, deployment="nothing")),
            refusal(ask(LATEST % ("globex", "storefront", ""), ci.secret).json()),
            refusal(ask(LATEST % ("initech", "storefront", ""), ci.secret).json()),
        }
        assert len(sentences) == 1
        assert "No environment 'moon' in project shop: it has staging, production." in str(latest(ci, "moon"))
        assert refusal(latest(ci, deployment="-")) == "Deployment - Not Found"

    def test_an_organization_by_its_former_slug(self, ci: World) -> None:
        update_organization(organization=ci.organization, name="Umbrella", slug="umbrella", time_zone="UTC")
        query = LATEST % ("acme", "storefront", "production")
        assert ask(query, ci.secret).json() == {"data": {"deployment": {"latestChange": None}}}


def test_variables_may_be_ids(ci: World) -> None:
    query = "query ($id: ID, $is: Boolean!) { __typename @include(if: $is) }"
    body = {"query": query.replace("$id: ID, ", ""), "variables": {"is": True}}
    assert call("/graphql", json.dumps(body), headers=bearer(ci.secret)).json() == {"data": {"__typename": "Query"}}

    asked = call("/graphql", json.dumps(body | {"query": query}), headers=bearer(ci.secret)).json()

    assert "never used" in asked["errors"][0]["message"]


class TestTokens:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_wrong_one(self, ci: World, method: str) -> None:
        for headers in (bearer("gum_wrong"), {}, {"Authorization": "Basic eDo="}):
            body = json.dumps({"query": "{__typename}"})
            answer = call("/graphql", body, method=method, headers=headers)
            assert answer.status_code == 401
            assert answer["WWW-Authenticate"]
            assert_sentence(answer)

    def test_wherever_it_is_sent(self, ci: World) -> None:
        body, query = {"query": "{__typename}"}, urlencode({"query": "{__typename}", "api_key": ci.secret})
        for answer in (
            call("/graphql", json.dumps(body), headers={"authorization": f"APIKEY {ci.secret}"}),
            call("/graphql", json.dumps(body), headers=basic(ci.secret)),
            call("/graphql", json.dumps({**body, "api_key": ci.secret})),
            call("/graphql", query, content_type=FORM),
            call(f"/graphql?{query}", method="GET", content_type=None),
        ):
            assert answer.json() == {"data": {"__typename": "Query"}}, answer.content

    def test_which_scopes_may_what(self, ci: World) -> None:
        ci.register(sha="a")
        deploy = Deploy.objects.get().pk
        answers = {}
        for scope in Scope:
            secret = make_token(ci.organization, scope)[1]
            answers[scope] = (
                "errors" not in latest(ci, secret=secret),
                "errors" not in set_health(ci, deploy, "AILING", secret=secret),
            )

        assert answers == {
            Scope.REGISTER_DEPLOY: (True, True),
            Scope.REGISTER_IMPACT: (False, False),
            Scope.IMPORT_DEPLOYS: (False, False),
            Scope.READ: (True, False),
            Scope.ALL: (True, True),
        }
        secret = make_token(ci.organization, Scope.READ)[1]
        assert refusal(set_health(ci, deploy, "AILING", secret=secret)) == (
            "The access token lacks the scope REGISTER_DEPLOY: use a token that has it, or ALL."
        )

    def test_limited_to_deployments(self, ci: World) -> None:
        make_deployment(ci.project, name="Api")
        token, secret = make_token(ci.organization)
        limit_token(token=token, deployments=[make_deployment(ci.project, name="Worker")])
        ci.register(sha="a")

        assert "errors" not in latest(ci, deployment="worker", secret=secret)
        for refused in (latest(ci, secret=secret), latest(ci, deployment="nothing", secret=secret)):
            assert refusal(refused) == "This access token is limited to worker."
        assert "limited to worker" in refusal(set_health(ci, Deploy.objects.get().pk, "AILING", secret=secret))

    def test_limited_to_environments(self, ci: World) -> None:
        secret = make_token(ci.organization, environments=[ci.project.environments.get(slug="staging")])[1]
        ci.register(sha="a")
        ci.register(sha="b", environment="staging")
        production, staging = Deploy.objects.order_by("id")

        assert "errors" not in latest(ci, "staging", secret=secret)
        assert "limited to the environments staging" in str(latest(ci, secret=secret))
        assert "limited to the environments staging" in refusal(set_health(ci, production.pk, "AILING", secret=secret))
        assert "errors" not in set_health(ci, staging.pk, "AILING", secret=secret)

    def test_the_rate_limit(self, ci: World, settings: Settings) -> None:
        settings.API_RATE_LIMIT = "1/h"
        ask("{__typename}", ci.secret)
        answer = ask("{__typename}", ci.secret)
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
        assert "too many requests" in message(answer)


class TestSetHealth:
    @pytest.mark.parametrize(
        ("sent", "kept"), [("HEALTHY", "healthy"), ("ailing", "ailing"), (" Unhealthy", "unhealthy")]
    )
    def test_kept_with_who_and_when(self, ci: World, sent: str, kept: str) -> None:
        ci.register(sha="a")
        slug = latest(ci)["data"]["deployment"]["latestChange"]["slug"]

        assert set_health(ci, slug, sent) == {"data": {"setHealth": {"success": True}}}

        deploy = Deploy.objects.get()
        assert (deploy.health_set, deploy.health_set_by) == (kept, "access token ci")
        assert deploy.health_set_at
        event = AuditEvent.objects.get(action="deploy.health_set")
        assert (event.actor_label, event.address) == ("access token ci", "127.0.0.1")
        assert (event.subject_id, event.changes) == (deploy.pk, {"health": [None, kept]})

    @pytest.mark.parametrize("reset", ["reset", "RESET"])
    def test_reset(self, ci: World, reset: str) -> None:
        ci.register(sha="a")
        deploy = Deploy.objects.get()
        set_health(ci, deploy.pk, "UNHEALTHY")

        for _ in range(2):
            assert set_health(ci, deploy.pk, reset)["data"]["setHealth"]["success"]

        deploy.refresh_from_db()
        assert (deploy.health_set, deploy.health_set_by, deploy.health_set_at) == (None, None, None)
        assert AuditEvent.objects.get(action="deploy.health_reset").changes == {"health": ["unhealthy", None]}

    def test_the_same_again_keeps_who_was_first(self, ci: World) -> None:
        ci.register(sha="a")
        deploy = Deploy.objects.get()
        set_health(ci, deploy.pk, "AILING")
        secret = make_token(ci.organization, name="second")[1]
        before = AuditEvent.objects.count()
        set_health(ci, deploy.pk, "AILING", secret=secret)
        deploy.refresh_from_db()
        assert (deploy.health_set_by, AuditEvent.objects.count()) == ("access token ci", before)

    def test_what_is_refused_changes_nothing(self, ci: World, other: World) -> None:
        ci.register(sha="a")
        other.register(sha="b")
        mine, foreign = Deploy.objects.order_by("id").values_list("pk", flat=True)
        deleted = ci.register(sha="c", environment="staging")["X-Deploy-Id"]
        Deploy.objects.filter(pk=deleted).update(deleted_at=minute(0))

        assert "There is no health 'SICK'" in refusal(set_health(ci, mine, "SICK"))
        for slug in (foreign, deleted, "", "x", "9" * 40, "-1", "\\u0000"):
            assert "There is no deploy" in refusal(set_health(ci, slug, "AILING")), slug
        assert not Deploy.all_objects.exclude(health_set=None).exists()

    def test_not_by_get(self, ci: World) -> None:
        ci.register(sha="a")
        query = SET_HEALTH % ("acme", "storefront", Deploy.objects.get().pk, "AILING")
        answer = ask(query, ci.secret, method="GET")
        assert (answer.status_code, message(answer)) == (405, "A mutation cannot be sent by GET: use POST.")
        assert Deploy.objects.get().health_set is None


class TestRequests:
    def test_every_form_of_a_query(self, ci: World) -> None:
        query = 'query Q($o: String!) {deployment(orgSlug: $o, deploymentSlug: "storefront") {slug}}'
        variables = {"o": "acme"}
        texts = urlencode({"query": query, "variables": json.dumps(variables), "operationName": "Q"})
        plain = '{deployment(orgSlug:"acme", deploymentSlug:"storefront") {slug}}'
        for answer in (
            ask(query, ci.secret, variables=variables, operationName="Q"),
            ask(query, ci.secret, method="GET", variables=variables),
            ask(plain, ci.secret, variables=None, operationName=None),
            call(f"/graphql?{texts}", method="GET", content_type=None, headers=bearer(ci.secret)),
            call("/graphql", texts, content_type=FORM, headers=bearer(ci.secret)),
            call("/graphql", plain, content_type="application/graphql", headers=bearer(ci.secret)),
            call("/graphql", plain, content_type="application/graphql; charset=utf-8", headers=bearer(ci.secret)),
            call(f"/graphql?api_key={ci.secret}", plain, content_type="application/graphql"),
        ):
            assert answer.json() == {"data": {"deployment": {"slug": "storefront"}}}, answer.content

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "says"),
        [
            ("", JSON, 400, "query is required"),
            ("{}", JSON, 400, "query is required"),
            ('{"query": 7}', JSON, 400, "query is required"),
            ('{"query": "  "}', JSON, 400, "query is required"),
            ("{", JSON, 400, "The body is not JSON"),
            ('{"query": "{__typename}", "variables": []}', JSON, 200, ""),
            ('{"query": "{__typename}", "variables": [1]}', JSON, 400, "variables must be an object"),
            ('{"query": "{__typename}", "variables": "{"}', JSON, 400, "variables must be an object"),
            ('{"query": "{__typename}", "operationName": 7}', JSON, 400, "operationName must be text"),
            ('{"query": "{__typename}", "operationName": "X"}', JSON, 400, "There is no operation 'X'"),
            ('{"query": "query A{__typename} query B{__typename}"}', JSON, 400, "operationName must name one"),
            ('{"query": "{"}', JSON, 400, "Syntax Error"),
            ('{"query": "{nothing}"}', JSON, 400, "Cannot query field 'nothing'"),
            ('{"query": "{deployment}"}', JSON, 400, ""),
            ('{"query": "fragment F on Query {__typename}"}', JSON, 400, "operationName must name one"),
            ('{"query": "{a\\u0000}"}', JSON, 400, "NUL"),
            ('{"query": "{\\ud800}"}', JSON, 400, "surrogate"),
            ("\x81{".encode("latin-1"), "application/graphql", 400, "not text"),
            ("{__typename}", "application/graphql; charset=nonsense", 400, "not text"),
            ("x" * 200_001, JSON, 413, "larger than 200000 bytes"),
        ],
    )  # fmt: skip
    def test_what_is_no_query(self, ci: World, body: Any, content_type: str, status: int, says: str) -> None:
        answer = call("/graphql", body, content_type=content_type, headers=bearer(ci.secret))
        assert answer.status_code == status, answer.content
        if status != 200:
            assert answer.json()["errors"]
            assert says in answer.json()["errors"][0]["message"]

    def test_other_methods(self, ci: World) -> None:
        answer = call("/graphql", "{}", method="PUT", headers=bearer(ci.secret))
        assert answer.status_code == 405
        assert answer["Allow"] == "GET, HEAD, POST"

    def test_nobody_is_sent_elsewhere(self, ci: World) -> None:
        assert call("/graphql/", "{}", headers=bearer(ci.secret)).status_code == 404

    def test_an_unforeseen_error_is_told_without_its_text(
        self, ci: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*args: object, **options: object) -> None:
            raise ValueError("secret")

        ci.register(sha="a")
        monkeypatch.setattr("deployments.graphql.schema.choose_target", fail)
        body = latest(ci)
        assert "Something went wrong on our side" in body["errors"][0]["message"]
        assert "secret" not in json.dumps(body)
        assert "A GraphQL field failed." in caplog.text

    def test_a_database_that_is_away(self, ci: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object, **options: object) -> None:
            raise OperationalError

        monkeypatch.setattr("deployments.graphql.schema.choose_target", fail)
        answer = ask(LATEST % ("acme", "storefront", ""), ci.secret)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert message(answer) == "The database does not answer: try again."


class TestLimits:
    def test_tools_can_ask_for_the_schema(self, ci: World) -> None:
        answer = ask(INTROSPECTION, ci.secret)
        assert answer.status_code == 200, answer.content
        types = {item["name"]: item for item in answer.json()["data"]["__schema"]["types"]}
        assert {"Query", "Mutation", "CodeChangeSource"} <= set(types)
        assert types["CodeChangeSource"]["interfaces"][0]["name"] == "ChangeSource"

    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("{" + "a{" * 25 + "b" + "}" * 26, "nested 26 levels deep: at most 20"),
            ("{" + "a " * 500 + "}", "asks for 500 fields: at most 400"),
            ("{" + "".join(f"a{n}: __typename " for n in range(21)) + "}", "has 21 aliases: at most 20"),
            ("{" + "a " * 2_001 + "}", "Syntax Error"),
            ("{a" * 900, "nested too deeply"),
            ("{a" * 300 + "}" * 300, "nested"),
            ("{a(b: " + "[" * 150 + "]" * 150 + ")}", "Cannot query field 'a'"),
            ("{a" + "(b: " + "[" * 900, "nested too deeply"),
            ("{" + "a" * 20_000 + "}", "20002 characters long: at most 20000"),
            (DOUBLING, "asks for"),
            ("{...F} fragment F on Query {...F}", "fragment"),
            ("{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", "Maximum introspection depth"),
        ],
    )  # fmt: skip
    def test_what_asks_for_too_much(self, ci: World, query: str, says: str) -> None:
        answer = ask(query, ci.secret)
        assert answer.status_code == 400
        assert says in answer.json()["errors"][0]["message"]

    def test_the_longest_message(self, ci: World) -> None:
        query = LATEST % ("acme", "storefront", "x" * 19_000)
        (error,) = ask(query, ci.secret).json()["errors"]
        assert len(error["message"]) == 501

    def test_what_one_alias_costs(self, ci: World) -> None:
        ci.register(sha="a")
        one = LATEST.strip("{} \n") % ("acme", "storefront", "") + "}}}"
        ask("{__typename}", ci.secret)
        with CaptureQueriesContext(connection) as queries:
            assert ask(f"{{a: {one} b: {one} c: {one}}}", ci.secret).json()["data"]["c"]
        # The token, and for each alias the deployment's places and the deploy.
        assert len(queries) == 1 + 3 * 2


def test_a_browser_is_asked_for_a_token(ci: World) -> None:
    assert Client().get("/graphql").status_code == 401
