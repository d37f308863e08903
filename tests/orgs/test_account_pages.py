"""Every page about signing in, opened and posted to by everybody: it is in our frame, or leads to one that is."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client

from tests.browser.visitors import (
    Visitor,
    by_password,
    make_user,
    nobody,
    somebody_who_owes_a_code,
    somebody_with_a_second_factor,
    somebody_without_anything,
)
from tests.browser.walking import address, routes
from tests.orgs.signing_in import confirm

ACCOUNT_PAGES = sorted(name for name, route in routes().items() if route.startswith("accounts/"))
PARAMETERS = {"uidb36": "1", "key": "set-password", "provider_id": "sso"}


def somebody_with_a_password() -> Visitor:
    return Visitor(by_password(make_user("noether")))


def somebody_who_has_confirmed() -> Visitor:
    client = by_password(make_user("turing"))
    confirm(client)
    return Visitor(client)


VISITORS = (
    nobody,
    somebody_with_a_password,
    somebody_who_has_confirmed,
    somebody_with_a_second_factor,
    somebody_who_owes_a_code,
    somebody_without_anything,
)


@contextmanager
def taken_back(client: Client) -> Iterator[None]:
    """What is posted changes nothing for the next page."""
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies = cookies


def follow(client: Client, response: Any) -> Any:
    for _ in range(5):
        if "Location" not in response.headers:
            return response
        where = urlsplit(response["Location"])
        response = client.get(f"{where.path}?{where.query}")
    raise AssertionError(f"It leads from page to page, at last to {where.geturl()}.")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("make_visitor", VISITORS)
def test_every_page_about_signing_in_is_ours(make_visitor: Callable[[], Visitor], method: str) -> None:
    visitor = make_visitor()

    for name in ACCOUNT_PAGES:
        path = address(name, PARAMETERS | visitor.parameters)
        assert path
        with taken_back(visitor.client):
            response = follow(visitor.client, getattr(visitor.client, method)(path))
            if response.status_code == 405:
                continue
            assert response.status_code in (200, 401, 403, 404), name
            is_file = "attachment" in response.get("Content-Disposition", "")
            assert is_file or 'class="entrance"' in response.content.decode(), name
