"""System checks for mistakes in the set-up that would show too late."""

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
                f"SQLite {sqlite3.sqlite_version} does not know RETURNING.",
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
                "Rate limits are counted separately on each machine.",
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
                f"SITE_URL is {settings.SITE_URL}: cookies and tokens are sent unencrypted.",
                hint="Serve Gumshoe behind TLS and set SITE_URL to the https address.",
                id="gumshoe.W002",
            )
        ]
    return []


@checks.register(deploy=True)
def check_proxy_is_trusted(**kwargs: Any) -> list[checks.CheckMessage]:
    if settings.SITE_IS_SECURE and not settings.TRUSTED_PROXY_COUNT:
        return [
            checks.Warning(
                "SITE_URL is https, so there is a proxy, but its headers are ignored.",
                hint="Set TRUSTED_PROXY_COUNT to the number of proxies. Otherwise every caller seems to be the proxy.",
                id="gumshoe.W003",
            )
        ]
    return []
