"""Misconfiguration that only shows when it hurts, as system checks."""

import sqlite3
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connection

OLDEST_SQLITE = (3, 35, 0)


@checks.register()
def check_sqlite_version(**kwargs: Any) -> list[checks.CheckMessage]:
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return [
            checks.Error(
                f"SQLite {sqlite3.sqlite_version} has no RETURNING.",
                hint="Use SQLite 3.35 or newer, or set DATABASE_URL to PostgreSQL.",
                id="gumshoe.E001",
            )
        ]
    return []


@checks.register(deploy=True)
def check_shared_cache(**kwargs: Any) -> list[checks.CheckMessage]:
    if connection.vendor == "postgresql" and settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        return [
            checks.Warning(
                "Rate limits are counted on each machine by itself.",
                hint="Set CACHE_URL to a Redis server, so that web workers on several machines count together.",
                id="gumshoe.W001",
            )
        ]
    return []


@checks.register(deploy=True)
def check_site_url(**kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.SITE_IS_SECURE:
        return [
            checks.Warning(
                f"SITE_URL is {settings.SITE_URL}: cookies and tokens travel in the clear.",
                hint="Serve Gumshoe behind TLS and write the https address into SITE_URL.",
                id="gumshoe.W002",
            )
        ]
    return []


@checks.register(deploy=True)
def check_proxy_is_trusted(**kwargs: Any) -> list[checks.CheckMessage]:
    if settings.SITE_IS_SECURE and not settings.TRUSTED_PROXY_COUNT:
        return [
            checks.Warning(
                "SITE_URL is https, so a proxy stands in front, but its headers are ignored.",
                hint="Set TRUSTED_PROXY_COUNT to the number of proxies, or all callers seem to be the proxy.",
                id="gumshoe.W003",
            )
        ]
    return []
