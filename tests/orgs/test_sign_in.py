"""Signing in: passwords, second factors, the limits on failures, and what is closed."""

import re
from base64 import b64decode
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from django.utils.html import escape

from deployments.tasks import delete_ended_sessions
from orgs.models import SignInFact, User
from tests.conftest import World
from tests.factories import signed_in
from tests.orgs.signing_in import EMAIL, LOGIN, PASSWORD, confirm, is_signed_in, sign_in, switch_on_totp, totp_code


def test_address_in_any_case_and_password_let_in(ada: User) -> None:
    client = Client()

    assert sign_in(client, email="ADA@Example.com", next="/acme")["Location"] == "/acme"
    assert is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_are_told_alike(ada: User) -> None:
    answers = [
        re.findall(r'<ul class="errorlist nonfield".*?</ul>', sign_in(Client(), *credentials).content.decode())
        for credentials in (("wrong", EMAIL), (PASSWORD, "nobody@example.com"))
    ]

    assert answers[0] == answers[1]
    assert len(answers[0]) == 1


def test_nobody_is_sent_elsewhere_after_signing_in(ada: User) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example/", "http://testserver/acme", "https://testserver/acme"):
        assert sign_in(Client(), next=elsewhere)["Location"] == "/", elsewhere


def test_the_page_leads_to_a_new_password_but_not_to_signing_up(ada: User) -> None:
    html = Client().get(LOGIN).content.decode()

    assert "/accounts/password/reset/" in html
    assert "/accounts/signup/" not in html
    assert "Continue with" not in html


def test_without_any_user_the_page_says_what_to_do(db: None) -> None:
    html = Client().get(LOGIN).content.decode()

    assert "manage.py createsuperuser" in html
    assert 'name="password"' not in html


def test_signing_up_is_closed(ada: User) -> None:
    for response in (
        Client().get("/accounts/signup/"),
        Client().post("/accounts/signup/", {"email": "x@example.com", "password1": PASSWORD}),
    ):
        assert "By invitation only" in response.content.decode()
    assert User.objects.count() == 1


def test_only_the_pages_that_have_a_use_can_be_reached(ada: User) -> None:
    client = signed_in(ada)

    for path in ("email/", "confirm-email/", "login/code/confirm/", "3rdparty/", "3rdparty/signup/", "2fa/webauthn/"):
        assert client.get(f"/accounts/{path}", follow=True).status_code == 404


def test_every_page_about_signing_in_is_in_our_frame(ada: User) -> None:
    client = Client()
    sign_in(client)
    assert "Is it still you?" in client.get("/accounts/2fa/totp/activate/", follow=True).content.decode()
    confirm(client)
    for path in (
        "logout/",
        "password/change/",
        "2fa/",
        "2fa/totp/activate/",
        "inactive/",
        "3rdparty/login/cancelled/",
        "3rdparty/login/error/",
    ):
        html = client.get(f"/accounts/{path}").content.decode()
        assert 'class="entrance"' in html, path
        assert "<h1>" in html, path


def test_signing_out_takes_a_post(ada: User) -> None:
    client = Client()
    sign_in(client)

    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert is_signed_in(client)
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert not is_signed_in(client)


def test_forms_need_the_token_against_forgery(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)

    assert sign_in(client).status_code == 403
    client.force_login(ada)
    for path in ("/accounts/logout/", "/acme/settings", "/acme/members/invite", "/organizations/new"):
        assert client.post(path).status_code == 403
    assert is_signed_in(client)


