"""The API's pages and its OpenAPI document."""

import pytest
from django.test import Client
from pytest_django import Settings

from deployments.models import ImpactKind
from deployments.openapi.document import SCHEMAS, document
from orgs.models import User
from tests.conftest import World
from tests.documented import assert_documented, component
from tests.factories import make_impact_source, signed_in


def test_the_document_is_served() -> None:
    assert Client().get("/api/openapi.json").json() == document()


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_served(name: str) -> None:
    answer = Client().get(f"/api/1/schema/{name}")

    assert answer.headers["Content-Type"] == "application/schema+json"
    assert answer.json()["$id"] == name


def test_a_deploy_is_what_the_document_says(ci: World) -> None:
    answer = ci.register(sha="abc", headers={"Prefer": "return=representation"})

    component("registered_deploy").validate(answer.json())


def test_a_manual_change_is_what_the_document_says(ci: World) -> None:
    answer = ci.record(name="Scaled up", headers={"Prefer": "return=representation"})

    component("registered_manual_change").validate(answer.json())


def test_a_dry_run_is_what_the_document_says(ci: World) -> None:
    answer = ci.register(sha="abc", path=f"{ci.path}?dry_run=1")

    component("dry_run").validate(answer.json())
    assert set(answer.json()) == set(document()["components"]["schemas"]["dry_run"]["properties"])


@pytest.mark.parametrize("fields", [{}, {"repositoryFullName": ""}])
def test_sweetr_is_answered_as_the_document_says(ci: World, fields: dict[str, str]) -> None:
    (example,) = document()["components"]["schemas"]["sweetr_deployment"]["examples"]
    answer = ci.register(path="/v1/deployments", **(example | fields))

    assert answer.status_code == (422 if fields else 202)
    assert_documented("/v1/deployments", answer, "post")


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


def test_required_fields_come_first_and_examples_stand_beside_them(observer: User) -> None:
    page = signed_in(observer).get("/acme/api").content.decode()
    sections = page.split('<section class="card')[1:]

    assert len(sections) == len({section.partition('id="')[2].partition('"')[0] for section in sections})
    for section in sections:
        fields = section.split("<dt><code>")[1:]
        required = [">required<" in field for field in fields]
        assert required == sorted(required, reverse=True)
        # The call, and an answer at least.
        assert section.count("<pre") >= 2
    for tag in document()["tags"]:
        assert f">{tag['name']}</h2>" in page


def test_everybody_reads_the_public_page(other: World, stranger: User) -> None:
    assert "/api/1/deployments/acme/storefront/register_deploy" in Client().get("/api/docs").content.decode()
    client = signed_in(stranger)
    assert client.get("/api/docs").status_code == 200
    client.get("/globex")
    assert client.get("/api/docs").headers["Location"] == "/globex/api"
