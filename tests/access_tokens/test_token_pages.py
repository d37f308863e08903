"""Access tokens, run from pages: who may, the list, and what is changed."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import travel

from deployments.setup import deletion
from orgs.models import AuditEvent, User
from orgs.text import digest
from tests.access_tokens.token_pages import FORM, PAGE, html, pages_of
from tests.conftest import World
from tests.factories import make_deployment, make_token, signed_in
from tests.imports.histories import START
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import limit_token, revoke_token, rotate_token


def test_only_those_who_manage_tokens_come_in(
    ci: World, owner: User, admin: User, developer: User, observer: User, stranger: User
) -> None:
    for path in pages_of(ci.token):
        for user in (owner, admin):
            assert signed_in(user).get(path).status_code == 200, path
        for user in (developer, observer):
            answer = signed_in(user).get(path)
            assert (answer.status_code, "may not manage access tokens" in answer.content.decode()) == (403, True)
            assert signed_in(user).post(path, FORM).status_code == 403
        assert signed_in(stranger).get(path).status_code == 404
        assert signed_in(stranger).post(path, FORM).status_code == 404
        assert Client().get(path).headers["Location"] == f"/accounts/login/?next={path}"
    assert AccessToken.objects.filter(organization=ci.organization).get().state() == "active"


def test_tokens_of_another_organization_are_not_found(ci: World, other: World, page: Client) -> None:
    for path in pages_of(other.token)[2:]:
        assert page.get(path).status_code == 404
        assert page.post(path, {**FORM, "grace": "0", "hint": other.token.hint}).status_code == 404
    other.token.refresh_from_db()
    assert (other.token.state(), other.token.digest) == ("active", digest(other.secret))


def test_only_those_who_may_are_led_there(ci: World, admin: User, developer: User) -> None:
    assert f'href="{PAGE}"' in html(signed_in(admin).get("/acme"))
    assert f'href="{PAGE}"' not in html(signed_in(developer).get("/acme"))


def test_posts_need_a_csrf_token(ci: World, admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)

    for path in pages_of(ci.token)[1:]:
        assert client.post(path, FORM).status_code == 403


def test_the_list_says_what_there_is_to_say(ci: World, admin: User) -> None:
    with travel(START, tick=False):
        token, secret = make_token(
            ci.organization,
            Scope.READ,
            name="dashboard",
            created_by=admin,
            environments=[ci.project.environments.get(slug="staging")],
            expires_at=START + timedelta(days=200),
        )
        limit_token(token=token, deployments=[ci.deployment])
        ci.register(sha="a", headers={"User-Agent": "curl/8"})
    with travel(START + timedelta(days=194), tick=False):
        text = html(signed_in(admin).get(PAGE))

    assert token.hint in text
    assert secret not in text
    for words in ("dashboard", "Read everything", admin.email, "Expires in 6", "Storefront", "Staging", "curl/8"):
        assert words in text, words
    assert "127.0.0.1" in text
    assert "Unused for 194 days" in text


def test_an_empty_list_leads_to_the_first_token(ci: World, page: Client) -> None:
    AccessToken.objects.all().delete()

    assert f'<a class="button primary" href="{PAGE}/new">Create a token</a>' in html(page.get(PAGE))


def test_revoked_tokens_stay_listed_apart(ci: World, page: Client) -> None:
    revoke_token(token=ci.token)

    assert "No access token yet" in html(page.get(PAGE))
    assert ci.token.hint in html(page.get(f"{PAGE}?state=revoked"))


def test_a_token_whose_deployments_are_all_deleted_is_allowed_nothing(ci: World, page: Client) -> None:
    limit_token(token=ci.token, deployments=[ci.deployment])
    assert "llowed nothing" not in html(page.get(PAGE))

    deletion.delete_deployment(deployment=ci.deployment)

    assert "Allowed nothing" in html(page.get(PAGE))
    assert "Allowed nothing" in html(page.get(f"{PAGE}/{ci.token.pk}"))


def test_the_list_has_pages(ci: World, page: Client) -> None:
    AccessToken.objects.bulk_create(
        AccessToken(organization=ci.organization, name=f"z{number:02}", digest=f"{number}", hint="x", scopes="READ")
        for number in range(60)
    )

    first = html(page.get(PAGE))
    after = re.search(r'href="\?after=(\d+)"', first)
    assert after
    second = html(page.get(f"{PAGE}?after={after[1]}"))
    names = [set(re.findall(r">(ci|z\d\d)<", text)) for text in (first, second)]
    assert (len(names[0]), len(names[1]), names[0] & names[1]) == (50, 11, set())


@pytest.mark.parametrize("query", ["?after=%00", "?after=99999999999999999999", "?state=%00", "?after=-1"])
def test_any_query_string_gets_a_list(ci: World, page: Client, query: str) -> None:
    html(page.get(PAGE + query))


@pytest.mark.parametrize("path", ["", "/token"])
def test_the_number_of_queries_is_fixed(ci: World, page: Client, path: str) -> None:
    """At one token with one deployment, and at three each, rotated and limited."""

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            html(page.get(PAGE if path == "" else f"{PAGE}/{ci.token.pk}"))
        return len(queries)

    environments = list(ci.project.environments.all())
    limit_token(token=ci.token, deployments=[ci.deployment])
    rotate_token(token=ci.token, grace=timedelta(days=1))
    count()
    one = count()
    deployments = [ci.deployment, *(make_deployment(ci.project, name) for name in ("b", "c"))]
    for _ in range(2):
        token, _ = make_token(ci.organization, environments=environments)
        limit_token(token=token, deployments=deployments)
        rotate_token(token=token, grace=timedelta(days=1))
        rotate_token(token=ci.token, grace=timedelta(days=1))
    limit_token(token=ci.token, deployments=deployments)

    assert count() == one


def test_renaming(ci: World, page: Client) -> None:
    make_token(ci.organization, name="taken")
    path = f"{PAGE}/{ci.token.pk}/rename"

    assert "There is another access token of this name" in html(page.post(path, {"name": "taken"}))
    assert page.post(path, {"name": "build"}).headers["Location"] == f"{PAGE}/{ci.token.pk}"
    ci.token.refresh_from_db()
    assert ci.token.name == "build"
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.changes) == ("token.changed", {"name": ["ci", "build"]})


def test_changing_what_it_may_do(ci: World, page: Client) -> None:
    path = f"{PAGE}/{ci.token.pk}"
    limits = {"limit_deployments": "some", "deployments": [ci.deployment.pk], "expiry": "keep", "scopes": ["READ"]}

    assert page.post(path, FORM | limits).status_code == 302
    ci.token.refresh_from_db()
    assert (ci.token.scopes, ci.token.limited_to_deployments, ci.token.expires_at) == ("READ", True, None)
    assert list(ci.token.deployments.all()) == [ci.deployment]
    form = page.get(path).context["form"]
    assert (form["limit_deployments"].value(), form["deployments"].value()) == ("some", [str(ci.deployment.pk)])

    assert page.post(path, FORM).status_code == 302
    ci.token.refresh_from_db()
    assert not ci.token.limited_to_deployments


def test_keeping_the_expiry_keeps_it_to_the_second(ci: World, page: Client) -> None:
    moment = timezone.now() + timedelta(days=3)
    AccessToken.objects.filter(pk=ci.token.pk).update(expires_at=moment)

    page.post(f"{PAGE}/{ci.token.pk}", FORM | {"expiry": "keep"})

    ci.token.refresh_from_db()
    assert ci.token.expires_at == moment


def test_revoking_asks_first(ci: World, page: Client) -> None:
    path = f"{PAGE}/{ci.token.pk}/revoke"

    assert "cannot be undone" in html(page.get(path))
    assert ci.register(sha="a").status_code == 200
    assert page.post(path).headers["Location"] == PAGE
    assert ci.register(sha="b").status_code == 401
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.subject_label) == ("token.revoked", "ci")


def test_a_revoked_token_is_not_changed(ci: World, page: Client) -> None:
    revoke_token(token=ci.token)
    before = AuditEvent.objects.count()

    for path in pages_of(ci.token)[2:]:
        answer = page.post(path, {**FORM, "grace": "0", "hint": ci.token.hint}, follow=True)
        assert "is revoked and cannot be changed" in html(answer)
    assert AuditEvent.objects.count() == before
