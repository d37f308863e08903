"""How often a token may call: API_RATE_LIMIT, counted in the cache."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as all_settings
from django.core.cache import caches
from django.test import override_settings
from pytest_django import Settings
from time_machine import travel

from config import env
from deployments.models import Deploy
from tests.conftest import World
from tests.factories import make_token
from tests.imports.histories import START
from tokens.scopes import Scope

REDIS = ("127.0.0.1", 6379)


@contextmanager
def cache_at(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[None]:
    """The cache that CACHE_URL would give."""
    monkeypatch.setenv("CACHE_URL", url)
    with override_settings(CACHES=all_settings.CACHES | {"counters": env.cache("CACHE_URL", default="")}):
        yield


def post(world: World, times: int, secret: str | None = None) -> list[int]:
    """The statuses of so many calls at one moment, which all fall into one period."""
    with travel(START, tick=False):
        return [world.register(sha=uuid4().hex, secret=secret).status_code for _ in range(times)]


def test_a_token_may_call_as_often_as_the_limit_says(ci: World, settings: Settings) -> None:
    settings.API_RATE_LIMIT = "3/m"

    assert post(ci, 5) == [200, 200, 200, 429, 429]
    assert Deploy.objects.count() == 3


def test_the_answer_says_when_to_try_again(ci: World, settings: Settings) -> None:
    settings.API_RATE_LIMIT = "1/m"
    post(ci, 1)

    with travel(START, tick=False):
        response = ci.register(sha="again")
        seconds = int(response.headers["Retry-After"])

    assert 1 <= seconds <= 60
    assert response.status_code == 429
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == f"This access token made too many requests: try again in {seconds} seconds."
    with travel(START + timedelta(seconds=seconds + 1), tick=False):
        assert ci.register(sha="again").status_code == 200


@pytest.mark.parametrize("second", range(0, 60, 7))
def test_retry_after_is_at_least_one_second_wherever_in_the_period_we_are(
    ci: World, settings: Settings, second: int
) -> None:
    settings.API_RATE_LIMIT = "1/s"
    with travel(START + timedelta(seconds=second, milliseconds=990), tick=False):
        ci.register(sha="a")
        assert ci.register(sha="b").headers["Retry-After"] == "1"


def test_off_lets_everything_through(ci: World, settings: Settings) -> None:
    settings.API_RATE_LIMIT = env.rate("API_RATE_LIMIT", default="off")

    assert post(ci, 5) == [200] * 5


def test_each_token_has_a_limit_of_its_own(ci: World, settings: Settings) -> None:
    settings.API_RATE_LIMIT = "2/m"
    _, second = make_token(ci.organization)

    assert post(ci, 3) == [200, 200, 429]
    assert post(ci, 3, second) == [200, 200, 429]


def test_refused_tokens_and_scopes_do_not_count_but_refused_bodies_do(ci: World, settings: Settings) -> None:
    """The order of checks: token, organization, scope, then the limit, then the rest."""
    settings.API_RATE_LIMIT = "2/m"
    _, reader = make_token(ci.organization, Scope.READ)

    assert post(ci, 4, "gum_wrong") == [401] * 4
    assert post(ci, 4, reader) == [403] * 4
    with travel(START, tick=False):
        assert [ci.register(sha="").status_code for _ in range(4)] == [400, 400, 429, 429]


def test_redis_counts(ci: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        socket.create_connection(REDIS, timeout=1).close()
    except OSError as error:
        pytest.skip(f"there is no Redis at {REDIS[0]}:{REDIS[1]}: {error}")
    settings.API_RATE_LIMIT = "3/m"

    with cache_at(monkeypatch, f"redis://{REDIS[0]}:{REDIS[1]}/9?KEY_PREFIX={uuid4().hex}"):
        assert post(ci, 5) == [200, 200, 200, 429, 429]
        caches["counters"].close()


@contextmanager
def server_that_is_away() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    yield port


@contextmanager
def server_that_never_answers() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("server", [server_that_is_away, server_that_never_answers])
def test_without_its_cache_a_call_is_let_through_at_once_and_a_log_line_says_so(
    ci: World,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    server: Callable[[], AbstractContextManager[int]],
) -> None:
    settings.API_RATE_LIMIT = "1/m"
    ci.register(sha="warm up")

    with server() as port, cache_at(monkeypatch, f"redis://127.0.0.1:{port}"), caplog.at_level(logging.ERROR):
        started = time.monotonic()
        statuses = [ci.register(sha=sha).status_code for sha in "ab"]
        seconds = (time.monotonic() - started) / len(statuses)
        caches["counters"].close()

    assert statuses == [200, 200]
    assert len(caplog.records) == 2
    assert caplog.text.count("The cache does not answer, so requests are not limited: ") == 2
    assert seconds < 1
