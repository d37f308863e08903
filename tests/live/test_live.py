"""What is live where: the page, and the same as JSON and CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.impacts.incidents import IncidentReport, record_incident
from deployments.impacts.sources import delete_impact_source
from deployments.live.queries import INCIDENTS_SHOWN, PAGE_SIZE, LiveFilters, read_live
from deployments.models import Deploy, ImpactKind, ImpactSource, IncidentEventType
from orgs.models import User
from orgs.services import NewEnvironment
from tests.calls import bearer
from tests.conftest import World
from tests.documented import assert_documented
from tests.factories import make_deployment, make_impact_source, make_project, make_token, signed_in
from tests.imports.histories import minute
from tokens.scopes import Scope
from tokens.services import limit_token

API = "/api/1/organizations/acme/live"


def deploy(world: World, histories: str, *, deployment: str = "storefront") -> None:
    """Register from ``staging: a b, production: a``, a minute after each other."""
    path = world.path.replace("storefront", deployment)
    number = 0
    for part in histories.split(", "):
        environment, _, shas = part.partition(": ")
        for sha in shas.split():
            number += 1
            answer = world.register(path=path, sha=sha, environment=environment, date=minute(number))
            assert answer.status_code == 200


def statuses(world: World) -> dict[str, tuple[int | None, bool]]:
    live = read_live(world.organization.pk, LiveFilters(), now=timezone.now())
    (group,) = live.groups
    return {cell.environment.slug: (cell.status.behind, cell.status.is_rollback) for cell in group.rows[0].cells}


@pytest.mark.parametrize(
    ("histories", "behind", "why"),
    [
        ("staging: a, production: a", 0, "the same sha"),
        ("staging: a b, production: a", 1, "b is still to come"),
        ("staging: a b c, production: a", 2, "b and c are"),
        ("staging: a b a c, production: a", 1, "from the latest a on; the rollback is no deploy to come"),
        ("staging: a b a c, production: b", 1, "c came after b, and the rollback brings nothing"),
        ("staging: a b a, production: b", 0, "staging went back, so there is nothing to come"),
        ("staging: x a b a, production: x", 1, "a; b was rolled back"),
        ("staging: a b, production: c", None, "c was never in staging: nothing can be said"),
        ("staging: v1.137.0, production: v1.136.0", None, "the same with versions"),
        ("production: a", 0, "nothing is live before it"),
    ],
)
def test_how_far_production_is_behind(ci: World, histories: str, behind: int | None, why: str) -> None:
    deploy(ci, histories)

    assert statuses(ci)["production"][0] == behind, why


def test_a_sha_that_only_failed_in_staging_was_never_live_there(ci: World) -> None:
    deploy(ci, "staging: b, production: a")
    assert ci.register(sha="a", environment="staging", status="failed").status_code == 200

    assert statuses(ci)["production"][0] is None


def test_behind_compares_with_the_nearest_environment_where_anything_is_live(ci: World) -> None:
    project = make_project(
        ci.organization, "Data", environments=[NewEnvironment(name=name) for name in ("Development", "Test", "Live")]
    )
    make_deployment(project, name="Loader")
    deploy(ci, "development: a b, live: a", deployment="loader")
    live = read_live(ci.organization.pk, LiveFilters(project="data"), now=timezone.now())

    cell = live.groups[0].rows[0].cells[2]

    assert (cell.status.behind, str(cell.before)) == (1, "Development")


def test_a_deleted_deploy_counts_nowhere(ci: World, developer: User) -> None:
    deploy(ci, "staging: a b, production: a")
    client = signed_in(developer)
    newest = Deploy.objects.get(sha="b")

    client.post(f"/acme/deploys/{newest.pk}/delete")
    assert statuses(ci)["production"][0] == 0

    client.post(f"/acme/deploys/{newest.pk}/restore")
    assert statuses(ci)["production"][0] == 1


def test_a_rollback_and_an_old_deploy_are_off(ci: World) -> None:
    deploy(ci, "production: a b a")

    live = read_live(ci.organization.pk, LiveFilters(), now=datetime(2024, 5, 31, 12, tzinfo=UTC))

    assert live.counts == {"behind": 0, "differs": 0, "rolled-back": 1, "stale": 0}
    later = read_live(ci.organization.pk, LiveFilters(), now=datetime(2024, 6, 1, tzinfo=UTC))
    assert later.counts == {"behind": 0, "differs": 0, "rolled-back": 1, "stale": 1}


def test_the_page_says_what_is_off_and_shows_only_that_when_asked(ci: World, observer: User) -> None:
    make_deployment(ci.project, name="Api")
    now = timezone.now()
    for minutes, sha, environment in ((9, "a1", "staging"), (8, "b2", "staging"), (7, "a1", "production")):
        ci.register(sha=sha, environment=environment, date=(now - timedelta(minutes=minutes)).isoformat())
    client = signed_in(observer)

    page = client.get("/acme").content.decode()

    assert 'Of 2 deployments <a href="?state=behind">1 is behind</a>.' in page
    assert "1 deploy behind" in page
    assert ">b2<" in page
    assert ">Api<" in page
    assert ">Api<" not in client.get("/acme?state=behind").content.decode()
    assert ">Storefront<" not in client.get("/acme?q=API").content.decode()
    assert "No deployment matches" in client.get("/acme?state=stale").content.decode()


def test_what_is_not_known_is_not_said_to_be_well(ci: World, observer: User) -> None:
    client = signed_in(observer)
    now = timezone.now()
    ci.register(sha="v1.136.0", environment="production", date=now.isoformat())
    assert "1 deployment. None is behind, rolled back or stale." in client.get("/acme").content.decode()
    ci.register(sha="v1.137.0", environment="staging", date=now.isoformat())

    page = client.get("/acme").content.decode()

    assert "None is behind" not in page
    assert 'Of 1 deployment <a href="?state=differs">1 differs from the environment before</a>.' in page
    assert ">differs from Staging</span>" in page
    assert ">Storefront<" in client.get("/acme?state=differs").content.decode()
    assert "No deployment matches" in client.get("/acme?state=behind").content.decode()
    assert ">differs from Staging</span>" in client.get("/acme/deployments/storefront").content.decode()


def test_json_says_null_where_nobody_knows(ci: World, reader: str) -> None:
    deploy(ci, "staging: a b, production: c")

    answer = ci.client.get(API, headers=bearer(reader))

    assert_documented(API, answer)
    (environment,) = answer.json()["projects"][0]["deployments"][0]["environments"][1:]
    assert (environment["behind"], environment["behind_environment"]) == (None, "staging")


def report(source: ImpactSource, type_: IncidentEventType, title: str, **fields: Any) -> None:
    record_incident(
        source=source, report=IncidentReport(type=type_, external_id=title, title=title, **fields), now=timezone.now()
    )


def test_open_incidents_are_on_the_home_page(ci: World, other: World, observer: User) -> None:
    source = make_impact_source(ci.project, ImpactKind.INCIDENT, "Alerts")
    foreign = make_impact_source(other.project, ImpactKind.INCIDENT, "Foreign")
    client = signed_in(observer)
    quiet = client.get("/acme")
    seen = quiet.context["seen"]
    assert "incident" not in quiet.content.decode()
    report(source, IncidentEventType.TRIGGERED, "Checkout is down")
    report(source, IncidentEventType.TRIGGERED, "Was short")
    report(source, IncidentEventType.RESOLVED, "Was short")
    report(foreign, IncidentEventType.TRIGGERED, "Somewhere else")

    refreshed = client.get("/acme", headers={"HX-Request": "true", "If-None-Match": seen})
    page = client.get("/acme").content.decode()

    assert refreshed.status_code == 200, "an incident is news"
    for text in (refreshed.content.decode(), page):
        assert f'href="/acme/projects/shop/impact-sources/{source.pk}">Checkout is down</a>' in text
        assert "1 incident is open" in text
        assert "Was short" not in text
        assert "Somewhere else" not in text
    report(source, IncidentEventType.RESOLVED, "Checkout is down")
    assert "incident" not in client.get("/acme").content.decode()


def test_many_open_incidents_are_counted(ci: World, observer: User) -> None:
    source = make_impact_source(ci.project, ImpactKind.INCIDENT, "Alerts")
    for number in range(INCIDENTS_SHOWN + 2):
        report(source, IncidentEventType.TRIGGERED, f"Failure {number}")

    page = signed_in(observer).get("/acme").content.decode()

    assert f"{INCIDENTS_SHOWN + 2} incidents are open" in page
    assert "And 2 others, on the pages of their impact sources." in page
    delete_impact_source(source=source)
    assert "incident" not in signed_in(observer).get("/acme").content.decode()


@pytest.mark.parametrize(
    "query", ["state=nonsense", "q=%00", "after=x", "project=none", "after=%ff", "q=[(", "q=" + "x" * 300]
)
def test_no_address_breaks_the_page(ci: World, observer: User, query: str) -> None:
    assert signed_in(observer).get(f"/acme?{query}").status_code == 200


def test_an_empty_organization_says_what_to_do_next(ci: World, admin: User, observer: User) -> None:
    ci.deployment.delete()

    page = signed_in(admin).get("/acme").content.decode()
    assert 'href="/acme/new-deployment"' in page.split("Nothing is deployed yet")[1]
    assert "Create a deployment</a>" not in signed_in(observer).get("/acme").content.decode()


def test_every_deployment_is_on_one_page(ci: World, observer: User) -> None:
    second = make_project(ci.organization, "Data")
    for number in range(PAGE_SIZE // 2 + 5):
        make_deployment(ci.project, name=f"Shop {number}")
        make_deployment(second, name=f"Data {number}")
    seen: list[str] = []
    after = ""
    while True:
        live = read_live(ci.organization.pk, LiveFilters(after=after), now=timezone.now())
        seen += [row.deployment.slug for group in live.groups for row in group.rows]
        if not (after := live.following):
            break

    assert len(seen) == len(set(seen)) == live.deployment_count


def test_the_number_of_queries_does_not_grow(ci: World, observer: User) -> None:
    client = signed_in(observer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/acme").status_code == 200
        return len(captured)

    deploy(ci, "staging: a b, production: a")
    queries()
    first = queries()
    for name in ("Api", "Web"):
        make_deployment(make_project(ci.organization, f"Project {name}"), name=name)
        deploy(ci, "staging: a b, production: a", deployment=name.lower())

    assert queries() == first


def test_who_sees_what_is_live(ci: World, admin: User, observer: User, stranger: User) -> None:
    assert [signed_in(user).get("/acme").status_code for user in (admin, observer, stranger)] == [200, 200, 404]
    assert Client().get("/acme")["Location"] == "/accounts/login/?next=/acme"


# --- The API ----------------------------------------------------------------------------------------


def get(secret: str, query: str = "") -> Any:
    return Client().get(API + query, headers={"Authorization": f"Bearer {secret}"})


def test_json(ci: World, reader: str) -> None:
    deploy(ci, "staging: a b, production: a")
    answer = get(reader)

    assert answer.status_code == 200
    body = answer.json()
    assert (body["organization"], body["projects"][0]["project"]) == ("acme", "shop")
    staging, production = body["projects"][0]["deployments"][0]["environments"]
    expected = Deploy.objects.get(sha="a", environment__slug="production")
    assert staging["behind"] == 0
    assert production["age"] > 0
    assert production == {
        "environment": "production",
        "name": "Production",
        "sha": "a",
        "version": None,
        "title": None,
        "branch": None,
        "deployed_at": "2024-05-01T12:03:00Z",
        "age": production["age"],
        "author": {"name": None, "email": None},
        "behind": 1,
        "behind_environment": "staging",
        "rolled_back": False,
        "stale": True,
        "deploy_id": expected.pk,
        "url": f"/api/1/organizations/acme/deploys/{expected.pk}",
    }


def test_where_nothing_is_live_every_fact_is_null(ci: World, reader: str) -> None:
    staging = get(reader).json()["projects"][0]["deployments"][0]["environments"][0]

    assert staging == {name: {"environment": "staging", "name": "Staging"}.get(name) for name in staging}
    assert "sha" in staging


def test_csv_has_the_same_facts_and_no_formulas(ci: World, reader: str) -> None:
    ci.register(sha="a", environment="staging", commits=[{"revision": "a", "message": "=1+1"}])
    answer = get(reader, "?format=csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    staging, production = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert (staging["project"], staging["deployment"], staging["environment"]) == ("shop", "storefront", "staging")
    assert (staging["sha"], staging["title"], staging["stale"]) == ("a", "'=1+1", "false")
    assert (production["environment"], production["sha"]) == ("production", "")


def test_a_limited_token_sees_what_it_is_limited_to(ci: World) -> None:
    make_deployment(ci.project, name="Api")
    token, secret = make_token(ci.organization, Scope.READ, name="limited")
    limit_token(token=token, deployments=[ci.deployment])
    token.limited_to_environments = True
    token.save()
    token.environments.set(ci.project.environments.filter(slug="staging"))

    (project,) = get(secret).json()["projects"]

    assert [
        (deployment["deployment"], [environment["environment"] for environment in deployment["environments"]])
        for deployment in project["deployments"]
    ] == [("storefront", ["staging"])]


def test_a_limited_token_is_not_told_about_an_environment_that_it_may_not_see(ci: World, reader: str) -> None:
    for sha, environment in (("a", "staging"), ("a", "production"), ("b", "staging")):
        ci.register(sha=sha, environment=environment)
    token, secret = make_token(ci.organization, Scope.READ, name="limited")
    token.limited_to_environments = True
    token.save()
    token.environments.set(ci.project.environments.filter(slug="production"))

    def production(of: str) -> tuple[Any, Any]:
        environments = get(of).json()["projects"][0]["deployments"][0]["environments"]
        (found,) = [facts for facts in environments if facts["environment"] == "production"]
        return found["behind"], found["behind_environment"]

    assert production(reader) == (1, "staging")
    assert production(secret) == (None, None)
    assert b"staging" not in b"".join(get(secret, "?format=csv").streaming_content)


def test_who_may_read_it(ci: World, other: World, reader: str) -> None:
    of_other = make_token(other.organization, Scope.READ, name="reader")[1]

    assert [get(secret).status_code for secret in (reader, ci.secret, of_other, "gum_nonsense")] == [200, 403, 401, 401]
    assert get(reader, "?format=xml").status_code == 400


@pytest.mark.parametrize("query", ["", "?format=csv"])
def test_what_has_not_changed_is_not_sent_again(ci: World, reader: str, query: str) -> None:
    def ask(tag: str = "") -> Any:
        return Client().get(API + query, headers={**bearer(reader), **({"If-None-Match": tag} if tag else {})})

    deploy(ci, "staging: a")
    with time_machine.travel(datetime(2024, 5, 1, 13, tzinfo=UTC), tick=False):
        first = ask()
    with time_machine.travel(datetime(2024, 5, 1, 14, tzinfo=UTC), tick=False):
        for tag in (first["ETag"], first["ETag"].removeprefix("W/"), f'"x", {first["ETag"]}', "*"):
            answer = ask(tag)
            assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", first["ETag"])
            assert_documented(API, answer)
        assert ask('"x"').status_code == ask().status_code == 200
        deploy(ci, "production: a")
        changed = ask(first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]
    assert changed["Cache-Control"] == "private, no-cache"


def test_each_form_and_each_view_has_a_tag_of_its_own(ci: World, reader: str) -> None:
    deploy(ci, "staging: a")
    token, limited = make_token(ci.organization, Scope.READ, name="limited")
    limit_token(token=token, deployments=[])

    assert len({get(reader)["ETag"], get(reader, "?format=csv")["ETag"], get(limited)["ETag"]}) == 3
