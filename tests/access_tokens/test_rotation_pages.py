"""Rotating an access token from its page, which shows the new secret once."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.access_tokens.token_pages import PAGE, html, pages_of, rotate, secrets_in
from tests.conftest import World
from tests.imports.histories import START
from tokens import secrets
from tokens.models import AccessToken, RetiredSecret


def test_rotating_shows_the_new_secret_once(ci: World, page: Client) -> None:
    answer = rotate(page, ci.token)

    (secret,) = secrets_in(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "works for another 24 hours" in html(answer)
    assert ci.register(sha="a", secret=secret).status_code == 200
    assert ci.register(sha="b").status_code == 200
    for path in pages_of(ci.token):
        assert not {secret, ci.secret} & secrets_in(page.get(path))


def test_a_reload_does_not_rotate_again(ci: World, page: Client) -> None:
    (secret,) = secrets_in(rotate(page, ci.token, grace="0"))

    again = page.post(f"{PAGE}/{ci.token.pk}/rotate", {"grace": "0", "hint": ci.token.hint}, follow=True)

    assert "A secret is shown only once" in html(again)
    assert not secrets_in(again)
    assert ci.register(sha="a", secret=secret).status_code == 200
    assert RetiredSecret.objects.count() == 1


@pytest.mark.parametrize(("grace", "hours"), [("0", 0), ("1", 1), ("24", 24), ("168", 168)])
def test_the_grace_is_as_chosen(ci: World, page: Client, grace: str, hours: int) -> None:
    rotate(page, ci.token, grace)

    retired = RetiredSecret.objects.get()
    assert abs(retired.works_until - retired.retired_at - timedelta(hours=hours)) < timedelta(seconds=5)
    assert ci.register(sha="a").status_code == (200 if hours else 401)


@pytest.mark.parametrize("grace", ["", "2", "-1", "x", "\x00"], ids=ascii)
def test_no_other_grace_is_taken(ci: World, page: Client, grace: str) -> None:
    assert not secrets_in(rotate(page, ci.token, grace))
    assert not RetiredSecret.objects.exists()


def test_an_expired_token_is_not_rotated(ci: World, page: Client) -> None:
    AccessToken.objects.filter(pk=ci.token.pk).update(expires_at=START)

    assert "is expired" in html(rotate(page, ci.token))
    assert f"{ci.token.pk}/rotate" not in html(page.get(f"{PAGE}/{ci.token.pk}"))


def test_the_use_of_the_old_secret_is_shown(ci: World, page: Client) -> None:
    rotate(page, ci.token)
    assert "old secret not used since" in html(page.get(PAGE))

    ci.register(sha="a", headers={"User-Agent": "old-runner/3"})

    assert "old secret used just now" in html(page.get(PAGE))
    text = html(page.get(f"{PAGE}/{ci.token.pk}"))
    assert "old-runner/3" in text
    assert secrets.hint(ci.secret) in text
