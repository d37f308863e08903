"""Access tokens, run from pages: who may, what is shown, and that a secret is shown once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import travel

from deployments import deletion
from deployments.services import limit_token
from orgs.models import AuditEvent, User
from tests.conftest import World
from tests.deployments.histories import START
from tests.factories import make_deployment, make_token, signed_in
from tokens import secrets
from tokens.models import AccessToken, RetiredSecret
from tokens.scopes import Scope
from tokens.services import revoke_token, rotate_token

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


@pytest.fixture
def page(admin: User) -> Client:
    return signed_in(admin)


def html(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def secrets_in(response: Any) -> set[str]:
    return set(SECRET.findall(html(response)))


def pages_of(token: AccessToken) -> list[str]:
    return [PAGE, NEW, *(f"{PAGE}/{token.pk}{end}" for end in ("", "/rename", "/revoke", "/rotate"))]


def rotate(page: Client, token: AccessToken, grace: str = "24", hint: str = "") -> Any:
    return page.post(f"{PAGE}/{token.pk}/rotate", {"grace": grace, "hint": hint or token.hint})


# --- Who may -------------------------------------------------------------------------------------


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
    assert (other.token.state(), other.token.digest) == ("active", secrets.digest(other.secret))


def test_only_those_who_may_are_led_there(ci: World, admin: User, developer: User) -> None:
    assert f'href="{PAGE}"' in html(signed_in(admin).get("/acme"))
    assert f'href="{PAGE}"' not in html(signed_in(developer).get("/acme"))


def test_posts_need_a_csrf_token(ci: World, admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)

    for path in pages_of(ci.token)[1:]:
        assert client.post(path, FORM).status_code == 403


# --- The list ------------------------------------------------------------------------------------


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

    assert f'<a class="button primary" href="{NEW}">Create a token</a>' in html(page.get(PAGE))


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


# --- Creating ------------------------------------------------------------------------------------


def test_the_secret_is_shown_once_with_a_ready_call(ci: World, page: Client, admin: User) -> None:
    answer = page.post(NEW, FORM)

    (secret,) = secrets_in(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert f"GUMSHOE_TOKEN={secret}" in html(answer)
    assert ci.path in html(answer)
    assert ci.register(sha="a", secret=secret).status_code == 200
    token = AccessToken.objects.get(name="deployer")
    assert (token.digest, token.created_by, token.expires_at) == (secrets.digest(secret), admin, None)
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
    assert "A secret is shown once" in html(again)
    assert not secrets_in(again)
    assert token.digest == secrets.digest(secret)


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

    assert "environment=staging" in html(answer)
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
        ({"scopes": []}, "Choose at least one thing"),
        ({"scopes": ["ROOT"]}, "Select a valid choice"),
        ({"limit_deployments": "some"}, "Choose at least one, or allow all deployments"),
        ({"limit_environments": "some"}, "Choose at least one, or allow all environments"),
        ({"limit_deployments": "some", "deployments": ["0", "x"]}, "Select a valid choice"),
        ({"expiry": "date"}, "Write the last day"),
        ({"expiry": "date", "expires_on": "2020-01-01"}, "That day is over"),
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


# --- Changing ------------------------------------------------------------------------------------


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


# --- Rotating ------------------------------------------------------------------------------------


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

    assert "A secret is shown once" in html(again)
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
