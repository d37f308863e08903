"""The API's pages and its OpenAPI document."""

import jsonschema_rs
import pytest
from django.test import Client
from jsonschema_rs import meta
from pytest_django import Settings

from deployments.models import ImpactKind
from deployments.openapi.document import SCHEMAS
from orgs.models import User
from tests.conftest import World
from tests.factories import make_impact_source, signed_in


def test_the_document_has_every_endpoint(ci: World) -> None:
    document = ci.client.get("/api/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {
        "/api/1/deployments/{organization}/{deployment}/register_deploy",
        "/api/1/deployments/{organization}/{deployment}/register-deploy",
        "/api/1/{organization}/{deployment}/register_deploy",
        "/api/1/deployments/{organization}/{project}/register_manual_deploy",
        "/api/1/deployments/{organization}/{project}/register-manual-deploy",
        "/api/1/organizations/{organization}/manual-changes/{change_id}",
        "/api/1/deployments/{organization}/{deployment}/import_deploys",
        "/api/1/organizations/{organization}/timeline",
        "/api/1/organizations/{organization}/live",
        "/graphql",
        "/api/1/organizations",
        "/api/1/organizations/{organization}/projects",
        "/api/1/organizations/{organization}/environments",
        "/api/1/organizations/{organization}/deployments",
        "/api/1/organizations/{organization}/deploys",
        "/api/1/organizations/{organization}/deploys/{deploy_id}",
        "/api/1/organizations/{organization}/manual-changes",
        "/api/1/organizations/{organization}/incidents",
        "/api/1/impact/{impact_id}/register_impact",
        "/api/1/deployments/{organization}/{project}/{environment}/{impact_source}/register_impact",
        "/api/1/deployments/{organization}/{project}/{environment}/{impact_source}/register_impact/{token}",
        "/api/1/impact/{impact_id}/register-impact",
        "/api/1/deployments/{organization}/{project}/{environment}/{impact_source}/register-impact",
        "/api/1/deployments/{organization}/{project}/{environment}/{impact_source}/register-impact/{token}",
        "/api/1/organizations/{organization}/deploys/{deploy_id}/commits",
        "/api/1/organizations/{organization}/deploys/{deploy_id}/files",
        "/api/1/organizations/{organization}/deploys/{deploy_id}/pull_requests",
        "/api/1/organizations/{organization}/commits/{sha}",
        "/api/1/schema/register_deploy",
        "/api/1/schema/register_manual_deploy",
        "/api/1/schema/register_impact_incident",
        "/api/1/schema/register_impact_metric",
        "/api/1/schema/sweetr_deployment",
        "/api/1/schema/terraform_notification",
        "/v1/deployments",
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_document_describes_what_is_executed(ci: World, name: str) -> None:
    published = ci.client.get(f"/api/1/schema/{name}").json()
    schemas = ci.client.get("/api/openapi.json").json()["components"]["schemas"]

    assert set(schemas[name]["properties"]) == set(published["properties"])
    for schema in schemas.values():
        assert meta.is_valid(schema)


def test_a_deploy_is_what_the_document_says(ci: World) -> None:
    answer = ci.register(sha="abc", headers={"Prefer": "return=representation"})
    schema = ci.client.get("/api/openapi.json").json()["components"]["schemas"]["deploy"]

    assert set(answer.json()) == set(schema["properties"])


def test_a_manual_change_is_what_the_document_says(ci: World) -> None:
    answer = ci.record(name="Scaled up", headers={"Prefer": "return=representation"})
    schema = ci.client.get("/api/openapi.json").json()["components"]["schemas"]["manual_change"]

    assert set(answer.json()) == set(schema["properties"])


def test_a_dry_run_is_what_the_document_says(ci: World) -> None:
    answer = ci.register(sha="abc", path=f"{ci.path}?dry_run=1")
    schema = ci.client.get("/api/openapi.json").json()["components"]["schemas"]["dry_run"]

    assert set(answer.json()) == set(schema["properties"])


@pytest.mark.parametrize("fields", [{}, {"repositoryFullName": ""}])
def test_sweetr_is_answered_as_the_document_says(ci: World, fields: dict[str, str]) -> None:
    document = ci.client.get("/api/openapi.json").json()
    (example,) = document["components"]["schemas"]["sweetr_deployment"]["examples"]
    answer = ci.register(path="/v1/deployments", **(example | fields))

    assert answer.status_code == (422 if fields else 202)
    described = document["paths"]["/v1/deployments"]["post"]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    jsonschema_rs.validate(schema, answer.json())


def test_members_read_their_own_slugs(ci: World, observer: User, settings: Settings) -> None:
    page = signed_in(observer).get("/acme/api").content.decode()

    assert f"{settings.SITE_URL}/api/1/deployments/acme/storefront/register_deploy" in page
    assert "ignore_if_duplicate" in page
    assert f"{settings.SITE_URL}/api/1/deployments/acme/shop/register_manual_deploy" in page
    assert "name=Scaled up the web tier" in page
    assert f"{settings.SITE_URL}/v1/deployments" in page
    assert "repositoryFullName" in page


def test_members_read_their_own_impact_sources(ci: World, observer: User, settings: Settings) -> None:
    make_impact_source(ci.project, ImpactKind.INCIDENT, "Pager", environment="staging")
    metric = make_impact_source(ci.project, ImpactKind.METRIC)
    page = signed_in(observer).get("/acme/api").content.decode()

    path = "/api/1/deployments/acme/shop/staging/pager/register_impact"
    assert f"curl {settings.SITE_URL}{path}/$GUMSHOE_TOKEN" in page
    assert f"curl {settings.SITE_URL}/api/1/impact/{metric.pk}/register_impact" in page
    assert "ended_date" in page
    assert f"{settings.SITE_URL}/api/1/organizations/acme/deploys" in page
    assert "deploy or rollback or rolled_back" in page
    assert page.count("/graphql") >= 2


def test_everybody_reads_the_public_page(other: World, stranger: User) -> None:
    assert "/api/1/deployments/acme/storefront/register_deploy" in Client().get("/api/docs").content.decode()
    client = signed_in(stranger)
    assert client.get("/api/docs").status_code == 200
    client.get("/globex")
    assert client.get("/api/docs").headers["Location"] == "/globex/api"
