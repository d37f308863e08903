"""What PostgreSQL reads for a call or a page, once there are many rows of everything: never a large table whole.

Any index will do. A small table may be read whole, as may an index in its order until a page is full.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from deployments.models import Call, Deploy, Deployment, ManualChange, Target
from deployments.request_log.writer import request_log
from orgs.models import Organization, User
from tests.conftest import World
from tests.factories import signed_in
from tests.shared import shared_fixture
from tokens.models import AccessToken, RetiredSecret
from tokens.services import rotate_token

if connection.vendor != "postgresql":
    pytest.skip("SQLite has no statistics of its tables", allow_module_level=True)

ORGANIZATIONS, ROWS = 2_000, 20_000
OF_ORGANIZATION = {"organization_id": f"(%(organizations)s::int[])[1 + n %% {ORGANIZATIONS}]"}
BEFORE = "- n * INTERVAL '1 minute'"
# What is copied so often, and the columns whose values differ in each copy.
COPIES: dict[type[models.Model], tuple[int, dict[str, str]]] = {
    Organization: (ORGANIZATIONS, {"slug": "slug || n"}),
    Deployment: (ROWS, OF_ORGANIZATION | {"slug": "slug || n"}),
    Target: (ROWS, {"deployment_id": "(%(deployments)s::int[])[n]"}),
    Deploy: (
        ROWS,
        OF_ORGANIZATION
        | {"sha": "md5(sha || n)", "deployed_at": f"deployed_at {BEFORE}"}
        | {f"{name}_id": f"(%({name}s)s::int[])[n]" for name in ("deployment", "target")},
    ),
    Call: (ROWS, OF_ORGANIZATION | {"deployment_id": "(%(deployments)s::int[])[n]"}),
    ManualChange: (ROWS, OF_ORGANIZATION | {"changed_at": f"changed_at {BEFORE}"}),
    AccessToken: (ROWS, OF_ORGANIZATION | {"name": "name || n", "digest": "md5(digest || n)"}),
    RetiredSecret: (ROWS, {"digest": "md5(digest || n)"}),
}
LARGE = {model._meta.db_table for model in COPIES}

PAGES = {
    "the timeline": "/acme/timeline",
    "its second page": "/acme/timeline?before=1700000000000000-1",
    "the timeline of a project": "/acme/projects/shop/timeline",
    "the timeline of an environment": "/acme/projects/shop/environments/production/timeline",
    "the timeline by sha": "/acme/timeline?sha=abcd",
    "a deployment's timeline": "/acme/deployments/storefront",
    "what is live": "/acme",
    "what is behind": "/acme?state=behind",
    "the request log": "/acme/requests",
    "its later page": "/acme/requests?after=5",
    "rejected calls": "/acme/requests?outcome=rejected",
    "the calls of a deployment": "/acme/requests?deployment=storefront",
}


@shared_fixture
def many(ci: World, other: World) -> None:
    """Hundreds of organizations with thousands of all that grows, and among them ``ci`` with a little of each."""
    for world in (ci, other):
        for sha in ("a", "b"):
            assert world.register(sha=sha).status_code == 200
        world.register(sha="c", environment="nowhere")
        request_log.flush()
        production = world.project.environments.get(slug="production")
        ManualChange.objects.create(
            organization=world.organization,
            project=world.project,
            environment=production,
            name="Scaled up",
            changed_at=world.token.created_at,
        )
        rotate_token(token=world.token, grace=timedelta(days=1))
    ids: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        for model, (number, changed) in COPIES.items():
            table = model._meta.db_table
            columns = [str(field.column) for field in model._meta.local_concrete_fields if not field.primary_key]
            cursor.execute(
                f"""
                INSERT INTO {table} ({", ".join(columns)})
                SELECT {", ".join(changed.get(column, column) for column in columns)}
                FROM (SELECT * FROM {table} ORDER BY id DESC LIMIT 1) model CROSS JOIN generate_series(1, {number}) n
                RETURNING id
                """,  # noqa: S608
                ids,
            )
            ids[f"{model._meta.model_name}s"] = [id_ for (id_,) in cursor.fetchall()]
        cursor.execute("ANALYZE")


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page(many: None, owner: User, path: str) -> None:
    client = signed_in(owner)

    assert_reads_no_large_table(lambda: client.get(path, follow=True))


def test_a_registration_with_a_retired_secret(many: None, ci: World) -> None:
    assert_reads_no_large_table(lambda: ci.register(sha="d"))
    assert_reads_no_large_table(lambda: ci.register(sha="a"))


# Partial ones, of the few rows that a person made one by one.
SMALL_INDEXES = {"call_by_replay"}


def assert_reads_no_large_table(ask: Callable[[], Any]) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    assert answer.status_code == 200, answer.content
    statements = [query["sql"].strip() for query in captured]
    explained = [sql for sql in statements if sql.startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH"))]
    wrong = [f"{problem}\n{sql}" for sql in explained for problem in whole_tables_read(plan_of(sql))]
    assert not wrong, "\n\n".join(wrong)


def plan_of(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + sql.replace("%", "%%"), [])
        (plan,) = cursor.fetchone()
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def whole_tables_read(plan: Any, is_limited: bool = False) -> Iterator[str]:
    kind, table = plan["Node Type"], plan.get("Relation Name")
    is_limited = is_limited or kind == "Limit"
    if table in LARGE and kind == "Seq Scan":
        yield f"{kind} of {table}"
    reads_all = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan and not is_limited
    if table in LARGE and reads_all and plan["Index Name"] not in SMALL_INDEXES:
        yield f"{kind} of all of {table} by {plan['Index Name']}"
    for part in plan.get("Plans", ()):
        yield from whole_tables_read(part, is_limited)
