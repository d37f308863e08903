import pytest
from django.test import Client

from deployments.api.answers import TEXT
from orgs.roles import Role
from tests.factories import make_member, make_organization, signed_in


@pytest.mark.parametrize(
    ("path", "location"),
    [("/acme/", "/acme"), ("/acme/timeline/?kind=rollback", "/acme/timeline?kind=rollback")],
)
def test_a_slash_at_the_end_of_a_page_is_taken_away(path: str, location: str) -> None:
    assert Client().get(path).headers["Location"] == location


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["//evil.example.com/", "/\\evil.example.com/", "/api/1/nothing/", "/v1/deployments/"])
def test_nobody_is_sent_to_another_site_or_away_from_the_api(path: str) -> None:
    # As it is: the client would take what follows two slashes for a host.
    answer = Client().get("/", PATH_INFO=path)

    assert answer.status_code == 404
    assert "Location" not in answer.headers


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["graphql-team", "graphql2", "v1-team", "api-team"])
def test_an_organization_may_be_called_as_the_api_begins(slug: str) -> None:
    person = signed_in(make_member(make_organization(slug), Role.OWNER))

    assert person.get(f"/{slug}").status_code == 200
    assert person.get(f"/{slug}/members").status_code == 200
    assert person.get(f"/{slug}/")["Location"] == f"/{slug}"
    missing = person.get(f"/{slug}/nothing")
    assert (missing.status_code, missing["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"), [("/graphql", 401), ("/graphql/", 404), ("/graphql/nothing", 404), ("/v1/", 404)]
)
def test_the_api_answers_text_at_its_own_paths(path: str, status: int) -> None:
    answer = Client().post(path)

    assert (answer.status_code, answer["Content-Type"]) == (status, TEXT)
