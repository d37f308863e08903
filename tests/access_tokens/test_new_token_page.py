"""Creating an access token from its page, which shows the secret once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from time_machine import travel

from orgs.models import AuditEvent, User
from orgs.text import digest
from tests.access_tokens.token_pages import FORM, NEW, PAGE, html, pages_of, secrets_in
from tests.conftest import World
from tests.factories import signed_in
from tests.imports.histories import START
from tokens.models import AccessToken
from tokens.services import revoke_token


def test_the_secret_is_shown_once_with_a_ready_call(ci: World, page: Client, admin: User) -> None:
    answer = page.post(NEW, FORM)

    (secret,) = secrets_in(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert f"GUMSHOE_TOKEN={secret}" in html(answer)
    assert ci.path in html(answer)
    assert ci.register(sha="a", secret=secret).status_code == 200
    token = AccessToken.objects.get(name="deployer")
    assert (token.digest, token.created_by, token.expires_at) == (digest(secret), admin, None)
    for path in pages_of(token):
        assert secret not in html(page.get(path))
    assert secret not in str(dict(page.session))
    assert secret not in str(list(AuditEvent.objects.values()))
    assert secret not in str(answer.cookies)


def test_a_reload_creates_no_second_token_and_shows_no_secret(ci: World, page: Client) -> None:
    (secret,) = secrets_in(page.post(NEW, FORM))

    again = page.post(NEW, FORM, follow=True)

    token = AccessToken.objects.get(name="deployer")
    assert again.redirect_chain == [(f"{PAGE}/{token.pk}", 302)]
    assert "A secret is shown only once" in html(again)
    assert not secrets_in(again)
    assert token.digest == digest(secret)


def test_a_form_without_its_nonce_is_no_reload(ci: World, page: Client) -> None:
    assert secrets_in(page.post(NEW, {**FORM, "nonce": ""}))
    assert secrets_in(page.post(NEW, {**FORM, "nonce": "", "name": "another"}))


def test_each_new_form_has_a_nonce_of_its_own(ci: World, page: Client) -> None:
    nonces = {page.get(NEW).context["form"]["nonce"].value() for _ in range(3)}

    assert len(nonces) == 3


def test_limits_are_stored(ci: World, page: Client) -> None:
    staging = ci.project.environments.get(slug="staging")
    limits = {
        "limit_deployments": "some",
        "deployments": [ci.deployment.pk],
        "limit_environments": "some",
        "environments": [staging.pk],
    }
    answer = page.post(NEW, FORM | limits)

    (secret,) = secrets_in(answer)
    assert ci.register(sha="a", secret=secret, environment="staging").status_code == 200
    assert ci.register(sha="b", secret=secret, environment="production").status_code == 403
    event = AuditEvent.objects.filter(action="token.limited").get()
    assert event.changes == {"deployments": [None, "storefront"]}


def test_what_was_chosen_counts_only_where_the_limit_is_on(ci: World, page: Client) -> None:
    page.post(NEW, FORM | {"deployments": [ci.deployment.pk]})

    assert not AccessToken.objects.get(name="deployer").limited_to_deployments


def test_a_reading_token_gets_a_call_that_reads(ci: World, page: Client) -> None:
    text = html(page.post(NEW, FORM | {"scopes": ["READ"]}))

    assert "/api/1/organizations/acme/live" in text
    assert "register_deploy" not in text


@pytest.mark.parametrize(
    ("expiry", "expires_at"),
    [
        ({"expiry": "30"}, START + timedelta(days=30)),
        ({"expiry": "90"}, START + timedelta(days=90)),
        ({"expiry": "365"}, START + timedelta(days=365)),
        ({"expiry": "never"}, None),
        # START is 12:00 in UTC, 14:00 in Berlin, where the last day ends at 22:00 UTC.
        ({"expiry": "date", "expires_on": "2024-05-01"}, START + timedelta(hours=10)),
    ],
    ids=str,
)
def test_expiry(ci: World, admin: User, expiry: dict[str, str], expires_at: Any) -> None:
    ci.organization.time_zone = "Europe/Berlin"
    ci.organization.save()
    with travel(START, tick=False):
        assert secrets_in(signed_in(admin).post(NEW, FORM | expiry))

    assert AccessToken.objects.get(name="deployer").expires_at == expires_at


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed"),
        ({"name": "\ud800"}, ""),
        ({"name": "ci"}, "There is another access token of this name"),
        ({"scopes": []}, "Choose at least one permission"),
        ({"scopes": ["ROOT"]}, "Select a valid choice"),
        ({"limit_deployments": "some"}, "Choose at least one, or choose all deployments"),
        ({"limit_environments": "some"}, "Choose at least one, or choose all environments"),
        ({"limit_deployments": "some", "deployments": ["0", "x"]}, "Select a valid choice"),
        ({"expiry": "date"}, "Write the last day"),
        ({"expiry": "date", "expires_on": "2020-01-01"}, "That day is in the past"),
        ({"expiry": "date", "expires_on": "9999-12-31"}, "Ensure this value is less than"),
        ({"expiry": "keep"}, "Select a valid choice"),
        ({"expiry": ""}, "This field is required"),
    ],
    ids=ascii,
)
def test_mistakes_are_told_and_create_nothing(ci: World, page: Client, fields: dict[str, Any], words: str) -> None:
    if fields.get("name") == "\ud800":
        answer = page.post(NEW, b"name=%ED%A0%80&scopes=READ", content_type="application/x-www-form-urlencoded")
    else:
        answer = page.post(NEW, FORM | fields)

    assert words in html(answer)
    assert not secrets_in(answer)
    assert AccessToken.objects.get() == ci.token


def test_a_deployment_of_another_organization_cannot_be_chosen(ci: World, other: World, page: Client) -> None:
    answer = page.post(NEW, FORM | {"limit_deployments": "some", "deployments": [other.deployment.pk]})

    assert "Select a valid choice" in html(answer)


def test_the_name_of_a_revoked_token_is_free(ci: World, page: Client) -> None:
    revoke_token(token=ci.token)

    assert secrets_in(page.post(NEW, FORM | {"name": "ci"}))


def test_a_deployment_asks_for_a_token_of_its_own(ci: World, page: Client) -> None:
    form = page.get(f"{NEW}?deployment=storefront").context["form"]

    assert form["name"].value() == "CI of Storefront"
    assert form["deployments"].value() == [str(ci.deployment.pk)]
    assert page.get(f"{NEW}?deployment=%00").context["form"]["limit_deployments"].value() == "all"
