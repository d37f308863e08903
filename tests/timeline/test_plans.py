"""What each database does with a statement that would take seconds otherwise."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployments.deploys.queries import path_of
from deployments.live.status import STATUSES_OF_ORGANIZATION
from deployments.models import Call, Deploy
from deployments.request_log.queries import CallFilter, calls_of, count_rejected_by_deployment
from orgs.pages import page_of
from tests.conftest import World

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table of a few rows whole.")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="is about PostgreSQL")


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
        cursor.execute(f"EXPLAIN QUERY PLAN {STATUSES_OF_ORGANIZATION}", [1, 100, "2024-05-01"])
        plan = "\n".join(row[3] for row in cursor.fetchall())

    assert "deploy_by_sha (target_id=? AND sha=?)" in plan


@on_sqlite
def test_the_call_of_a_deploy_is_found_by_an_index(ci: World) -> None:
    assert "call_by_deploy " in Call.objects.filter(deploy=1).explain()


@on_sqlite
def test_the_path_of_a_deploy_looks_up_its_sha(ci: World) -> None:
    ci.register(sha="a1")

    assert "deploy_by_sha (target_id=? AND sha=?)" in plans_of(lambda: path_of(Deploy.objects.get()))


@on_sqlite
def test_what_was_turned_away_today_is_not_looked_for_among_all_calls_of_a_deployment(ci: World) -> None:
    plans = plans_of(lambda: count_rejected_by_deployment(ci.organization, [1]))

    assert "call_by_outcome (organization_id=? AND outcome=? AND id>?)" in plans


@on_sqlite
def test_a_page_begins_where_the_one_before_it_ended(ci: World) -> None:
    call = Call.objects.create(organization=ci.organization, status=200)
    calls = calls_of(ci.organization, CallFilter())

    plans = plans_of(lambda: page_of(calls, after=str(call.pk), by="-id"))

    assert "call_by_organization (organization_id=? AND id<?)" in plans


def plans_of(read: Callable[[], object]) -> str:
    with CaptureQueriesContext(connection) as captured:
        read()
    with connection.cursor() as cursor:
        rows = [row for query in captured for row in cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall()]
    return "\n".join(row[3] for row in rows)


@on_postgresql
@pytest.mark.django_db
def test_statements_are_not_compiled() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


@on_postgresql
def test_what_is_live_is_changed_in_place(ci: World) -> None:
    before = changes_in_place()

    for sha in "abc":
        ci.register(sha=sha)

    # Not each time: a page may be full.
    assert changes_in_place() > before


def changes_in_place() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'deployments_target'")
        return int(cursor.fetchone()[0])
