import pytest
from django.test import Client


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
