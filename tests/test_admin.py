"""Django admin: the operator's pages, for every model and for every mistake that a form lets through."""

import re
from datetime import timedelta
from io import BytesIO
from itertools import chain
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deployments.impacts.incidents import IncidentReport, record_incident
from deployments.impacts.sources import record_metric_value
from deployments.imports.drafts import keep_draft
from deployments.models import ImpactKind, IncidentEventType
from deployments.request_log.writer import request_log
from orgs.invitations import invite
from orgs.models import Invitation, User
from orgs.roles import Role
from orgs.services import update_organization
from tests.conftest import World, make_world
from tests.factories import make_impact_source, make_member, make_token
from tests.imports.importing import dated, post_file
from tests.operator import OperatorClient, page, problems, text_of
from tests.shared import shared_fixture
from tokens.models import AccessToken, RetiredSecret
from tokens.services import rotate_token

OTHERS = {"group"}
MODELS = [model for model in admin.site._registry if model._meta.model_name not in OTHERS]
SIGN_IN = {"emailaddress", "authenticator", "socialaccount"}
FACTS = SIGN_IN | {
    *("deploy", "tag", "link", "commit", "changedfile", "pullrequest", "idempotencykey", "call", "manualchange"),
    *("auditevent", "formerslug", "invitation", "retiredsecret", "incident", "incidentevent", "metricvalue"),
    *("historyimport", "importdraft", "draftchunk"),
}
NOT_ADDED = FACTS | {"accesstoken"}
INLINE_CODE = re.compile(r"<script(?![^>]*src=)(?![^>]*application/json)|<style| style=| on[a-z]+=")
CHANGE: dict[str, Any] = {
    "commits": [
        {"revision": f"{number:040x}", "message": "Fix it\n\nAt last", "files": ["a.py"]} for number in range(3)
    ],
    "files": [{"path": "db/a.sql", "additions": 3, "deletions": 1}],
    "pull_requests": [{"number": 7, "title": "Fix it"}],
    "links": {"build": "https://ci.example.com/1"},
    "tags": "#hotfix",
}


@pytest.fixture
def developer_client(developer: User) -> Client:
    client = Client()
    client.force_login(developer)
    return client


def name_of(model: type[Model]) -> str:
    return str(model._meta.model_name)


TOTP_SECRET, RECOVERY_SEED, CLAIM = "totp-secret-of-ada", "seed-of-recovery-codes", "claim-of-single-sign-on"


def fill(slug: str) -> World:
    """At least one row of every model."""
    world = make_world(f"former-{slug}")
    update_organization(organization=world.organization, slug=slug)
    world.organization.refresh_from_db()
    owner = make_member(world.organization, Role.OWNER)
    invite(organization=world.organization, email="new@example.com", role=Role.OBSERVER, by=owner.memberships.get())
    rotate_token(token=make_token(world.organization, name="rotated")[0], grace=timedelta(days=1))
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    Authenticator.objects.create(user=owner, type="recovery_codes", data={"seed": RECOVERY_SEED})
    Authenticator.objects.create(user=owner, type="totp", data={"secret": TOTP_SECRET})
    SocialAccount.objects.create(user=owner, provider="sso", uid=f"uid of {slug}", extra_data={"claim": CLAIM})
    for key, sha in enumerate(("a1", "b2", "a1")):
        answer = world.register(headers={"Idempotency-Key": f"{key}"}, **CHANGE, sha=sha)
        assert answer.status_code == 200, answer.content
    request_log.flush()
    assert world.record(name="Scaled up", links=CHANGE["links"]).status_code == 200
    report_impacts(world)
    assert post_file(world, dated("a"), environment="staging").status_code == 200
    keep_draft(
        deployment=world.deployment,
        environment=world.project.environments.get(slug="staging"),
        replaces=True,
        user=world.organization.memberships.get().user,
        file_name="deploys.csv",
        file=BytesIO(dated("a").encode()),
    )
    return world


@shared_fixture
def filled() -> World:
    return fill("acme")


@shared_fixture
def filled_twice(filled: World) -> World:
    return fill("globex")


