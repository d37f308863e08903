"""Short-lived environments, which calls create where a pattern of the project allows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings
from time_machine import travel

from deployments.errors import InvalidFields
from deployments.models import Deploy, ManualChange
from deployments.registration.receive import Sender, receive
from deployments.registration.registration import Registration
from deployments.registration.statements import find_targets
from deployments.tasks import delete_ended_environments
from orgs.audit import SYSTEM
from orgs.deletion import delete_environment, restore_environment
from orgs.models import AuditEvent, Environment
from orgs.services import NewEnvironment, create_environment, update_project
from tests.calls import count_rows, text_of
from tests.conftest import World
from tests.factories import make_token
from tests.live.test_live import statuses
from tests.registration.test_sweetr import deployed as deployed_by_sweetr
from tests.registration.test_sweetr import refused as refused_by_sweetr
from tests.simultaneously import post_simultaneously
from tokens.services import limit_token
from tokens.statements import find_token

UNKNOWN = "No environment 'review/42' in project shop: it has staging, production."


@pytest.fixture
def reviewing(ci: World) -> World:
    update_project(project=ci.project, short_lived_patterns=["review/*", "pr-*"], short_lived_days=14)
    return ci


def after(**difference: float) -> travel:
    return travel(datetime.now(UTC) + timedelta(**difference))


def rejected(world: World, status: int, **body: Any) -> str:
    """The text of a call that is rejected and stores nothing."""
    before = count_rows()
    answer = world.register(**{"sha": "a", "environment": "review/42"} | body)
    assert answer.status_code == status, answer.content
    assert count_rows() == before
    return text_of(answer)


def review(name: str = "review/42") -> Environment:
    return Environment.objects.get(name=name)


# --- Creation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"), [("review/42", "review-42"), ("pr-7", "pr-7"), ("Review/Größe", "review-grosse")]
)
def test_the_first_call_creates_it(reviewing: World, name: str, slug: str) -> None:
    now = datetime.now(UTC)

    answer = reviewing.register(sha="a", environment=name)

    assert answer.status_code == 200
    deploy = Deploy.objects.get(pk=answer.headers["X-Deploy-Id"])
    created = deploy.environment
    assert (created.name, created.slug, created.is_default) == (name, slug, False)
    assert created.ends_at is not None
    assert timedelta(days=14) <= created.ends_at - now < timedelta(days=14, minutes=1)
    event = AuditEvent.objects.get(action="environment.created", subject_id=created.pk)
    assert event.actor_label == "access token ci"
    for again in (name, name.upper(), slug):
        reviewing.register(sha=f"of {again}", environment=again)
    assert Deploy.objects.filter(environment=created).count() == 4
    assert Environment.objects.filter(project=reviewing.project).count() == 3


@pytest.mark.parametrize("name", ["review", "review/", "preview/42", "pr", "pr-", "hotfix", "*"])
def test_another_name_is_rejected(reviewing: World, name: str) -> None:
    assert f"No environment '{name}' in project shop" in rejected(reviewing, 400, environment=name)


def test_a_name_that_is_too_long_is_rejected(reviewing: World) -> None:
    assert "at most 100 are accepted" in rejected(reviewing, 400, environment="review/" + "x" * 94)


def test_a_project_without_patterns(reviewing: World, other: World) -> None:
    assert rejected(other, 400) == UNKNOWN
    update_project(project=reviewing.project, short_lived_patterns=[])
    assert rejected(reviewing, 400) == UNKNOWN


def test_a_call_that_is_rejected_creates_nothing(reviewing: World) -> None:
    rejected(reviewing, 400, date="yesterday")
    rejected(reviewing, 400, sha="$CI_COMMIT_SHA")


def test_a_dry_run_says_what_it_would_create(reviewing: World) -> None:
    before = count_rows()

    answer = reviewing.register(sha="a", environment="review/42", dry_run=True)

    assert answer.json()["would_create"] == [{"kind": "environment", "slug": "review-42", "name": "review/42"}]
    assert answer.json()["environment"] == "review-42"
    assert count_rows() == before


def test_a_token_that_is_limited_to_environments_creates_none(reviewing: World) -> None:
    limited, secret = make_token(reviewing.organization)
    limit_token(token=limited, environments=[reviewing.project.environments.get(slug="staging")])

    assert "may not create the environment 'review/42'" in rejected(reviewing, 403, secret=secret)
    limit_token(token=limited, environments=None)
    limit_token(token=limited, deployments=[reviewing.deployment])
    assert reviewing.register(sha="a", environment="review/42", secret=secret).status_code == 200


def test_no_more_than_there_is_room_for(reviewing: World, settings: Settings) -> None:
    settings.MAX_ENVIRONMENTS = 3
    reviewing.register(sha="a", environment="review/1")

    text = rejected(reviewing, 422, environment="review/2")

    assert text == "Shop has 3 environments already: delete one, or ask the operator to raise MAX_ENVIRONMENTS."
    assert reviewing.register(sha="b", environment="review/1").status_code == 200


def test_one_that_a_person_deleted_is_not_made_anew(reviewing: World) -> None:
    reviewing.register(sha="a", environment="review/42")
    deleted = review()
    delete_environment(environment=deleted)

    assert "was deleted: restore it" in rejected(reviewing, 422, sha="b")
    restore_environment(environment=deleted)
    assert reviewing.register(sha="b", environment="review/42").status_code == 200


def test_sweetrs_calls(reviewing: World) -> None:
    assert deployed_by_sweetr(reviewing, environment="review/42").environment.ends_at
    assert deployed_by_sweetr(reviewing, environment="qa", commitHash="b").environment.ends_at is None
    with after(days=15):
        assert delete_ended_environments() == 1
        assert deployed_by_sweetr(reviewing, environment="review/42", commitHash="c").environment == review()
        delete_environment(environment=review())
        refused_by_sweetr(reviewing, 422, environment="review/42", commitHash="d")


def test_manual_changes(reviewing: World, other: World) -> None:
    assert reviewing.record(name="Seeded", environment="review/42").status_code == 200
    with after(days=1):
        assert reviewing.record(name="Seeded again", environment="Review/42").status_code == 200
    assert {change.environment for change in ManualChange.objects.all()} == {review()}
    ends_at = review().ends_at
    assert ends_at is not None
    assert ends_at - datetime.now(UTC) > timedelta(days=14)

    before = count_rows()
    dry = reviewing.record(name="Seeded", environment="review/43", dry_run=True)
    assert (dry.status_code, dry.json()["environment"]) == (200, "review-43")
    assert other.record(name="Seeded", environment="review/42").status_code == 400
    limited, secret = make_token(reviewing.organization)
    limit_token(token=limited, environments=[review()])
    path = reviewing.manual_path
    assert reviewing.register(path=path, secret=secret, name="x", environment="review/43").status_code == 403
    assert reviewing.register(path=path, secret=secret, name="x", environment="review/42").status_code == 200
    assert count_rows()["orgs_environment"] == before["orgs_environment"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("manual", [False, True])
def test_first_calls_at_once_create_one(reviewing: World, manual: bool) -> None:
    body = {"environment": "review/42", **({"path": reviewing.manual_path} if manual else {})}

    answers = post_simultaneously(reviewing, [{**body, "sha": f"{n}", "name": f"{n}"} for n in range(8)])

    assert {answer.status_code for answer in answers} == {200}
    assert (ManualChange if manual else Deploy).objects.filter(environment=review()).count() == 8


# --- The end ----------------------------------------------------------------------------------------


def test_each_deploy_moves_its_end_on(reviewing: World) -> None:
    reviewing.register(sha="a", environment="review/42")
    with after(days=10):
        assert reviewing.register(sha="a", environment="review/42").status_code == 400
        assert delete_ended_environments() == 0
    first = review().ends_at
    with after(days=12):
        reviewing.register(sha="b", environment="review/42", status="failed")
    last = review().ends_at
    assert first is not None
    assert last is not None
    assert last - first > timedelta(days=11)
    with after(days=25):
        assert delete_ended_environments() == 0
    with after(days=27):
        assert delete_ended_environments() == 1
    assert not Environment.objects.filter(name="review/42").exists()


def test_its_end_is_audited_and_can_be_undone(reviewing: World) -> None:
    reviewing.register(sha="a", environment="review/42")
    ended = review()
    with after(days=15):
        delete_ended_environments()

        event = AuditEvent.objects.get(action="environment.ended")
        assert (event.actor_label, event.subject_id, event.organization) == (
            *("system", ended.pk),
            reviewing.organization,
        )
        restore_environment(environment=Environment.all_objects.get(pk=ended.pk))
        assert delete_ended_environments() == 0
        assert review() == ended
        assert reviewing.register(sha="b", environment="review/42").status_code == 200


def test_after_its_end_a_call_creates_another(reviewing: World) -> None:
    reviewing.register(sha="a", environment="review/42")
    ended = review()
    with after(days=15):
        delete_ended_environments()

        assert reviewing.register(sha="a", environment="review/42").status_code == 200
    assert review() != ended
    assert review().slug == ended.slug


@pytest.mark.parametrize("by_person", [False, True])
def test_it_ends_while_a_call_is_on_its_way(reviewing: World, by_person: bool) -> None:
    reviewing.register(sha="a", environment="review/42")
    ended = review()
    sender = Sender(organization_id=reviewing.organization.pk, token=find_token(reviewing.token.digest), actor=SYSTEM)
    with after(days=15):
        read_before = find_targets(reviewing.organization.pk, "storefront")
        if by_person:
            Environment.objects.filter(pk=ended.pk).update(ends_at=datetime.now(UTC) + timedelta(days=1))
            delete_environment(environment=ended)
        else:
            assert delete_ended_environments() == 1

        def arrive() -> Any:
            registration = Registration(sha="b", environment="review/42")
            return receive(sender=sender, registration=registration, targets=read_before, now=datetime.now(UTC))

        if by_person:
            with pytest.raises(InvalidFields, match="was deleted: restore it"):
                arrive()
        else:
            assert arrive().target.environment_id == review().pk
    assert Deploy.objects.filter(environment=ended).count() == 1


def test_environments_that_people_made_do_not_end(reviewing: World) -> None:
    create_environment(project=reviewing.project, new=NewEnvironment(name="review/mine"))
    reviewing.register(sha="a", environment="review/mine")

    assert review("review/mine").ends_at is None
    with after(days=400):
        assert delete_ended_environments() == 0


# --- After the promotion path -----------------------------------------------------------------------


def test_it_is_never_behind(reviewing: World) -> None:
    for environment in ("staging", "production", "review/1", "review/2"):
        reviewing.register(sha="a", environment=environment)
    reviewing.register(sha="b", environment="staging")
    create_environment(project=reviewing.project, new=NewEnvironment(name="Last"))
    reviewing.register(sha="a", environment="last")

    assert list(statuses(reviewing).items()) == [
        *(("staging", (0, False)), ("production", (1, False)), ("last", (0, False))),
        *(("review-1", (0, False)), ("review-2", (0, False))),
    ]
