from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import override_settings

from config import checks
from config.checks import check_former_migrations


def use_database(monkeypatch: pytest.MonkeyPatch, vendor: str) -> None:
    monkeypatch.setattr(checks, "connection", SimpleNamespace(vendor=vendor))


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def test_an_old_sqlite_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    use_database(monkeypatch, "sqlite")
    assert ids(checks.check_sqlite_version()) == []
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    assert ids(checks.check_sqlite_version()) == ["gumshoe.E001"]
    use_database(monkeypatch, "postgresql")
    assert ids(checks.check_sqlite_version()) == []


def test_postgresql_without_a_shared_cache_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    use_database(monkeypatch, "postgresql")
    assert ids(checks.check_shared_cache()) == ["gumshoe.W001"]
    with override_settings(COUNTS_ON_ONE_MACHINE=False):
        assert ids(checks.check_shared_cache()) == []
    use_database(monkeypatch, "sqlite")
    assert ids(checks.check_shared_cache()) == []


def test_a_site_without_tls_is_a_warning() -> None:
    with override_settings(SITE_IS_SECURE=False):
        assert ids(checks.check_site_url()) == ["gumshoe.W002"]
    with override_settings(SITE_IS_SECURE=True):
        assert ids(checks.check_site_url()) == []


@pytest.mark.parametrize(
    ("secure", "proxies", "expected"), [(True, 0, ["gumshoe.W003"]), (True, 1, []), (False, 0, []), (False, 1, [])]
)
def test_tls_without_a_trusted_proxy_is_a_warning(secure: bool, proxies: int, expected: list[str]) -> None:
    with override_settings(SITE_IS_SECURE=secure, TRUSTED_PROXY_COUNT=proxies):
        assert ids(checks.check_proxy_is_trusted()) == expected


@pytest.mark.parametrize(("backend", "expected"), [("console", ["gumshoe.W004"]), ("smtp", [])])
def test_mail_that_goes_nowhere_is_a_warning(backend: str, expected: list[str]) -> None:
    with override_settings(EMAIL_BACKEND=f"django.core.mail.backends.{backend}.EmailBackend"):
        assert ids(checks.check_mail_server()) == expected


@pytest.fixture
def applied(db: None) -> Callable[[str], None]:
    """Notes a migration of deployments as applied. The test database is made without any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS django_migrations ("
            "id bigint DEFAULT 0, app varchar(255), name varchar(255), applied timestamp with time zone)"
        )

    def note(name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name) VALUES ('deployments', %s)", [name])

    return note


def test_a_database_that_had_all_former_migrations_is_fine(applied: Callable[[str], None]) -> None:
    assert check_former_migrations(databases=["default"]) == []
    for name in ("0001_initial", "0002_initial", "0020_progress_of_imports"):
        applied(name)
    assert check_former_migrations(databases=["default"]) == []


def test_a_database_that_had_only_some_is_rejected(applied: Callable[[str], None]) -> None:
    applied("0002_initial")

    (problem,) = check_former_migrations(databases=["default"])
    assert (problem.id, problem.hint) == ("gumshoe.E002", "Apply them as CHANGELOG.md says under Changed.")
    with pytest.raises(SystemCheckError, match="lacks migrations"):
        call_command("migrate", verbosity=0, skip_checks=False)
