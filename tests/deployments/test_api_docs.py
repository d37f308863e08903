"""The API's pages and its OpenAPI document."""

from django.test import Client
from jsonschema_rs import meta
from pytest_django import Settings

from orgs.models import User
from tests.conftest import World
from tests.factories import signed_in


def test_the_document_has_every_endpoint(ci: World) -> None:
    document = ci.client.get("/api/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {
        "/api/1/deployments/{organization}/{deployment}/register_deploy",
        "/api/1/deployments/{organization}/{deployment}/register-deploy",
        "/api/1/{organization}/{deployment}/register_deploy",
        "/api/1/deployments/{organization}/{deployment}/import_deploys",
        "/api/1/organizations/{organization}/timeline",
        "/api/1/organizations/{organization}/live",
        "/api/1/organizations/{organization}/deploys/{deploy_id}",
        "/api/1/schema/register_deploy",
    }


def test_the_document_describes_what_is_executed(ci: World) -> None:
    published = ci.client.get("/api/1/schema/register_deploy").json()
    schemas = ci.client.get("/api/openapi.json").json()["components"]["schemas"]

    assert set(schemas["register_deploy"]["properties"]) == set(published["properties"])
    for schema in schemas.values():
        assert meta.is_valid(schema)


def test_a_deploy_is_what_the_document_says(ci: World) -> None:
    answer = ci.register(sha="abc", headers={"Prefer": "return=representation"})
    schema = ci.client.get("/api/openapi.json").json()["components"]["schemas"]["deploy"]

    assert set(answer.json()) == set(schema["properties"])


def test_members_read_their_own_slugs(ci: World, observer: User, settings: Settings) -> None:
    page = signed_in(observer).get("/acme/api").content.decode()

    assert f"{settings.SITE_URL}/api/1/deployments/acme/storefront/register_deploy" in page
    assert "ignore_if_duplicate" in page


def test_everybody_reads_the_public_page(other: World, stranger: User) -> None:
    assert "/api/1/deployments/acme/storefront/register_deploy" in Client().get("/api/docs").content.decode()
    client = signed_in(stranger)
    assert client.get("/api/docs").status_code == 200
    client.get("/globex")
    assert client.get("/api/docs").headers["Location"] == "/globex/api"
