"""A deploy of what is live already: recorded where its deployment is set so, and a duplicate elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from time_machine import travel

from deployments.models import Deploy, Deployment
from deployments.setup.services import update_deployment
from tests.conftest import World
from tests.factories import make_token
from tests.imports.histories import history, in_short, minute, post_history
from tests.imports.importing import post_file, rows
from tests.registration.requests import url
from tokens.scopes import Scope


@pytest.fixture
def recording(ci: World) -> World:
    update_deployment(deployment=Deployment.objects.get(pk=ci.deployment.pk), records_redeploys=True)
    return ci


def later(minutes: int) -> travel:
    return travel(datetime.now(UTC) + timedelta(minutes=minutes))


def test_a_redeploy_is_recorded_and_no_rollback(recording: World) -> None:
    post_history(recording, "a b")

    with later(5):
        assert recording.register(sha="b").status_code == 200

    assert in_short(history(recording)) == "a b b[live]"
    with later(10):
        assert recording.register(sha="a").status_code == 200
    assert in_short(history(recording)) == "a b[rolled back] b[rolled back] a[rollback, live]"


def test_elsewhere_it_is_a_duplicate(ci: World) -> None:
    post_history(ci, "a b")

    with later(5):
        assert ci.register(sha="b").status_code == 400
    assert in_short(history(ci)) == "a b[live]"


def test_a_call_that_its_client_repeats_is_none(recording: World) -> None:
    first = recording.register(sha="a")

    again = recording.register(sha="a")

    assert (again.status_code, again.headers["X-Deploy-Id"]) == (200, first.headers["X-Deploy-Id"])
    assert recording.register(sha="a", headers={"Idempotency-Key": "k"}).status_code == 200
    assert recording.register(sha="a", headers={"Idempotency-Key": "k"}).status_code == 200
    assert Deploy.objects.count() <= 2


def test_the_same_moment_is_none(recording: World) -> None:
    post_history(recording, "a b c")

    for number, sha in enumerate("abc"):
        assert recording.register(sha=sha, date=minute(number), tags="#again").status_code == 400
    assert recording.register(sha="a", date=minute(0.5)).status_code == 200
    assert in_short(history(recording)) == "a a b c[live]"


def test_its_change_type_is_no_change(recording: World) -> None:
    _, reader = make_token(recording.organization, Scope.READ, name="reader")
    post_history(recording, "a a")

    path = "/api/1/organizations/acme/deploys"
    listed = Client().get(path, headers={"Authorization": f"Bearer {reader}"}).json()
    assert [row["change_type"] for row in listed] == ["no_change", "forward"]


def test_an_import_keeps_them(recording: World) -> None:
    file = rows("a,2024-05-01", "a,2024-05-02", "a,2024-05-02", "b,2024-05-03")

    _, importer = make_token(recording.organization, Scope.ALL, name="importer")
    assert post_file(recording, file, headers={"Authorization": f"Bearer {importer}"}).status_code == 200
    assert in_short(history(recording)) == "a a b[live]"


def test_its_page_and_the_read_api_have_the_setting(ci: World, page: Client) -> None:
    _, reader = make_token(ci.organization, Scope.READ, name="reader")
    settings = url("deployment-settings", deployment="storefront")
    fields = {"name": "Storefront", "repository_provider": "custom"}
    for environment in ci.project.environments.all():
        fields |= {f"environment-{environment.pk}-match": "any", f"environment-{environment.pk}-branch": ""}

    def recorded() -> bool:
        path = "/api/1/organizations/acme/deployments"
        (row,) = Client().get(path, headers={"Authorization": f"Bearer {reader}"}).json()
        return bool(row["records_redeploys"])

    assert not recorded()
    assert page.post(settings, {**fields, "records_redeploys": "on"}).status_code == 302
    assert recorded()
    assert page.post(settings, fields).status_code == 302
    assert not recorded()
