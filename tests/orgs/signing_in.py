"""Ada, who signs in by password."""

from typing import Any

from django.test import Client

LOGIN = "/accounts/login/"
EMAIL = "ada@example.com"
PASSWORD = "a long unusual sentence"


def sign_in(client: Client, password: str = PASSWORD, email: str = EMAIL, **fields: str) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, **fields})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session
