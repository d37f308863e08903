"""System checks for mistakes in the set-up that would show too late."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connection

from orgs.invitations import sends_mail

OLDEST_SQLITE = (3, 35, 0)


@checks.register()
def check_sqlite_version(**kwargs: Any) -> list[checks.CheckMessage]:
    if connection.vendor != "sqlite" or sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return []
    problem = f"SQLite {sqlite3.sqlite_version} does not know RETURNING."
    return [checks.Error(problem, "Use SQLite 3.35 or newer, or set DATABASE_URL to PostgreSQL.", id="gumshoe.E001")]


@checks.register(checks.Tags.database)
def check_former_migrations(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """The migrations of each app were joined into one, and ``migrate`` takes a database that had only some of the
    former ones for one that is up to date."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        if "django_migrations" not in connection.introspection.table_names(cursor):
            return []
        cursor.execute("SELECT name FROM django_migrations WHERE app = 'deployments'")
        applied = {name for (name,) in cursor.fetchall()}
    if "0002_initial" not in applied or "0020_progress_of_imports" in applied:
        return []
    problem = "The database lacks migrations that came before those of this version."
    return [checks.Error(problem, "Apply them as CHANGELOG.md says under Changed.", id="gumshoe.E002")]


@checks.register(deploy=True)
def check_shared_cache(**kwargs: Any) -> list[checks.CheckMessage]:
    if connection.vendor != "postgresql" or not settings.COUNTS_ON_ONE_MACHINE:
        return []
    problem = "Rate limits are counted separately on each machine."
    hint = "Set CACHE_URL to a Redis server, so that web workers on several machines count together."
    return [checks.Warning(problem, hint, id="gumshoe.W001")]


@checks.register(deploy=True)
def check_site_url(**kwargs: Any) -> list[checks.CheckMessage]:
    if settings.SITE_IS_SECURE:
        return []
    problem = f"SITE_URL is {settings.SITE_URL}: cookies and tokens are sent unencrypted."
    return [
        checks.Warning(problem, "Serve Gumshoe behind TLS and set SITE_URL to the https address.", id="gumshoe.W002")
    ]


@checks.register(deploy=True)
def check_proxy_is_trusted(**kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.SITE_IS_SECURE or settings.TRUSTED_PROXY_COUNT:
        return []
    problem = "SITE_URL is https, so there is a proxy, but its headers are ignored."
    hint = "Set TRUSTED_PROXY_COUNT to the number of proxies. Otherwise every caller seems to be the proxy."
    return [checks.Warning(problem, hint, id="gumshoe.W003")]


@checks.register(deploy=True)
def check_mail_server(**kwargs: Any) -> list[checks.CheckMessage]:
    if sends_mail():
        return []
    problem = "EMAIL_URL is not set: mails are only written to standard output."
    hint = "Set it to your mail server. Until then who invites somebody gets the link to pass on, and nobody who has "
    hint += "forgotten a password gets a mail."
    return [checks.Warning(problem, hint, id="gumshoe.W004")]
