"""The read API's lists of manual changes and incidents: what is in them, for whom, and in pages."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from deployments.impacts import queries as impacts
from deployments.models import ImpactKind, Incident, ManualChange
from deployments.setup.deletion import delete_project
from deployments.timeline import queries as timeline
from orgs.services import update_organization
from tests.calls import assert_sentence
from tests.conftest import World
from tests.documented import read
from tests.factories import make_impact_source, make_project, make_token
from tests.impacts.reporting import make_reporter
from tests.imports.histories import minute
from tests.shared import shared_fixture
from tests.timeline.test_read_api import all_pages
from tokens.scopes import Scope
from tokens.services import limit_token

ORGANIZATION = "/api/1/organizations/acme"
CHANGES, INCIDENTS = f"{ORGANIZATION}/manual-changes", f"{ORGANIZATION}/incidents"
LISTS = (CHANGES, INCIDENTS)
A_DAY = 24 * 60


@shared_fixture
def varied_reports(ci: World) -> World:
    """Four of each, one on each day from the 2nd of May on: in shop's production, its staging, data's production,
    and shop's production again. The second and the last incident are open."""
    data = make_project(ci.organization, "Data")
    places = ((ci.project, "production"), (ci.project, "staging"), (data, "production"), (ci.project, "production"))
    fields: tuple[dict[str, Any], ...] = (
        {"author": "ann@example.com", "tags": "#flag", "description": "Behind the basket"},
        {"email": "bob@example.com"},
        {"tags": "#flag, #db"},
        {"links": {"runbook": "https://example.com/runbook"}},
    )
    for number, ((project, environment), more) in enumerate(zip(places, fields, strict=True), 1):
        path = ci.manual_path.replace("shop", project.slug)
        date = minute(number * A_DAY)
        answer = ci.register(path=path, name=f"change {number}", environment=environment, date=date, **more)
        assert answer.status_code == 200, answer.content
    pager = make_reporter(ci, ImpactKind.INCIDENT, "Pager")
    pager.tell("triggered", id="i1", date=minute(A_DAY), title="Shop down", url="https://example.com/i1")
    pager.tell("resolved", id="i1", date=minute(A_DAY + 5))
    for id_, project, environment in (("i2", ci.project, "staging"), ("i3", data, "production")):
        pager.source = make_impact_source(project, ImpactKind.INCIDENT, "Pager", environment=environment)
        pager.tell("triggered", id=id_, date=minute(int(id_[1]) * A_DAY))
    pager.tell("resolved", id="i3", date=minute(3 * A_DAY + 5))
    pager.source = make_impact_source(ci.project, ImpactKind.INCIDENT, "Probe")
    pager.tell("triggered", id="i4", date=minute(4 * A_DAY))
    return ci


def names(path: str, secret: str) -> str:
    """Of the rows: "4 3" is what was fourth, and third."""
    answer = read(path, secret)
    assert answer.status_code == 200, answer.content
    return " ".join((row.get("name") or row["external_id"])[-1] for row in answer.json())


def test_a_manual_change_is_what_is_read_alone(varied_reports: World, reader: str) -> None:
    rows = read(CHANGES, reader).json()

    assert [row["name"] for row in rows] == ["change 4", "change 3", "change 2", "change 1"]
    assert rows == [read(row["url"], reader).json() for row in rows]
    assert rows[0]["links"] == {"runbook": "https://example.com/runbook"}


def test_an_incident(varied_reports: World, reader: str) -> None:
    *_, first = read(INCIDENTS, reader).json()

    assert first == {
        "id": Incident.objects.get(external_id="i1").pk,
        "organization": "acme",
        "project": "shop",
        "environment": "production",
        "source": {"slug": "pager", "name": "Pager"},
        "external_id": "i1",
        "title": "Shop down",
        "url": "https://example.com/i1",
        "started_at": "2024-05-02T12:00:00Z",
        "ended_at": "2024-05-02T12:05:00Z",
    }


