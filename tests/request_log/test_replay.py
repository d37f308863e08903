"""A logged call that a member sends again, after what it was rejected for has been put right."""

from typing import Any

import pytest
from django.test import Client

from deployments.models import Call, Deploy
from deployments.models.call import MAX_BODY_BYTES_KEPT, Outcome
from orgs.models import User
from orgs.services import NewEnvironment, create_environment
from tests.conftest import World
from tests.factories import make_token, signed_in
from tests.registration.requests import log, url


@pytest.mark.parametrize(
    "change",
    [{"body": ""}, {"body_bytes": MAX_BODY_BYTES_KEPT + 1}, {"kind": ""}, {"kind": "import-deploys"}],
    ids=["left out", "cut", "of an older version", "a file"],
)
def test_what_was_not_kept_whole_is_not_replayed(ci: World, developer: User, change: dict[str, Any]) -> None:
    ci.register(path=f"{ci.path}?sha=abc", environment="qa")
    (call,) = log()
    Call.objects.update(**change)

    again = signed_in(developer).post(url("replay-request", call_id=call.pk), follow=True)

    assert "The call was not kept whole: let your CI send it again." in again.content.decode()
    assert Deploy.objects.count() == 0


def test_a_rejected_call_is_replayed_once_it_is_put_right(ci: World, developer: User) -> None:
    ci.register(sha="abc", environment="qa", email="dev@example.com")
    (call,) = log()
    client = signed_in(developer)

    again = client.post(url("replay-request", call_id=call.pk), follow=True)
    assert "No environment &#x27;qa&#x27; in project shop" in again.content.decode()
    assert Deploy.objects.count() == 0

    create_environment(project=ci.project, new=NewEnvironment(name="QA"))
    client.post(url("replay-request", call_id=call.pk))

    deploy = Deploy.objects.get()
    assert (deploy.sha, deploy.environment.slug, deploy.deployed_at) == ("abc", "qa", call.created_at)
    assert [line.outcome for line in log()] == [Outcome.REJECTED, Outcome.REJECTED, Outcome.ACCEPTED]


def test_what_a_call_may_have_its_replay_may_have(ci: World, developer: User) -> None:
    how: dict[str, Any] = {"content_type": "application/json", "headers": {"Authorization": f"Bearer {ci.secret}"}}
    body = r'{"sha": "abc", "environment": "%s", "links": {"build \ud83d": "https://ci.test/1"}}'
    live = Client().post(ci.path, body % "production", **how)
    Client().post(ci.path, body % "qa", **how)
    create_environment(project=ci.project, new=NewEnvironment(name="QA"))

    signed_in(developer).post(url("replay-request", call_id=log()[-1].pk))

    assert [line.outcome for line in log()] == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]
    assert log()[-1].dropped == live.headers["X-Dropped"]
    assert Deploy.objects.filter(environment__slug="qa").count() == 1


def test_replaying_twice_stores_one_deploy(ci: World, developer: User) -> None:
    ci.register(sha="abc", secret=make_token(ci.organization, name="reader")[1][:-1])
    ci.register(sha="abc", date="no date")
    call = log()[-1]
    Call.objects.filter(pk=call.pk).update(body='{"sha": "abc"}')
    client = signed_in(developer)

    client.post(url("replay-request", call_id=call.pk))
    client.post(url("replay-request", call_id=call.pk))

    assert Deploy.objects.count() == 1


def test_observers_do_not_replay(ci: World, observer: User, developer: User) -> None:
    ci.register(sha="abc", environment="qa")
    (call,) = log()

    assert signed_in(observer).post(url("replay-request", call_id=call.pk)).status_code == 403
    assert signed_in(developer).get(url("replay-request", call_id=call.pk)).status_code == 405


@pytest.mark.parametrize(
    ("sha", "query"), [("gum_components-1.2", ""), ("a1", "&links=build=https://ci.example.com/?token=public")]
)
def test_what_was_blotted_out_is_not_replayed_as_if_it_had_been_sent(
    ci: World, developer: User, sha: str, query: str
) -> None:
    ci.client.post(f"{ci.path}?api_key={ci.secret}&sha={sha}&environment=qa{query}")
    create_environment(project=ci.project, new=NewEnvironment(name="QA"))

    page = signed_in(developer).post(url("replay-request", call_id=log()[0].pk), follow=True).content.decode()

    assert "Credentials are masked" in page
    assert not Deploy.objects.exists()


def test_a_call_whose_path_is_not_whole_is_not_replayed(ci: World, developer: User) -> None:
    ci.client.post(f"{ci.path}?api_key={ci.secret}&environment=qa&x={'x' * 400}&sha={'a' * 40}")
    create_environment(project=ci.project, new=NewEnvironment(name="QA"))

    signed_in(developer).post(url("replay-request", call_id=log()[0].pk))

    assert not log()[0].can_be_replayed
    assert not Deploy.objects.exists()
