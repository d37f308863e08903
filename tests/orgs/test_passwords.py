"""Passwords: changed, forgotten, and never told to strangers."""

import re

from django.core import mail
from django.test import Client
from pytest_django import Settings

from orgs.models import User
from tests.factories import signed_in
from tests.orgs.signing_in import EMAIL, LOGIN, PASSWORD, is_signed_in, sign_in


def test_a_forgotten_password_is_chosen_anew_by_mail(ada: User, settings: Settings) -> None:
    settings.SITE_URL = "https://gumshoe.example.com"
    elsewhere = signed_in(ada)

    response = Client().post("/accounts/password/reset/", {"email": EMAIL}, follow=True)
    assert "Check your mail" in response.content.decode()
    (message,) = mail.outbox
    assert message.subject == "Choose a new password"
    match = re.search(r"https://gumshoe\.example\.com(/accounts/password/reset/key/\S+)", str(message.body))
    assert match, message.body
    client = Client()
    page = client.get(match[1], follow=True)
    form = page.redirect_chain[-1][0]
    assert client.post(form, {"password1": "short", "password2": "short"}).status_code == 200
    new = "another long sentence"
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302
    assert is_signed_in(client) is False
    assert "no longer works" in Client().get(match[1], follow=True).content.decode()
    sign_in(client, new)
    assert is_signed_in(client)
    assert elsewhere.get("/", follow=True).redirect_chain[-1][0].startswith(LOGIN)


def test_an_unknown_address_gets_no_mail_and_the_page_does_not_tell(ada: User) -> None:
    pages = [
        Client().post("/accounts/password/reset/", {"email": email}, follow=True).content
        for email in (EMAIL, "nobody@example.com")
    ]

    assert pages[0] == pages[1]
    assert [message.to for message in mail.outbox] == [[EMAIL]]


def test_a_mail_server_that_is_away_does_not_tell_who_has_an_account(ada: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    for email in (EMAIL, "nobody@example.com"):
        assert Client().post("/accounts/password/reset/", {"email": email}).status_code == 302


def test_a_password_is_changed_and_a_mail_says_so(ada: User) -> None:
    client = Client()
    sign_in(client)
    new = "another long sentence"

    wrong = client.post("/accounts/password/change/", {"oldpassword": "x", "password1": new, "password2": new})
    assert wrong.context["form"].errors
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert mail.outbox[0].subject == "Your password was changed"
    assert is_signed_in(client)
    assert sign_in(Client(), PASSWORD).status_code == 200
    assert sign_in(Client(), new).status_code == 302


def test_too_many_mails_for_a_new_password_are_refused(ada: User) -> None:
    statuses = [
        Client().post("/accounts/password/reset/", {"email": f"x{number}@example.com"}).status_code
        for number in range(21)
    ]

    assert statuses[:20] == [302] * 20
    assert statuses[20] == 429