@pytest.mark.parametrize(
    ("query", "changes", "incidents"),
    [
        ("", "4 3 2 1", "4 3 2 1"),
        ("project=shop", "4 2 1", "4 2 1"),
        ("project=data&environment=production", "3", "3"),
        ("environment=production", "4 3 1", "4 3 1"),
        ("environment=staging", "2", "2"),
        ("since=2024-05-04", "4 3", "4 3"),
        ("until=2024-05-03", "2 1", "2 1"),
        ("since=2024-05-03T12:00:00Z&until=2024-05-05T12:00:00Z", "3 2", "3 2"),
        ("author=ANN", "1", None),
        ("author=bob%40example.com", "2", None),
        ("tag=flag", "3 1", None),
        ("tag=%23FLAG&project=shop", "1", None),
        ("tag=fla", "", None),
        ("q=Change", "4 3 2 1", None),
        ("q=basket", "1", None),
        ("state=open", None, "4 2"),
        ("state=closed", None, "3 1"),
        ("state=closed&project=shop", None, "1"),
        ("source=pager", None, "3 2 1"),
        ("source=PAGER&environment=production", None, "3 1"),
        ("source=probe&state=open", None, "4"),
        ("source=probe&state=closed", None, ""),
        ("project=&since=&environment=&until=&limit=&cursor=", "4 3 2 1", "4 3 2 1"),
    ],
)
def test_filters(varied_reports: World, reader: str, query: str, changes: str | None, incidents: str | None) -> None:
    for path, expected in ((CHANGES, changes), (INCIDENTS, incidents)):
        if expected is not None:
            assert names(f"{path}?{query}", reader) == expected


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("project=x", "project: There is no project x: there are data, shop."),
        ("environment=x", "environment: There is no environment x: there are production, staging."),
        ("since=yesterday", "since: Write a day"),
        ("until=2200-01-01", "until: Write a day"),
        ("cursor=x", "The cursor does not come from"),
        ("project=shop&project=data", "project came more than once"),
        ("project=%00", "The query string contains a NUL"),
    ],
)
def test_what_cannot_be_asked_of_either(varied_reports: World, reader: str, path: str, query: str, says: str) -> None:
    answer = read(f"{path}?{query}", reader)
    assert answer.status_code == 400, answer.content
    assert says in assert_sentence(answer)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (f"{CHANGES}?q={'x' * 201}", "q: Ensure this value has at most 200 characters"),
        (f"{INCIDENTS}?state=ended", "state: Write open, closed or nothing."),
        (f"{INCIDENTS}?source=x", "source: There is no incident impact source x: there are pager, probe."),
        (f"{INCIDENTS}?source=probe&environment=staging", "incident impact source probe: there is pager."),
        (f"{INCIDENTS}?source=probe&project=data", "source: There is no incident impact source probe: there is pager."),
        (f"{INCIDENTS}?source=latency", "source: There is no incident impact source latency: there are pager, probe."),
        (f"{INCIDENTS}?cursor=1-c1", "The cursor does not come from"),
    ],
)
def test_what_cannot_be_asked_of_one(varied_reports: World, reader: str, path: str, says: str) -> None:
    make_impact_source(varied_reports.project, ImpactKind.METRIC, "Latency")
    answer = read(path, reader)
    assert answer.status_code == 400, answer.content
    assert says in assert_sentence(answer)


