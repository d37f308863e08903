"""Addresses and forms of Django admin with values that can be none: a 400 or a page, and never a 500."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from deployments.models import Call, Deploy, Deployment
from orgs.models import Membership, Organization, Project, User
from orgs.roles import Role
from tests.conftest import World
from tests.factories import make_member
from tests.operator import OperatorClient, page
from tokens.models import AccessToken

PAST_64_BITS = "9" * 30
NO_IDS = ["abc", " ", "\0", "-1", PAST_64_BITS, "x" * 5_000]


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Call, "outcome__exact=%00"),
        (Membership, "role__exact=%00"),
        (Deployment, "repository_provider__exact=%00"),
        (Deploy, f"organization={PAST_64_BITS}"),
        (Deploy, f"organization__in=1,{PAST_64_BITS}"),
        (Deploy, "deployed_at__year=-1"),
        (Deploy, "id__range=1"),
        (Membership, "role__range=abc"),
        (Project, "q=%00"),
    ],
)
def test_filters(ci: World, operator: OperatorClient, model: type[Model], query: str) -> None:
    assert operator.get(page("changelist", model) + f"?{query}").status_code in (200, 302, 400)
    assert operator.get(page("changelist", model) + f"?q={PAST_64_BITS}").status_code == 200


@pytest.mark.parametrize("value", NO_IDS, ids=ascii)
@pytest.mark.parametrize(
    ("model", "field"),
    [(Project, "organization"), (Membership, "user"), (Membership, "organization"), (Group, "permissions")],
)
def test_what_is_chosen(ci: World, operator: OperatorClient, model: Any, field: str, value: str) -> None:
    before = model.objects.count()

    assert operator.add(model, name="New", role="admin", **{field: value}).status_code in (200, 400)
    assert model.objects.count() == before


@pytest.mark.parametrize("value", NO_IDS, ids=ascii)
def test_what_is_chosen_in_a_row(ci: World, operator: OperatorClient, value: str) -> None:
    rows = {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0, "memberships-0-user": value}

    assert operator.add(Organization, name="New", **rows).status_code in (200, 400)
    assert not Organization.objects.filter(name="New").exists()


@pytest.mark.parametrize("value", NO_IDS, ids=ascii)
@pytest.mark.parametrize(
    ("model", "action"), [(AccessToken, "revoke"), (User, "delete_selected"), (Membership, "delete_selected")]
)
def test_what_an_action_is_for(ci: World, operator: OperatorClient, model: Any, action: str, value: str) -> None:
    before = model.objects.count()

    answer = operator.post(page("changelist", model), {"action": action, "_selected_action": value})

    assert answer.status_code in (200, 302, 400)
    assert model.objects.count() == before
    assert not AccessToken.objects.exclude(revoked_at=None).exists()


def test_what_is_good_is_done(ci: World, operator: OperatorClient) -> None:
    assert operator.add(Project, name="New", organization=ci.organization.pk).status_code == 302
    operator.post(page("changelist", AccessToken), {"action": "revoke", "_selected_action": ci.token.pk})

    assert Project.objects.filter(name="New").exists()
    assert AccessToken.objects.exclude(revoked_at=None).get() == ci.token


def test_the_page_of_an_organization_costs_the_same_with_many_members(ci: World, operator: OperatorClient) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(page("change", ci.organization)).status_code == 200
        return len(queries)

    make_member(ci.organization, Role.OWNER)
    cost()  # The first page looks up content types, which Django keeps.
    before = cost()
    for _ in range(3):
        make_member(ci.organization, Role.DEVELOPER)

    assert cost() == before


def test_the_page_of_a_user_does_not_look_up_each_permission(operator: OperatorClient) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert operator.get(page("change", User.objects.get())).status_code == 200

    assert len(queries) < 20