@shared_fixture
def queries_of_lists(filled: World, operator: OperatorClient) -> dict[str, int]:
    """By the model's name, where one organization is filled."""
    return {name_of(model): count_queries_of_list(operator, model) for model in MODELS}


@shared_fixture
def filled_thrice(filled: World, queries_of_lists: dict[str, int]) -> None:
    fill("globex")
    fill("initech")


def count_queries_of_list(operator: OperatorClient, model: type[Model]) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert operator.get(page("changelist", model)).status_code == 200
    return len(queries)


def secrets_of(world: World) -> list[str]:
    """What no page may show, of all worlds."""
    digests = (model.objects.values_list("digest", flat=True) for model in (AccessToken, RetiredSecret, Invitation))
    return [world.secret, TOTP_SECRET, RECOVERY_SEED, CLAIM, "hashhash", "hashha*", *chain.from_iterable(digests)]


def report_impacts(world: World) -> None:
    now = timezone.now()
    incidents = make_impact_source(world.project, ImpactKind.INCIDENT)
    record_incident(source=incidents, report=IncidentReport(type=IncidentEventType.TRIGGERED, title="Down"), now=now)
    metric = make_impact_source(world.project, ImpactKind.METRIC)
    record_metric_value(source=metric, value=1.5, measured_at=None, now=now)


def test_every_model_is_registered() -> None:
    assert {name_of(model) for model in MODELS} == NOT_ADDED | {
        "user", "organization", "membership", "project", "environment", "deployment", "target", "impactsource",
    }  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=name_of)
class TestPages:
    def test_the_list_has_rows_and_searches(self, filled: World, operator: OperatorClient, model: type[Model]) -> None:
        assert b"field-" in operator.get(page("changelist", model)).content
        for query in ("a", "%00", "99999999999999999999999", "'"):
            response = operator.get(page("changelist", model) + f"?q={query}")
            assert response.status_code == 200, query

    def test_the_list_costs_the_same_at_one_row_and_at_three(
        self, operator: OperatorClient, queries_of_lists: dict[str, int], filled_thrice: None, model: type[Model]
    ) -> None:
        assert count_queries_of_list(operator, model) == queries_of_lists[name_of(model)] <= 10

    def test_each_filter_answers(
        self, filled: World, filled_twice: World, operator: OperatorClient, model: type[Model]
    ) -> None:
        listing = operator.get(page("changelist", model)).content.decode()
        for query in re.findall(r'href="(\?[^"]+__[^"]+|\?(?:kind|state)=[^"]+)"', listing):
            assert operator.get(page("changelist", model) + query.replace("&amp;", "&")).status_code == 200, query

    def test_a_row_opens_without_secrets_and_inline_code(
        self, filled: World, operator: OperatorClient, model: type[Model]
    ) -> None:
        User.objects.filter(is_superuser=False).update(password="pbkdf2_sha256$1$salt$hashhash")
        row = model._default_manager.order_by("-pk")[0]
        opened = operator.get(page("change", row))
        assert opened.status_code == 200
        is_editable = b'name="_save"' in opened.content
        assert is_editable == (name_of(model) not in FACTS)
        others = [operator.get(address) for address in (page("changelist", model), page("history", row))]
        for response in (opened, *others, operator.get(page("delete", row))):
            content = response.content.decode()
            for secret in secrets_of(filled):
                assert secret not in content
            assert not INLINE_CODE.search(content)

    def test_the_form_to_add_one_opens(self, operator: OperatorClient, model: type[Model]) -> None:
        expected = 403 if name_of(model) in NOT_ADDED else 200
        assert operator.get(page("add", model)).status_code == expected

    def test_who_is_no_staff_is_sent_to_the_login(self, developer_client: Client, model: type[Model]) -> None:
        row = model(pk=1)
        for address in (page("changelist", model), page("add", model), page("change", row), page("delete", row)):
            response = developer_client.get(address)
            assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


class TestLogin:
    def test_the_site_is_called_gumshoe(self, operator: OperatorClient) -> None:
        assert b"<title>Operator | Gumshoe</title>" in operator.get(reverse("admin:index")).content