@pytest.mark.parametrize("path", LISTS)
def test_pages(
    varied_reports: World, reader: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Also where all are of one moment."""
    monkeypatch.setattr(timeline, "PAGE_SIZE", 2)
    monkeypatch.setattr(impacts, "INCIDENTS_A_PAGE", 2)
    for query, sizes in (("", [2, 2]), ("?project=shop", [2, 1])):
        for _ in range(2):
            pages = all_pages(f"{path}{query}", reader, settings)
            assert [len(page) for page in pages] == sizes
            ids = [row["id"] for page in pages for row in page]
            assert ids == sorted(ids, reverse=True)
            ManualChange.objects.update(changed_at=minute(0))
            Incident.objects.update(started_at=minute(0))


@pytest.mark.parametrize("path", LISTS)
def test_pages_of_the_callers_size(varied_reports: World, reader: str, settings: Settings, path: str) -> None:
    whole = read(path, reader).json()
    assert all_pages(f"{path}?limit=3", reader, settings) == [whole[:3], whole[3:]]
    assert read(f"{path}?limit=101", reader).status_code == 400


def test_a_search_goes_on_behind_an_empty_page(
    varied_reports: World, reader: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "SCAN_LIMIT", 2)
    pages = all_pages(f"{CHANGES}?q=basket", reader, settings)
    assert [[row["name"] for row in page] for page in pages] == [[], ["change 1"], []]


@pytest.mark.parametrize("path", [*LISTS, f"{CHANGES}/{{change}}"])
def test_304_until_something_changes(varied_reports: World, reader: str, path: str) -> None:
    path = path.format(change=ManualChange.objects.latest("id").pk)
    tag = read(path, reader)["ETag"]
    again = read(path, reader, **{"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)

    ManualChange.objects.update(name="renamed")
    Incident.objects.update(title="renamed")
    answer = read(path, reader, **{"If-None-Match": tag})
    assert answer.status_code == 200
    assert "renamed" in answer.content.decode()


def test_days_are_those_of_the_organization(varied_reports: World, reader: str) -> None:
    update_organization(organization=varied_reports.organization, time_zone="Asia/Tokyo")
    moment = "2024-05-04T15:00:00Z"
    ManualChange.objects.filter(name="change 4").update(changed_at=moment)
    Incident.objects.filter(external_id="i4").update(started_at=moment)

    for path in LISTS:
        assert names(f"{path}?since=2024-05-05", reader) == "4"
        assert names(f"{path}?until=2024-05-04", reader) == "3 2 1"


class TestWhoMay:
    @pytest.mark.parametrize("path", LISTS)
    def test_by_scope_and_organization(self, varied_reports: World, other: World, reader: str, path: str) -> None:
        all_ = make_token(varied_reports.organization, Scope.ALL)[1]
        reports = make_token(varied_reports.organization, Scope.REGISTER_IMPACT)[1]
        stranger = make_token(other.organization, Scope.READ)[1]
        secrets = (reader, all_, varied_reports.secret, reports, stranger, "gum_x")
        answers = [read(path, secret) for secret in secrets]

        assert [answer.status_code for answer in answers] == [200, 200, 403, 403, 401, 401]
        for answer in answers[2:]:
            assert_sentence(answer)
        assert names(path.replace("acme", "globex"), stranger) == ""

    @pytest.mark.parametrize("path", LISTS)
    def test_nothing_of_another_organization(self, varied_reports: World, other: World, reader: str, path: str) -> None:
        mine = read(path, reader).json()
        assert other.record(name="theirs").status_code == 200
        make_reporter(other, ImpactKind.INCIDENT, "Theirs").tell("triggered", id="theirs")

        assert read(path, reader).json() == mine
        assert read(f"{INCIDENTS}?source=theirs", reader).status_code == 400
        stranger = make_token(other.organization, Scope.READ)[1]
        assert names(path.replace("acme", "globex"), stranger) == "s"

    @pytest.mark.parametrize("path", LISTS)
    def test_limited_to_environments(self, varied_reports: World, path: str) -> None:
        data = varied_reports.organization.projects.get(slug="data")
        staging = varied_reports.project.environments.get(slug="staging")
        secret = make_token(varied_reports.organization, Scope.READ, environments=[staging])[1]

        assert names(path, secret) == names(f"{path}?environment=staging&project=shop", secret) == "2"
        for hidden in ("environment=production", "project=data"):
            assert read(f"{path}?{hidden}", secret).status_code == 400
        both = [staging, data.environments.get(slug="production")]
        secret = make_token(varied_reports.organization, Scope.READ, environments=both)[1]
        assert names(path, secret) == "3 2"
        assert [names(f"{path}?project={slug}", secret) for slug in ("shop", "data")] == ["2", "3"]

    def test_sources_of_other_environments(self, varied_reports: World) -> None:
        staging = varied_reports.project.environments.get(slug="staging")
        secret = make_token(varied_reports.organization, Scope.READ, environments=[staging])[1]

        assert names(f"{INCIDENTS}?source=pager", secret) == "2"
        assert read(f"{INCIDENTS}?source=probe", secret).status_code == 400

    @pytest.mark.parametrize("path", LISTS)
    def test_limited_to_deployments(self, varied_reports: World, path: str) -> None:
        """Manual changes and incidents belong to no deployment."""
        token, secret = make_token(varied_reports.organization, Scope.READ)
        assert names(path, secret) == "4 3 2 1"
        for deployments in ([varied_reports.deployment], []):
            limit_token(token=token, deployments=deployments)
            assert names(path, secret) == names(f"{path}?since=2024-05-01", secret) == ""
        assert names(f"{path}?cursor=9999999999999999-1", secret) == ""
        assert read(f"{INCIDENTS}?source=pager", secret).status_code == 400


def test_what_was_deleted(varied_reports: World, reader: str) -> None:
    """A deleted project's history stays; a deleted source takes its incidents with it."""
    ManualChange.objects.filter(name="change 4").update(deleted_at=timezone.now())
    varied_reports.project.impact_sources.filter(slug="probe").update(deleted_at=timezone.now())
    assert [names(path, reader) for path in LISTS] == ["3 2 1", "3 2 1"]

    delete_project(project=varied_reports.organization.projects.get(slug="data"))
    assert [names(path, reader) for path in LISTS] == ["3 2 1", "3 2 1"]
    for path in LISTS:
        assert read(f"{path}?project=data", reader).status_code == 400
