"""Ada, who signs in by password."""

import re
import time
from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client

LOGIN = "/accounts/login/"
EMAIL = "ada@example.com"
PASSWORD = "a long unusual sentence"


def sign_in(client: Client, password: str = PASSWORD, email: str = EMAIL, **fields: str) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, **fields})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def totp_code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // app_settings.TOTP_PERIOD)))


def confirm(client: Client) -> None:
    """That it is still oneself, which whatever touches the second factor asks for."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def confirm_by_code(client: Client, email: str = EMAIL) -> None:
    """The same for somebody without a password."""
    assert client.post("/accounts/reauthenticate/code/", {"recipient": email}).status_code == 302
    code = re.search(r"^[A-Z0-9]+-[A-Z0-9]+$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code, mail.outbox[-1].body
    assert client.post("/accounts/reauthenticate/code/confirm/", {"code": code[0]}).status_code == 302


def switch_on_totp(client: Client) -> str:
    confirm(client)
    html = client.get("/accounts/2fa/totp/activate/").content.decode()
    match = re.search(r'id="totp-secret">([A-Z2-7]+)<', html)
    assert match, html
    assert client.post("/accounts/2fa/totp/activate/", {"code": totp_code(match[1])}).status_code == 302
    return match[1]
