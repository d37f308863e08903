"""The pages of access tokens as tests ask for them."""

import re
from typing import Any

from django.test import Client

from tokens.models import AccessToken

PAGE = "/acme/tokens"
NEW = f"{PAGE}/new"
SECRET = re.compile(r"gum_[0-9A-Za-z]{38}")
FORM = {
    "name": "deployer",
    "scopes": ["REGISTER_DEPLOY"],
    "limit_deployments": "all",
    "limit_environments": "all",
    "expiry": "never",
    "nonce": "one",
}


def html(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def secrets_in(response: Any) -> set[str]:
    return set(SECRET.findall(html(response)))


def pages_of(token: AccessToken) -> list[str]:
    return [PAGE, NEW, *(f"{PAGE}/{token.pk}{end}" for end in ("", "/rename", "/revoke", "/rotate"))]


def rotate(page: Client, token: AccessToken, grace: str = "24", hint: str = "") -> Any:
    return page.post(f"{PAGE}/{token.pk}/rotate", {"grace": grace, "hint": hint or token.hint})
