"""Home asks again what is live, and is answered only where something changed."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deployments.deploys.services import delete_deploy, restore_deploy
from deployments.models import Deploy
from deployments.request_log.writer import request_log
from orgs.models import User
from tests.conftest import World
from tests.factories import make_deployment, signed_in
from tests.imports.histories import minute

POLLING = re.compile(r'hx-get="([^"]*)" hx-trigger="every 5s".*?"If-None-Match": "([^"]*)"')


class Reader:
    """A page that stays open."""

    def __init__(self, user: User, path: str = "/acme") -> None:
        self.client = signed_in(user)
        self.page = self.client.get(path).content.decode()

    def ask(self) -> Any:
        """As htmx does. A changed table brings the ETag for the next time."""
        found = POLLING.search(self.page)
        assert found
        seen = found[2].encode().decode("unicode_escape")
        answer = self.client.get(found[1].replace("&amp;", "&"), headers={"HX-Request": "true", "If-None-Match": seen})
        if answer.status_code == 200:
            self.page = answer.content.decode()
        return answer


def test_nothing_is_sent_while_nothing_changes(ci: World, observer: User) -> None:
    ci.register(sha="a1")
    reader = Reader(observer)

    answer = reader.ask()

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_new_deploy_comes_as_the_table_and_the_sentence(ci: World, observer: User) -> None:
    ci.register(sha="a1", environment="staging")
    ci.register(sha="a1", environment="production")
    reader = Reader(observer)
    ci.register(sha="b2", environment="staging")

    assert reader.ask().status_code == 200

    assert reader.page.count("<html") == 0
    assert ">b2<" in reader.page
    assert 'id="live-sentence" hx-swap-oob="true"' in reader.page
    assert "1 is behind" in reader.page
    assert reader.ask().status_code == 204


def test_whatever_changes_what_is_live_is_seen(ci: World, observer: User) -> None:
    make_deployment(ci.project, name="Api")
    for number in range(60):
        ci.register(sha=f"s{number}", date=minute(1000 + number))
    reader = Reader(observer)
    of_api = ci.path.replace("storefront", "api")

    ci.register(path=of_api, sha="old", date=minute(1))
    assert reader.ask().status_code == 200, "older than the newest fifty of the organization"
    newest = Deploy.objects.get(sha="s59")
    delete_deploy(deploy=newest)
    assert reader.ask().status_code == 200
    restore_deploy(deploy=newest)
    assert reader.ask().status_code == 200
    ci.register(sha="s58")
    assert reader.ask().status_code == 200, "a rollback"
    assert reader.ask().status_code == 204


def test_a_rejected_call_is_seen_by_who_may_see_it(ci: World, developer: User, observer: User) -> None:
    of_developer, of_observer = Reader(developer), Reader(observer)
    ci.register(sha="a1", environment="nowhere")
    request_log.flush()

    assert of_developer.ask().status_code == 200
    assert "1 call rejected today" in of_developer.page
    assert of_observer.ask().status_code == 204


def test_filters_stay(ci: World, observer: User) -> None:
    make_deployment(ci.project, name="Api")
    reader = Reader(observer, "/acme?q=api&state=")
    ci.register(sha="a1")

    assert reader.ask().status_code == 200
    assert ">Api<" in reader.page
    assert ">Storefront<" not in reader.page


def test_other_organizations_change_nothing(ci: World, other: World, observer: User) -> None:
    reader = Reader(observer)
    other.register(sha="a1")
    request_log.flush()

    assert reader.ask().status_code == 204


def test_who_was_signed_out_is_sent_to_sign_in(ci: World, observer: User) -> None:
    reader = Reader(observer)
    reader.client = Client()

    assert reader.ask().status_code == 302


@pytest.mark.parametrize("count", [1, 3])
def test_asking_takes_few_queries(ci: World, developer: User, count: int) -> None:
    for number in range(count):
        make_deployment(ci.project, name=f"D{number}")
        ci.register(path=ci.path.replace("storefront", f"d{number}"), sha="a1")
    reader = Reader(developer)
    with CaptureQueriesContext(connection) as captured:
        assert reader.ask().status_code == 204

    assert len(captured) == 7
