"""A dry run of an import counts what would be stored, and writes nothing on the way."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.calls import bearer, count_rows
from tests.conftest import World
from tests.imports.importing import dated, post_file

COUNTS = ("deploys", "duplicates", "replaced", "unsuccessful")


@pytest.mark.parametrize("file", [dated("a b a c"), dated("a a b"), dated("a") + "b,2024-05-01T12:00:00Z\n"])
@pytest.mark.parametrize("before", ["", "x", "x y"])
@pytest.mark.parametrize("mode", ["replace", "add"])
def test_it_counts_as_the_import_does(ci: World, file: str, before: str, mode: str) -> None:
    for sha in before.split():
        ci.register(sha=sha)
    rows = count_rows()

    with CaptureQueriesContext(connection) as queries:
        report = post_file(ci, file, query="?dry_run=1", mode=mode).json()

    assert count_rows() == rows
    assert [sql for query in queries if "deployments_" in (sql := query["sql"]) and "SELECT" not in sql[:10]] == []
    prefers = bearer(ci.secret) | {"Prefer": "return=representation"}
    real = post_file(ci, file, headers=prefers, mode=mode).json()
    assert {name: report[name] for name in COUNTS} == real
