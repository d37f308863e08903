"""Columns that are added later: statements of our own that do not know them go on working."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from deployments.models import Call, ChangedFile, Deploy
from orgs.models import User
from tests.conftest import World
from tests.factories import signed_in
from tests.imports.importing import dated, post_file
from tests.registration.requests import log, url

# The tables that statements of our own fill, and the columns that each of those statements names.
ALWAYS_NAMED = {
    Deploy: {
        *("organization", "project", "deployment", "environment", "target"),
        *("sha", "deployed_at", "created_at", "updated_at"),
    },
    ChangedFile: {"deploy", "path"},
    Call: {"organization", "request_id", "method", "path", "status", "outcome", "created_at"},
}


class Later(migrations.Migration):
    operations = [  # noqa: RUF012 - as Django writes it
        operation
        for model in ALWAYS_NAMED
        for operation in (
            migrations.AddField(model.__name__, "later_text", models.CharField(max_length=20, null=True)),
            migrations.AddField(model.__name__, "later_number", models.PositiveIntegerField(default=1, db_default=1)),
            migrations.AddField(
                model.__name__, "later_note", models.CharField(max_length=20, default="", db_default="")
            ),
        )
    ]


@pytest.mark.parametrize("model", ALWAYS_NAMED, ids=str)
class TestColumns:
    def test_what_a_statement_need_not_name_has_a_default_in_the_database(self, model: type[models.Model]) -> None:
        for field in model._meta.concrete_fields:
            if not field.primary_key and field.name not in ALWAYS_NAMED[model]:
                assert field.null or field.has_db_default(), f"{field}: make it nullable or give it a db_default"

    def test_an_unsaved_instance_has_the_same_default(self, model: type[models.Model]) -> None:
        """Else its value would be an expression until it is saved."""
        for field in model._meta.concrete_fields:
            if field.has_db_default():
                assert (field.default, getattr(model(), field.name)) == (field.db_default, field.db_default), field


@pytest.fixture
def later_columns(transactional_db: None) -> Iterator[None]:
    later, before = Later("later", "deployments"), ProjectState.from_apps(apps)
    with connection.schema_editor() as editor:
        later.apply(before.clone(), editor)
    yield
    with connection.schema_editor() as editor:
        later.unapply(before.clone(), editor)


def later_values(model: type[models.Model]) -> set[tuple[str | None, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT later_text, later_number, later_note FROM {model._meta.db_table}")  # noqa: S608 - a name of ours
        return set(cursor.fetchall())


def test_nothing_breaks_by_a_new_column(later_columns: None, ci: World, developer: User) -> None:
    commits = [{"revision": f"{number:040x}", "message": "Fix it"} for number in range(20)]
    files = [{"path": "a.py", "additions": 3}]

    assert ci.register(sha="a", commits=commits, files=files).status_code == 200
    assert ci.register(sha="b", environment="qa").status_code == 400
    rejected = log()[-1]
    assert post_file(ci, dated("a b a"), environment="staging").status_code == 200
    Call.objects.filter(pk=rejected.pk).update(body='{"sha": "b"}')
    assert signed_in(developer).post(url("replay-request", call_id=rejected.pk)).status_code == 302

    assert Deploy.objects.count() == 1 + 3 + 1
    assert Deploy.objects.get(sha="a", environment__slug="production").commits.count() == 20
    assert len(log()) >= 3
    for model in ALWAYS_NAMED:
        assert later_values(model) == {(None, 1, "")}
