"""A new secret for a token, and how long the old one works."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from deployments.models import Call, Deploy
from deployments.request_log.writer import DailyBudget, request_log
from deployments.tasks import delete_ended_secrets
from orgs.models import AuditEvent
from orgs.text import digest
from tests.conftest import World
from tests.factories import make_token
from tests.imports.histories import START
from tokens import secrets
from tokens.models import AccessToken, RetiredSecret
from tokens.services import ENDED_SECRETS_ARE_KEPT, revoke_token, rotate_token
from tokens.statements import find_token
from tokens.states import states

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def rotate(world: World, grace: timedelta = HOUR) -> str:
    """At START; gives the new secret."""
    with travel(START, tick=False):
        return rotate_token(token=AccessToken.objects.get(pk=world.token.pk), grace=grace)


def status(world: World, secret: str, after: timedelta) -> int:
    with travel(START + after, tick=False):
        return int(world.register(sha=f"{after.total_seconds()}{secret[-4:]}", secret=secret).status_code)


def newest_call() -> Call:
    request_log.flush()
    return Call.objects.latest("pk")


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    request_log.waiting.clear()
    request_log.budget = DailyBudget()


def test_the_new_secret_works_at_once_and_the_old_one_for_the_grace_time(ci: World) -> None:
    new = rotate(ci)

    assert new != ci.secret
    assert status(ci, new, timedelta()) == status(ci, ci.secret, timedelta()) == 200
    assert status(ci, ci.secret, HOUR - timedelta(seconds=1)) == 200
    assert status(ci, ci.secret, HOUR) == 401
    assert status(ci, new, HOUR) == 200
    assert set(Deploy.objects.values_list("token", flat=True)) == {ci.token.pk}


def test_without_grace_the_old_secret_is_refused_at_once(ci: World) -> None:
    new = rotate(ci, timedelta())

    assert status(ci, ci.secret, timedelta()) == 401
    assert status(ci, new, timedelta()) == 200


def test_the_request_log_says_that_the_old_secret_was_sent(ci: World) -> None:
    rotate(ci)

    assert status(ci, ci.secret, 2 * HOUR) == 401

    call = newest_call()
    assert "got a new secret on 2024-05-01" in call.explanation
    assert "stopped working on 2024-05-01 at 13:00 UTC" in call.explanation


def test_a_secret_from_before_works_no_longer_than_the_one_after_it(ci: World) -> None:
    with travel(START - HOUR, tick=False):
        second = rotate_token(token=ci.token, grace=timedelta(days=7))
    rotate(ci)

    assert status(ci, ci.secret, HOUR - MINUTE) == status(ci, second, HOUR - MINUTE) == 200
    assert status(ci, ci.secret, HOUR) == status(ci, second, HOUR) == 401


def test_a_secret_from_before_is_not_given_more_time(ci: World) -> None:
    with travel(START - 2 * HOUR, tick=False):
        rotate_token(token=ci.token, grace=HOUR)
    rotate(ci, timedelta(days=7))

    assert status(ci, ci.secret, timedelta()) == 401


def test_the_use_of_each_secret_is_noted_for_itself_at_most_once_a_minute(ci: World) -> None:
    new = rotate(ci)
    ci.client.defaults |= {"REMOTE_ADDR": "192.0.2.1", "HTTP_USER_AGENT": "curl/8"}

    status(ci, ci.secret, MINUTE)
    status(ci, ci.secret, 1.5 * MINUTE)

    retired = RetiredSecret.objects.get()
    assert (retired.last_used_at, retired.last_used_address, retired.last_used_agent) == (
        START + MINUTE,
        "192.0.2.1",
        "curl/8",
    )
    ci.token.refresh_from_db()
    assert ci.token.last_used_at is None
    status(ci, ci.secret, 2 * MINUTE)
    status(ci, new, 3 * MINUTE)
    assert RetiredSecret.objects.get().last_used_at == START + 2 * MINUTE
    assert AccessToken.objects.get().last_used_at == START + 3 * MINUTE


def test_a_secret_that_no_longer_works_is_not_used(ci: World) -> None:
    rotate(ci)

    status(ci, ci.secret, HOUR)

    assert RetiredSecret.objects.get().last_used_at is None


def test_the_present_secret_costs_one_query_the_old_one_two(ci: World) -> None:
    new = rotate(ci)

    for secret, count in ((new, 1), (ci.secret, 2), ("gum_none", 2)):
        with CaptureQueriesContext(connection) as queries:
            find_token(digest(secret))
        assert len(queries) == count, secret


def test_revoking_ends_the_old_secret_too(ci: World) -> None:
    new = rotate(ci)
    with travel(START + MINUTE, tick=False):
        revoke_token(token=ci.token)

    assert status(ci, ci.secret, 2 * MINUTE) == status(ci, new, 2 * MINUTE) == 401
    assert RetiredSecret.objects.get().works_until == START + MINUTE
    assert "was revoked" in newest_call().explanation


def test_only_an_active_token_gets_a_new_secret(ci: World) -> None:
    expired, secret = make_token(ci.organization, expires_at=START)
    revoke_token(token=ci.token)

    for token, reason in ((expired, "is expired"), (ci.token, "is revoked")):
        with pytest.raises(ValidationError, match=reason):
            rotate_token(token=token, grace=HOUR)
    expired.refresh_from_db()
    assert expired.digest == digest(secret)
    assert not RetiredSecret.objects.exists()


def test_of_two_who_rotate_at_once_the_second_is_told(ci: World) -> None:
    """Otherwise the secret that the first one has just stored would be the old one already."""
    seen_by_both = AccessToken.objects.get(pk=ci.token.pk)
    new = rotate(ci)

    with pytest.raises(ValidationError, match="has been rotated meanwhile"):
        rotate_token(token=seen_by_both, grace=timedelta())
    assert status(ci, new, timedelta()) == 200


def test_the_audit_log_says_what_happened_and_no_secret(ci: World) -> None:
    new = rotate(ci)

    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.subject_label) == ("token.rotated", "ci")
    assert event.changes == {
        "secret": [secrets.hint(ci.secret), secrets.hint(new)],
        "old_secret_works_until": (START + HOUR).isoformat(),
    }


def test_ended_secrets_are_deleted_when_the_request_log_has_no_more_use_for_them(ci: World) -> None:
    rotate(ci)

    with travel(START + HOUR + ENDED_SECRETS_ARE_KEPT - MINUTE, tick=False):
        assert delete_ended_secrets() == 0
    with travel(START + HOUR + ENDED_SECRETS_ARE_KEPT, tick=False):
        assert delete_ended_secrets() == 1
    assert not RetiredSecret.objects.exists()


def words(token: AccessToken, after: timedelta) -> list[str]:
    token.refresh_from_db()
    found = states(token, START + after, retired=token.retired_secrets.all())
    return [state.words.replace("\xa0", " ") for state in found]


def test_the_state_in_words(ci: World) -> None:
    with travel(START, tick=False):
        token, secret = make_token(ci.organization, name="words", expires_at=START + timedelta(days=200))
    assert words(token, MINUTE) == ["active"]
    with travel(START, tick=False):
        rotate_token(token=token, grace=timedelta(days=7))
    assert words(token, MINUTE) == ["rotating – old secret not used since"]
    assert status(ci, secret, MINUTE) == 200
    assert words(token, MINUTE) == ["rotating – old secret used just now"]
    assert words(token, 13 * MINUTE) == ["rotating – old secret used 12 minutes ago"]
    assert words(token, timedelta(days=8)) == ["active"]
    assert words(token, timedelta(days=100)) == ["unused for 100 days"]
    assert words(token, timedelta(days=194)) == ["expires in 6 days", "unused for 194 days"]
    assert words(token, timedelta(days=200)) == ["expired"]
    revoke_token(token=token)
    assert words(token, MINUTE) == ["revoked"]
