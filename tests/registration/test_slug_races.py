"""Two creations at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from orgs.services import NewEnvironment, create_environment
from tests.conftest import World
from tests.factories import make_deployment, make_project

pytestmark = pytest.mark.django_db(transaction=True)


def project(world: World, slug: str) -> Any:
    return make_project(world.organization, name="New", slug=slug)


def environment(world: World, slug: str) -> Any:
    return create_environment(project=world.project, new=NewEnvironment(name="New", slug=slug))


def deployment(world: World, slug: str) -> Any:
    return make_deployment(world.project, name="New", slug=slug)


def simultaneously(count: int, create: Callable[[], Any]) -> list[Any]:
    barrier, results = threading.Barrier(count), []

    def run() -> None:
        barrier.wait()
        try:
            results.append(create().slug)
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("create", [project, environment, deployment])
def test_names_get_the_next_free_slug(ci: World, create: Callable[[World, str], Any]) -> None:
    assert sorted(simultaneously(4, lambda: create(ci, ""))) == ["new", "new-2", "new-3", "new-4"]


@pytest.mark.parametrize("create", [project, environment, deployment])
def test_a_slug_that_was_asked_for_is_given_once(ci: World, create: Callable[[World, str], Any]) -> None:
    results = simultaneously(4, lambda: create(ci, "wanted"))

    refused = [result for result in results if isinstance(result, ValidationError)]
    assert len(refused) == 3
    assert {error.message_dict["slug"][0] for error in refused} == {"The slug wanted is taken: choose another."}
    assert [result for result in results if result not in refused] == ["wanted"]
