"""Single sign-on through a real issuer on this machine."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import jwt
import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import Settings

from orgs.invitations import invite
from orgs.models import AuditEvent, Membership, User
from orgs.roles import Role
from orgs.services import create_user
from tests.conftest import World
from tests.factories import make_member, signed_in
from tests.orgs.signing_in import EMAIL, PASSWORD, confirm_by_code, is_signed_in

LOGIN = "/accounts/oidc/sso/login/"


@dataclass
class Issuer:
    """An OpenID provider that says of everybody what ``claims`` says."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, path: str, body: str) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/token":
            self.asked.append(parse_qs(body))
            now = 4_000_000_000
            token = {"iss": self.url, "aud": "gumshoe", "sub": self.claims["sub"], "exp": now, "iat": 1}
            return {
                "access_token": "access",
                "token_type": "Bearer",
                "id_token": jwt.encode(token, "k" * 32, algorithm="HS256"),
            }
        return self.claims


@pytest.fixture
def issuer(settings: Settings, db: None) -> Iterator[Issuer]:
    provider = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            answer = json.dumps(provider.answer(urlsplit(self.path).path, self.rfile.read(length).decode())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    provider.claims = {"sub": "1", "email": EMAIL, "email_verified": True, "name": "Ada Lovelace"}
    # It looks every so many seconds whether to end.
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.OIDC_ISSUER, settings.OIDC_NAME = provider.url, "Acme ID"
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": "Acme ID",
                    "client_id": "gumshoe",
                    "secret": "secret",
                    "settings": {"server_url": provider.url},
                }
            ],
        }
    }
    yield provider
    server.shutdown()
    server.server_close()


def sign_in(client: Client, following: str = "") -> Any:
    """Go to the issuer, and come back from it."""
    leaving = client.post(LOGIN + (f"?next={following}" if following else ""))
    assert leaving.status_code == 302, leaving.content.decode()
    query = parse_qs(urlsplit(leaving["Location"]).query)
    assert set(query["scope"][0].split()) == {"openid", "profile", "email"}
    assert "code_challenge" in query
    return client.get(query["redirect_uri"][0], {"code": "code", "state": query["state"][0]})


def invited(world: World, email: str = EMAIL, role: Role = Role.DEVELOPER) -> str:
    by = Membership.objects.get(user=make_member(world.organization, Role.ADMIN))
    return invite(organization=world.organization, email=email, role=role, by=by)[1]


def test_the_sign_in_page_offers_it(issuer: Issuer) -> None:
    create_user(email=EMAIL)

    html = Client().get("/accounts/login/?next=/acme").content.decode()

    assert "Continue with Acme ID" in html
    assert f'action="{LOGIN}?next=%2Facme"' in html


def test_a_user_is_found_by_the_address_that_the_issuer_verified(ci: World, issuer: Issuer) -> None:
    user = create_user(email=EMAIL, password=PASSWORD)
    client = Client()

    assert sign_in(client, "/acme")["Location"] == "/acme"

    assert client.session["_auth_user_id"] == str(user.pk)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert issuer.asked[0]["code"] == ["code"]
    assert "code_verifier" in issuer.asked[0]
    assert EmailAddress.objects.get().verified
    assert "Single sign-on is connected" in [message.subject for message in mail.outbox]


@pytest.mark.parametrize("proved", [True, False])
def test_a_password_of_an_address_that_no_mail_proved_ends(ci: World, issuer: Issuer, proved: bool) -> None:
    """Without a mail server whoever invites gets the link, and may have chosen that password."""
    user = create_user(email=EMAIL, password=PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=proved, primary=True)

    assert sign_in(Client(), "/acme")["Location"] == "/acme"

    user.refresh_from_db()
    assert user.check_password(PASSWORD) is proved


def test_the_issuer_says_who_it_is_after_the_address_changed_there(ci: World, issuer: Issuer) -> None:
    user = create_user(email=EMAIL)
    sign_in(Client())
    issuer.claims["email"] = "ada@elsewhere.example"
    client = Client()
    sign_in(client)

    assert client.session["_auth_user_id"] == str(user.pk)
    user.refresh_from_db()
    assert user.email == EMAIL


