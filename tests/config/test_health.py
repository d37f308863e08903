import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_live_asks_no_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_ready_while_the_database_answers(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_not_ready_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", fail)
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (503, b"The database does not answer: try again.")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_may_name_any_host(client: Client, path: str) -> None:
    """Those of Kubernetes and of load balancers name the address of the container."""
    assert client.get(path, HTTP_HOST="10.42.0.7:8000").status_code == 200
    assert client.get("/", HTTP_HOST="10.42.0.7:8000").status_code == 400


def test_the_probes_of_sweetrs_users_are_answered(client: Client) -> None:
    assert client.get("/health", HTTP_HOST="10.42.0.7:8000").status_code == 200
