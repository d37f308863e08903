import psycopg
import pytest
from django.db import close_old_connections, connection

from tests.conftest import make_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="is about PostgreSQL's connections"),
]


def backend() -> int:
    connection.ensure_connection()
    pid: int = connection.connection.info.backend_pid
    return pid


def as_operator(statement: str) -> None:
    info = connection.connection.info
    with psycopg.connect(info.dsn, password=info.password, autocommit=True) as operator:
        operator.execute(statement)


def test_the_first_request_after_a_restart_is_answered() -> None:
    world = make_world("acme")
    before = backend()
    as_operator(f"SELECT pg_terminate_backend({before}, 10000)")
    # What a request begins with; Django's test client leaves it out.
    close_old_connections()
    assert world.register(sha="1" * 40).status_code == 200
    assert backend() != before


def test_a_connection_with_something_to_read_is_asked_and_kept() -> None:
    before = backend()
    connection.connection.execute("LISTEN news")
    as_operator("NOTIFY news")
    close_old_connections()
    assert connection.is_usable()
    assert backend() == before