@pytest.mark.parametrize("verified", [False, "false", None, 0])
def test_an_address_that_the_issuer_did_not_verify_opens_nothing(ci: World, issuer: Issuer, verified: Any) -> None:
    create_user(email=EMAIL)
    invited(ci, "new@example.com")
    issuer.claims["email_verified"] = verified

    for number, email in enumerate((EMAIL, "new@example.com")):
        issuer.claims |= {"email": email, "sub": str(number)}
        client = Client()
        assert "By invitation only" in sign_in(client).content.decode()
        assert not is_signed_in(client)
    assert not User.objects.filter(email="new@example.com").exists()


def test_an_issuer_that_writes_true_as_text_is_understood(ci: World, issuer: Issuer) -> None:
    create_user(email=EMAIL)
    issuer.claims["email_verified"] = "true"
    client = Client()
    sign_in(client)

    assert is_signed_in(client)


def test_somebody_unknown_is_refused(ci: World, issuer: Issuer) -> None:
    client = Client()

    assert "By invitation only" in sign_in(client).content.decode()
    assert not is_signed_in(client)
    assert not User.objects.exists()


def test_somebody_invited_is_in(ci: World, issuer: Issuer) -> None:
    secret = invited(ci)
    client = Client()
    assert f"{LOGIN}?next=%2Finvitations%2F{secret}" in client.get(f"/invitations/{secret}").content.decode()

    sign_in(client)

    user = User.objects.get(email=EMAIL)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert (user.name, user.has_usable_password()) == ("Ada Lovelace", False)
    assert Membership.objects.get(user=user).role == Role.DEVELOPER
    assert client.get("/")["Location"] == "/acme"
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.actor) == ("member.added", user)
    assert client.get("/accounts/password/change/")["Location"] == "/accounts/password/set/"


def test_the_second_factor_is_asked_for_also_then(ci: World, issuer: Issuer) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(create_user(email=EMAIL), generate_totp_secret())
    client = Client()

    assert sign_in(client)["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_signed_in(client)


@pytest.mark.parametrize("path", ["2fa/totp/activate/", "password/set/"])
def test_whoever_has_no_password_proves_by_a_mailed_code_that_it_is_still_they(
    ci: World, issuer: Issuer, path: str
) -> None:
    invited(ci)
    client = Client()
    sign_in(client)

    asked = client.get(f"/accounts/{path}", follow=True)
    where = asked.redirect_chain[-1][0]
    assert where == f"/accounts/reauthenticate/code/?next={quote(f'/accounts/{path}', safe='')}"
    assert f"To <b>{EMAIL}</b>" in asked.content.decode()
    assert "Enter the code" in client.post(where, {"recipient": EMAIL}, follow=True).content.decode()
    wrong = client.post("/accounts/reauthenticate/code/confirm/", {"code": "wrong"})
    assert "Incorrect code" in wrong.content.decode()
    assert client.get(f"/accounts/{path}").status_code == 302
    confirm_by_code(client)
    assert client.get(f"/accounts/{path}").status_code == 200


def test_whoever_has_no_password_cannot_choose_who_is_mailed_a_code(ci: World, issuer: Issuer) -> None:
    invited(ci)
    client = Client()
    sign_in(client)
    mail.outbox.clear()

    html = client.post("/accounts/reauthenticate/code/", {"recipient": "somebody@example.com"}).content.decode()

    assert "not one of the available choices" in html
    assert mail.outbox == []


def test_without_a_password_an_address_or_a_factor_nothing_about_signing_in_is_changed(ada: User) -> None:
    ada.set_unusable_password()
    ada.save()
    client = signed_in(ada)

    for path in ("2fa/totp/activate/", "password/set/", "reauthenticate/", "reauthenticate/code/"):
        assert client.get(f"/accounts/{path}", follow=True).status_code == 403


def test_an_issuer_that_is_away_is_told(ci: World, issuer: Issuer, settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:1"

    assert "did not work" in Client().post(LOGIN).content.decode()


def test_a_forged_return_is_refused(ci: World, issuer: Issuer) -> None:
    create_user(email=EMAIL)
    client = Client()

    assert "did not work" in client.get(f"{LOGIN}callback/", {"code": "code", "state": "forged"}).content.decode()
    assert not is_signed_in(client)


def test_another_provider_is_not_found(ci: World, issuer: Issuer) -> None:
    assert Client().post("/accounts/oidc/other/login/").status_code == 404


def test_without_an_issuer_there_is_none(db: None) -> None:
    assert Client().post(LOGIN).status_code == 404