NEW_USER = {"email": "Ada@Example.com", "name": "Ada", "usable_password": "true"}
LONG_ENOUGH = {"password1": "a long enough one", "password2": "a long enough one"}


class TestUsers:
    def test_add_by_address(self, operator: OperatorClient) -> None:
        sent = NEW_USER | LONG_ENOUGH
        assert operator.post(page("add", User), sent).status_code == 302
        ada = User.objects.get(email="ada@example.com")
        assert (ada.is_staff, ada.check_password("a long enough one")) == (False, True)

    def test_the_same_address_in_another_case_is_rejected(self, operator: OperatorClient) -> None:
        User.objects.create_user("ada@example.com")
        sent = NEW_USER | LONG_ENOUGH
        assert "already exists" in problems(operator.post(page("add", User), sent))
        other = User.objects.create_user("bob@example.com")
        assert "already exists" in problems(operator.post(page("change", other), {"email": "ADA@example.com"}))

    def test_a_weak_password_is_rejected(self, operator: OperatorClient) -> None:
        sent = NEW_USER | {"password1": "short", "password2": "short"}
        assert "too short" in problems(operator.post(page("add", User), sent))

    def test_set_a_password(self, operator: OperatorClient) -> None:
        user = User.objects.create_user("ada@example.com")
        sent = {"usable_password": "true"} | LONG_ENOUGH
        assert operator.post(reverse("admin:auth_user_password_change", args=[user.pk]), sent).status_code == 302
        user.refresh_from_db()
        assert user.check_password("a long enough one")

    def test_staff_cannot_make_themselves_superusers(self, operator: OperatorClient) -> None:
        clerk = User.objects.create_user("clerk@example.com", is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(codename__endswith="_user"))
        sent = {"email": clerk.email, "name": "Clerk", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
        client = Client()
        client.force_login(clerk)
        client.post(page("change", clerk), sent)
        clerk.refresh_from_db()
        assert (clerk.name, clerk.is_superuser) == ("Clerk", False)
        superuser = User.objects.get(is_superuser=True)
        assert client.post(page("change", superuser), {"email": "mine@example.com"}).status_code == 403
        assert client.post(page("delete", superuser), {"post": "yes"}).status_code == 403
        assert (
            client.post(reverse("admin:auth_user_password_change", args=[superuser.pk]), {"password1": "x"}).status_code
            == 403
        )
        operator.post(page("change", clerk), sent)
        clerk.refresh_from_db()
        assert clerk.is_superuser


class TestSignIn:
    def test_who_lost_a_device_gets_in_by_password_alone(self, filled: World, operator: OperatorClient) -> None:
        totp = Authenticator.objects.get(type="totp")

        assert operator.delete_object(totp).status_code == 302

        assert not Authenticator.objects.exists(), "recovery codes are of no use alone"

    def test_recovery_codes_go_alone(self, filled: World, operator: OperatorClient) -> None:
        operator.delete_object(Authenticator.objects.get(type="recovery_codes"))

        assert [factor.type for factor in Authenticator.objects.all()] == ["totp"]

    def test_only_a_superuser_takes_a_superuser_s_second_factor(self, operator: OperatorClient) -> None:
        superuser = User.objects.get(is_superuser=True)
        factor = Authenticator.objects.create(user=superuser, type="totp", data={"secret": TOTP_SECRET})
        clerk = User.objects.create_user("clerk@example.com", is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="mfa"))
        client = Client()
        client.force_login(clerk)

        assert client.post(page("delete", factor), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [factor.pk], "post": "yes"}
        client.post(page("changelist", Authenticator), chosen)
        assert Authenticator.objects.exists()
        assert operator.delete_object(factor).status_code == 302

    def test_what_allauth_shows_of_apps_and_tokens_is_not_there(self) -> None:
        registered = {name_of(model) for model in admin.site._registry}
        assert not registered & {"socialapp", "socialtoken", "emailconfirmation"}


class TestTexts:
    def test_no_page_names_a_source_file(self, filled: World, operator: OperatorClient) -> None:
        assert not re.search(r"\b\w+\.py\b", text_of(operator.get(page("change", filled.token))))