def test_sessions_are_kept_from_scripts_and_other_sites(ada: User) -> None:
    client = Client()
    sign_in(client)

    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_somebody_who_is_switched_off_does_not_get_in(ada: User) -> None:
    User.objects.update(is_active=False)
    client = Client()
    sign_in(client)

    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_the_second_factor_is_asked_for_and_recovery_codes_work_once(ada: User) -> None:
    client = Client()
    sign_in(client)
    secret = switch_on_totp(client)
    assert "Two-factor sign-in is on" in mail.outbox[0].subject
    codes = re.findall(r"\b\d{8}\b", client.get("/accounts/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10

    second = Client()
    assert sign_in(second, next="/acme")["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_signed_in(second)
    assert "Incorrect code" in second.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    cache.clear()  # a code counts once in its half minute, and this one was used to switch it on
    assert second.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})["Location"] == "/acme"
    assert is_signed_in(second)

    for expected in (True, False):
        third = Client()
        sign_in(third)
        third.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_signed_in(third) is expected


def test_the_second_factor_is_switched_off_by_a_post(ada: User) -> None:
    client = Client()
    sign_in(client)
    switch_on_totp(client)

    assert "Switch off" in client.get("/accounts/2fa/totp/deactivate/").content.decode()
    assert Authenticator.objects.filter(type="totp").exists()
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()
    assert "Off" in client.get("/accounts/2fa/").content.decode()


def test_the_second_factor_is_shown_as_a_code_to_scan(ada: User) -> None:
    client = Client()
    sign_in(client)
    confirm(client)

    html = client.get("/accounts/2fa/totp/activate/").content.decode()

    match = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert match
    assert b"<svg" in b64decode(match[1])


def test_failures_are_limited_by_address_of_the_account(ada: User) -> None:
    for _ in range(5):
        sign_in(Client(), "wrong")

    client = Client()
    assert "Too many failed" in sign_in(client).content.decode()
    assert not is_signed_in(client)
    assert "Too many failed" not in sign_in(Client(), "wrong", "nobody@example.com").content.decode()


def test_failures_are_limited_by_address_of_the_caller(ada: User) -> None:
    for number in range(10):
        sign_in(Client(), "wrong", f"nobody{number}@example.com")

    client = Client()
    sign_in(client)
    assert not is_signed_in(client)
    client = Client(REMOTE_ADDR="192.0.2.1")
    sign_in(client)
    assert is_signed_in(client)


def test_failures_and_used_codes_are_kept_where_all_processes_see_them(ada: User) -> None:
    client = Client()
    sign_in(client)
    secret = switch_on_totp(client)
    for is_first in (True, False):
        another = Client()
        sign_in(another)
        another.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})
        assert is_signed_in(another) is is_first
    for _ in range(5):
        sign_in(Client(), "wrong")
    # More than a cache in memory would hold.
    for number in range(400):
        cache.set(f"another-{number}", 1)

    keys = " ".join(SignInFact.objects.values_list("cache_key", flat=True))

    assert "totp.used" in keys
    assert "login_failed" in keys
    assert "Too many failed" in sign_in(Client()).content.decode()


def test_the_admin_has_no_sign_in_of_its_own(ada: User) -> None:
    assert Client().get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert Client().get("/admin/login/?next=/admin/orgs/")["Location"] == f"{LOGIN}?next=%2Fadmin%2Forgs%2F"
    User.objects.update(is_staff=True, is_superuser=True)
    client = Client()
    client.post("/admin/login/", {"username": EMAIL, "password": PASSWORD})
    assert not is_signed_in(client)


def test_staff_get_into_the_admin_and_others_are_told_no(ada: User) -> None:
    client = Client()
    sign_in(client)

    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert "Only staff may use" in response.content.decode()
    User.objects.update(is_staff=True)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/login/")["Location"] == "/admin/"


def test_the_switch_of_organizations_has_only_ones_own(ci: World, other: World, admin: User) -> None:
    other.organization.memberships.create(user=admin, role="observer")
    organization = other.organization
    client = signed_in(admin)

    html = client.get("/acme/members").content.decode()
    assert 'href="/globex"' in html
    assert escape(organization.name) in html
    client.get("/globex")
    assert client.get("/")["Location"] == "/globex"
    other.organization.memberships.filter(user=admin).delete()
    assert client.get("/")["Location"] == "/acme"
    assert 'href="/globex"' not in client.get("/acme/members").content.decode()


def test_no_address_of_allauth_has_a_page_that_nobody_looked_at() -> None:
    """A new release of allauth adds pages only when they are added to orgs/sign_in/urls.py."""
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}

    closed = ("account_email", "account_confirm_email", "account_confirm_login", "socialaccount_connect")
    assert not {name for name in names if name.startswith(closed)}


@pytest.mark.parametrize("page", ["totp/activate/", "recovery-codes/", "recovery-codes/download/", ""])
def test_no_browser_keeps_the_secrets_of_a_second_factor(ada: User, page: str) -> None:
    client = Client()
    sign_in(client)
    if page == "totp/activate/":
        confirm(client)
    else:
        switch_on_totp(client)

    response = client.get(f"/accounts/2fa/{page}")

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_sessions_that_have_ended_are_deleted(ada: User) -> None:
    sign_in(client := Client())
    sign_in(Client(), "wrong")
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - timedelta(seconds=1))
    SignInFact.objects.update(expires=timezone.now() - timedelta(seconds=1))

    assert delete_ended_sessions() == 1

    assert [session.session_key for session in Session.objects.all()] == [client.session.session_key]
    assert not SignInFact.objects.exists()
