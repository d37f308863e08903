"""Imports and registrations at once."""

import pytest
from django.test import Client

from deployments.models import Deploy, HistoryImport, Target
from tests.conftest import World
from tests.imports.histories import history, post_history
from tests.imports.importing import dated, post_file
from tests.simultaneously import simultaneously

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(world: World) -> World:
    return World(world.organization, world.project, world.deployment, world.token, world.secret, Client())


def assert_linear() -> None:
    target = Target.objects.get()
    newest = target.deploys.filter(deleted_at=None).order_by("-deployed_at", "-id").first()
    assert newest is not None
    assert target.live_deploy_id == newest.id


@pytest.mark.parametrize("is_fresh", [True, False])
def test_what_is_registered_meanwhile_is_not_lost(ci: World, is_fresh: bool) -> None:
    if not is_fresh:
        post_history(ci, "old older")
    long = dated(" ".join(f"{n:x}" for n in range(31)))

    def register(number: int) -> int:
        return client_of(ci).register(sha=f"new-{number}").status_code  # type: ignore[no-any-return]

    answers = simultaneously(
        lambda: post_file(ci, long).status_code,
        *(lambda number=number: register(number) for number in range(7)),
    )

    assert answers == [200] * 8
    # Either it came first and made way, or it stands on top.
    assert Deploy.all_objects.filter(sha__startswith="new-").count() == 7
    done = HistoryImport.objects.get()
    made_way = Deploy.all_objects.filter(sha__startswith="new-", deleted_at=done.created_at).count()
    assert done.replaced_count == made_way + 2 * (not is_fresh)
    assert len(history(ci)) == 31 + 7 - made_way
    assert_linear()


def test_of_imports_at_once_the_last_one_stands(ci: World) -> None:
    answers = simultaneously(*(lambda sha=sha: post_file(ci, dated(f"{sha}1 {sha}2")).status_code for sha in "abcd"))

    assert answers == [200] * 4
    last = HistoryImport.objects.latest("created_at")
    assert [done.replaced_count for done in HistoryImport.objects.order_by("created_at")] == [0, 2, 2, 2]
    assert last.pk == HistoryImport.objects.latest("id").pk
    assert {event.sha[0] for event in history(ci)} == {Deploy.objects.earliest("id").sha[0]}
    assert len(history(ci)) == 2
    assert_linear()
