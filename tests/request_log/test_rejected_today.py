"""Calls rejected today: the clause of the sentence above what is live, and the badge of a deployment."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.models import Call
from deployments.request_log.queries import count_rejected
from deployments.request_log.writer import request_log
from orgs.models import User
from orgs.services import NewEnvironment, create_environment
from tests.conftest import World
from tests.factories import make_deployment, make_project, signed_in

PAGES = ("/acme", "/acme/projects/shop", "/acme/deployments/storefront")
BADGE = '<a class="badge bad" href="/acme/requests?deployment=storefront&amp;outcome=unresolved">{} rejected today</a>'
CLAUSE = '<a class="nowrap" href="/acme/requests?outcome=unresolved">{} rejected today</a>.'


def reject(world: World, *, deployment: str = "storefront", count: int = 1) -> None:
    for _ in range(count):
        world.register(path=world.path.replace("storefront", deployment), sha="abc", environment="nowhere")
    request_log.flush()


def page(user: User, path: str) -> str:
    return signed_in(user).get(path).content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_a_badge_leads_to_the_rejected_calls_of_the_deployment(
    ci: World, developer: User, observer: User, path: str
) -> None:
    ci.register(sha="abc")
    assert "rejected today" not in page(developer, path)

    reject(ci, count=2)

    assert BADGE.format(2) in page(developer, path)
    assert "rejected today" not in page(observer, path), "the request log is not for observers"
    listed = signed_in(developer).get("/acme/requests?deployment=storefront&outcome=unresolved")
    assert [call.status for call in listed.context["page"].rows] == [400, 400]


def test_the_sentence_counts_all_of_the_organization(ci: World, other: World, developer: User, observer: User) -> None:
    reject(ci)
    assert CLAUSE.format("1 call") in page(developer, "/acme")

    ci.register(sha="abc", secret=other.secret)
    reject(ci, deployment="no-such")
    reject(other)

    assert CLAUSE.format("3 calls") in page(developer, "/acme")
    assert "rejected today" not in page(observer, "/acme")


def test_calls_of_deployments_that_nobody_created_count_too(ci: World, developer: User) -> None:
    reject(ci, deployment="no-such")
    ci.deployment.delete()

    assert CLAUSE.format("1 call") in page(developer, "/acme")


def test_today_begins_at_the_organization_s_midnight(ci: World) -> None:
    ci.organization.time_zone = "Asia/Tokyo"
    now = datetime(2026, 5, 2, 15, 30, tzinfo=UTC)
    reject(ci, count=2)
    late, early = Call.objects.order_by("id")
    Call.objects.filter(pk=late.pk).update(created_at=now - timedelta(minutes=29))
    Call.objects.filter(pk=early.pk).update(created_at=now - timedelta(minutes=31))

    assert count_rejected(ci.organization, now=now) == 1


def test_yesterday_is_over(ci: World, developer: User) -> None:
    reject(ci)
    Call.objects.update(created_at=timezone.now() - timedelta(days=2))

    for path in PAGES:
        assert "rejected today" not in page(developer, path)


@pytest.mark.parametrize("path", PAGES)
def test_the_number_of_queries_does_not_grow(ci: World, developer: User, path: str) -> None:
    client = signed_in(developer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    reject(ci)
    queries()
    first = queries()
    for name in ("Api", "Web"):
        make_deployment(ci.project, name=name)
        make_deployment(make_project(ci.organization, f"Of {name}"), name=f"{name} 2")
        reject(ci, deployment=name.lower(), count=3)

    assert queries() == first


def test_what_a_later_call_made_good_needs_nobody(ci: World, developer: User) -> None:
    make_deployment(ci.project, name="Api")
    reject(ci, count=2)
    reject(ci, deployment="api")
    reject(ci, deployment="no-such")
    assert CLAUSE.format("4 calls") in page(developer, "/acme")

    ci.register(sha="abc")
    request_log.flush()

    assert CLAUSE.format("2 calls") in page(developer, "/acme")
    assert BADGE.format(1).replace("storefront", "api") in page(developer, "/acme")
    listed = signed_in(developer).get("/acme/requests?outcome=unresolved").context["page"].rows
    assert [call.deployment_slug for call in listed] == ["no-such", "api"]
    assert len(signed_in(developer).get("/acme/requests?outcome=all-rejected").context["page"].rows) == 4
    reject(ci)
    assert CLAUSE.format("3 calls") in page(developer, "/acme"), "the newest call counts again"


def test_a_deployment_that_is_created_afterwards(ci: World, developer: User) -> None:
    reject(ci, deployment="api")
    make_deployment(ci.project, name="Api")
    ci.register(sha="abc", path=ci.path.replace("storefront", "api"))
    request_log.flush()

    assert "rejected today" not in page(developer, "/acme")


def test_calls_that_name_no_deployment(ci: World, developer: User) -> None:
    ci.record(name="")
    ci.record(name="Flag", environment="nowhere")
    request_log.flush()
    assert CLAUSE.format("2 calls") in page(developer, "/acme")

    ci.register(sha="abc")
    request_log.flush()
    assert CLAUSE.format("2 calls") in page(developer, "/acme"), "another address"
    ci.record(name="Flag")
    request_log.flush()
    assert "rejected today" not in page(developer, "/acme")


def test_a_replay_resolves_its_call_and_no_other(ci: World, developer: User) -> None:
    client = signed_in(developer)
    for sha in ("a1", "b2"):
        ci.register(sha=sha, environment="qa")
    request_log.flush()
    first, second = Call.objects.order_by("id")

    client.post(f"/acme/requests/{first.pk}/replay")
    assert CLAUSE.format("2 calls") in page(developer, "/acme"), "a replay that fails is no third"
    create_environment(project=ci.project, new=NewEnvironment(name="QA"))
    client.post(f"/acme/requests/{first.pk}/replay")

    assert CLAUSE.format("1 call") in page(developer, "/acme")
    replay = Call.objects.latest("id")
    shown = page(developer, f"/acme/requests/{first.pk}")
    assert f'Replayed <a href="/acme/requests/{replay.pk}">' in shown
    assert f'a replay of <a href="/acme/requests/{first.pk}">' in page(developer, f"/acme/requests/{replay.pk}")
    assert "Replayed" not in page(developer, f"/acme/requests/{second.pk}")
