"""When, from where and by what a token was last used."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from time_machine import travel

from tests.conftest import World
from tests.factories import make_token
from tests.imports.histories import START
from tokens.scopes import Scope


def use(world: World, moment: datetime, *, address: Any = "192.0.2.1", agent: Any = "curl/8", **headers: str) -> int:
    """Register a deploy at a moment; gives the number of writes to the token's row."""
    world.client.defaults["REMOTE_ADDR"] = address
    world.client.defaults.pop("HTTP_USER_AGENT", None)
    if agent is not None:
        headers["User-Agent"] = agent
    with travel(moment, tick=False), CaptureQueriesContext(connection) as queries:
        world.register(sha=moment.isoformat(), headers=headers)
    world.token.refresh_from_db()
    return sum("UPDATE" in query["sql"] and "tokens_accesstoken" in query["sql"] for query in queries)


def last_used(world: World) -> tuple[datetime | None, str | None, str]:
    return world.token.last_used_at, world.token.last_used_address, world.token.last_used_agent


def test_a_new_token_was_never_used(ci: World) -> None:
    assert last_used(ci) == (None, None, "")


def test_the_use_is_noted_at_most_once_a_minute(ci: World) -> None:
    assert use(ci, START) == 1
    assert last_used(ci) == (START, "192.0.2.1", "curl/8")

    assert use(ci, START + timedelta(seconds=59.9), address="192.0.2.2", agent="other") == 0
    assert last_used(ci) == (START, "192.0.2.1", "curl/8")

    later = START + timedelta(seconds=60)
    assert use(ci, later, address="192.0.2.2", agent="other") == 1
    assert last_used(ci) == (later, "192.0.2.2", "other")


@pytest.mark.parametrize(
    ("agent", "noted"),
    [
        (None, ""),
        ("", ""),
        ("go-http-client/1.1", "go-http-client/1.1"),
        ("x" * 5000, "x" * 200),
        # Bytes that are no ASCII arrive as Latin-1, as PEP 3333 says.
        ("Größe".encode().decode("latin-1"), "Größe".encode().decode("latin-1")),
        ("\xff\xfe", "\xff\xfe"),
        ("'; DROP TABLE x; --", "'; DROP TABLE x; --"),
    ],
    ids=ascii,
)
def test_any_agent_can_be_noted(ci: World, agent: str | None, noted: str) -> None:
    use(ci, START, agent=agent)

    assert last_used(ci) == (START, "192.0.2.1", noted)


@pytest.mark.parametrize(
    ("address", "noted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", None),
        ("unix:", None),
    ],
)
def test_an_address_is_noted_where_there_is_one(ci: World, address: str, noted: str | None) -> None:
    use(ci, START, address=address)

    assert last_used(ci) == (START, noted, "curl/8")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "noted"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        # The caller wrote the first one.
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 192.0.2.7", "203.0.113.9"),
        # Fewer entries than proxies: someone came past them.
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, " 2001:db8::9 ", "2001:db8::9"),
    ],
)
def test_an_address_behind_proxies(ci: World, settings: Settings, proxies: int, forwarded: str, noted: str) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies

    use(ci, START, **{"X-Forwarded-For": forwarded})

    assert ci.token.last_used_address == noted


def test_a_call_that_is_refused_for_what_it_says_is_a_use(ci: World) -> None:
    """It shows where a token still sits, and a leaked one being tried."""
    token, secret = make_token(ci.organization, Scope.READ)

    assert ci.register(sha="a", secret=secret).status_code == 403

    token.refresh_from_db()
    assert token.last_used_at is not None


@pytest.mark.parametrize("path", ["globex", "acme"])
def test_a_call_with_a_token_that_is_not_valid_there_is_none(ci: World, other: World, path: str) -> None:
    if path == "acme":
        ci.token.revoked_at = START
        ci.token.save()

    assert ci.register(sha="a", path=ci.path.replace("acme", path)).status_code == 401

    ci.token.refresh_from_db()
    assert ci.token.last_used_at is None
