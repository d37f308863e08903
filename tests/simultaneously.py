"""Several threads at once, each with a connection to the database of its own, as the server's workers have."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from django.db import connections
from django.test import Client

from tests.conftest import World

T = TypeVar("T")
SECONDS = 60


def simultaneously(*calls: Callable[[], T]) -> list[T]:
    """What each gives, in order. All begin at the same moment; an exception of any is raised here."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        try:
            # A first query, so that the connection stands when the others begin.
            connections["default"].ensure_connection()
            barrier.wait(SECONDS)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
        return [future.result(SECONDS) for future in futures]


def post_simultaneously(world: World, bodies: Iterable[dict[str, Any]], **headers: str) -> list[Any]:
    """The answers to these bodies, each posted by a client of its own. A body may bring its ``path``."""

    def call(body: dict[str, Any]) -> Callable[[], Any]:
        client = World(world.organization, world.project, world.deployment, world.token, world.secret, Client())
        return lambda: client.register(headers=headers, **body)

    return simultaneously(*map(call, bodies))
