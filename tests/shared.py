"""Fixtures whose rows are made once for many tests.

Each test runs in a transaction that is rolled back. A shared fixture's rows are made in a transaction around those of
all the tests that name it, which is rolled back when a test comes that does not: tests are sorted so that this is
seldom. A test that commits, and one that asks for the fixture while it runs, get rows of their own.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

TRANSACTIONAL_FIXTURES = {"transactional_db", "live_server"}


class Shared:
    """``builders`` by the fixtures' names; ``values`` of those whose rows are there, each in a savepoint of its own."""

    def __init__(self) -> None:
        self.blocker: DjangoDbBlocker | None = None
        self.builders: dict[str, Callable[..., Any]] = {}
        self.values: dict[str, Any] = {}
        self._stack: list[ExitStack] = []

    def names_of(self, item: pytest.Item) -> list[str]:
        """What the test shares with others, what is built first coming first."""
        if is_transactional(item):
            return []
        wanted = {name for name, build in self.builders.items() if name in fixtures_of(item) and is_near(build, item)}
        # What a fixture is built of was registered before it.
        for name in reversed(self.builders):
            if name in wanted:
                wanted.update(parameters_of(self.builders[name]))
        return [name for name in self.builders if name in wanted]

    def hold(self, names: list[str]) -> None:
        """Just these; none before there is a database."""
        if self.blocker and names != list(self.values):
            with self.blocker.unblock():
                self._exchange(names)

    def _exchange(self, names: list[str]) -> None:
        held = list(self.values)
        while held != names[: len(held)]:
            self._stack.pop().close()
            del self.values[held.pop()]
        for name in names[len(held) :]:
            build = self.builders[name]
            with ExitStack() as stack:
                stack.enter_context(transaction.atomic())
                stack.callback(transaction.set_rollback, True)
                self.values[name] = build(**{given: self.copy_of(given) for given in parameters_of(build)})
                self._stack.append(stack.pop_all())

    def copy_of(self, name: str) -> Any:
        return copy.deepcopy(self.values[name])


shared = Shared()


def shared_fixture(build: Callable[..., Any]) -> Any:
    """Makes a fixture of a function whose parameters are shared fixtures. What it returns is copied for each test."""
    name = build.__name__
    assert name not in shared.builders, f"there are two shared fixtures {name}"
    shared.builders[name] = build

    @pytest.fixture(name=name)
    def fixture(request: pytest.FixtureRequest, db: None) -> Any:
        if name in shared.values:
            return shared.copy_of(name)
        return build(**{given: request.getfixturevalue(given) for given in parameters_of(build)})

    return fixture


def is_near(build: Callable[..., Any], item: pytest.Item) -> bool:
    """Another module may have a fixture of the same name."""
    module = item.getparent(pytest.Module)
    return build.__module__.endswith("conftest") or (module is not None and build.__module__ == module.obj.__name__)


def parameters_of(build: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(build).parameters)


def is_transactional(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        return True
    return not TRANSACTIONAL_FIXTURES.isdisjoint(fixtures_of(item))


def fixtures_of(item: pytest.Item) -> Sequence[str]:
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names
