"""What each database does with a statement that would take seconds otherwise."""

import pytest
from django.db import connection

from deployments.models import Deploy
from deployments.queries.oddities import JUDGE_ORGANIZATION

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table of a few rows whole.")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="A setting of PostgreSQL's.")


@on_sqlite
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "index"), [("rolled_back_by", "deploy_by_rolled_back_by"), ("restores", "deploy_by_restores")]
)
def test_what_a_rollback_undid_is_found_by_an_index(column: str, index: str) -> None:
    assert index in Deploy.objects.filter((f"{column}__in", [1, 2])).explain()


@on_sqlite
@pytest.mark.django_db
def test_a_sha_is_looked_up_in_the_environment_before() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {JUDGE_ORGANIZATION}", [1, 100, "2024-05-01"])
        plan = "\n".join(row[3] for row in cursor.fetchall())

    assert "deploy_by_sha (target_id=? AND sha=?)" in plan


@on_postgresql
@pytest.mark.django_db
def test_statements_are_not_compiled() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
