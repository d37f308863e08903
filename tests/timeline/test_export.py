"""Timelines as CSV and as JSON lines."""

import csv
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.models import Deploy, ManualChange
from deployments.timeline.export import PART
from orgs.csv_export import BROKEN_OFF
from orgs.models import User
from tests.calls import assert_sentence, bearer
from tests.conftest import World
from tests.factories import make_deployment, make_project, make_token, signed_in
from tests.imports.histories import history, minute, post_history
from tests.imports.importing import post_file, rows
from tokens.scopes import Scope
from tokens.services import limit_token

COLUMNS = """
    kind date project deployment environment sha version branch title author email tags live rollback rolled_back
    first_commit_at lead_time commit_count file_count pull_request_count additions deletions status id registered_at url
""".split()  # noqa: SIM905 - as it stands in the first line of the file


def text(response: Any) -> str:
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content).decode()


def as_csv(response: Any) -> list[dict[str, str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="acme-timeline.csv"'
    return list(csv.DictReader(text(response).splitlines()))


def as_objects(response: Any) -> list[dict[str, Any]]:
    assert response["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in text(response).splitlines()]


@pytest.fixture
def client(ci: World, observer: User) -> Client:
    return signed_in(observer)


def test_every_column(ci: World, client: Client) -> None:
    ci.register(
        sha="abc",
        date=minute(0),
        branch="main",
        email="ada@example.com",
        tags="#hot,#fix",
        commits=[
            {
                "revision": "abc",
                "message": "One",
                "author": {"name": "Ada", "email": "ada@example.com"},
                "date": minute(-1),
            }
        ],
        files=[{"path": "a", "additions": 2, "deletions": 1}],
    )
    deploy = Deploy.objects.get()

    (row,) = as_objects(client.get("/acme/timeline?format=jsonl"))
    (cells,) = as_csv(client.get("/acme/timeline?format=csv"))

    assert list(row) == list(cells) == COLUMNS
    registered_at = row.pop("registered_at")
    assert row == {
        "kind": "deploy", "date": "2024-05-01T12:00:00Z", "project": "shop", "deployment": "storefront",
        "environment": "production", "sha": "abc", "version": None, "branch": "main", "title": "One", "author": "Ada",
        "email": "ada@example.com", "tags": ["#fix", "#hot"], "live": True, "rollback": False, "rolled_back": False,
        "first_commit_at": "2024-05-01T11:59:00Z", "lead_time": 60, "commit_count": 1, "file_count": 1,
        "pull_request_count": 0, "additions": 2, "deletions": 1, "status": "succeeded",
        "id": deploy.pk, "url": f"/acme/deploys/{deploy.pk}",
    }  # fmt: skip
    assert cells == {
        **{name: "" if value is None else str(value) for name, value in row.items()},
        "tags": "#fix #hot", "live": "true", "rollback": "false", "rolled_back": "false",
        "registered_at": registered_at,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "shas"),
    [
        ("/acme/timeline", "e d c a b a"),
        ("/acme/projects/shop/timeline", "d c a b a"),
        ("/acme/deployments/storefront", "d a b a"),
        ("/acme/projects/shop/environments/staging/timeline", "d"),
        ("/acme/timeline?kind=rollback", "a"),
        ("/acme/timeline?deployment=storefront&environment=production&kind=deploy", "a"),
        ("/acme/timeline?since=2024-05-02", "e d"),
        ("/acme/timeline?q=special", "c"),
        ("/acme/timeline?before=0-1", "e d c a b a"),
    ],
)
def test_every_timeline_with_its_filters(ci: World, client: Client, address: str, shas: str) -> None:
    post_history(ci, "a b a")
    other = make_deployment(ci.project, "Other")
    far = make_deployment(make_project(ci.organization, "Far"), "Far")
    for world, sha, date, environment, message in (
        (other, "c", minute(5), "production", "special"),
        (ci.deployment, "d", minute(24 * 60), "staging", ""),
        (far, "e", minute(24 * 60 + 1), "production", ""),
    ):
        path = ci.path.replace("storefront", world.slug)
        commits = [{"revision": sha, "message": message}]
        assert ci.register(path=path, sha=sha, date=date, environment=environment, commits=commits).status_code == 200
    mark = "&" if "?" in address else "?"

    assert [row["sha"] for row in as_objects(client.get(f"{address}{mark}format=jsonl"))] == shas.split()
    assert [row["sha"] for row in as_csv(client.get(f"{address}{mark}format=csv"))] == shas.split()


def test_the_page_links_the_downloads_with_its_filters(ci: World, client: Client) -> None:
    ci.register(sha="abc")
    page = client.get("/acme/timeline?kind=deploy&before=9000000000000000-1").content.decode()
    assert 'href="?kind=deploy&amp;format=csv"' in page
    assert 'href="?kind=deploy&amp;format=jsonl"' in page
    assert client.get("/acme/timeline?format=pdf").status_code == 200
    assert b"cannot be applied" in client.get("/acme/timeline?since=x&format=csv").content


def test_a_formula_is_no_formula(ci: World, client: Client) -> None:
    ci.register(sha="=1+1", commits=[{"revision": "=1+1", "message": "@SUM(A1)", "author": {"name": "+1"}}])
    (row,) = as_csv(client.get("/acme/timeline?format=csv"))
    assert (row["sha"], row["title"], row["author"]) == ("'=1+1", "'@SUM(A1)", "'+1")


def test_an_export_of_one_target_can_be_imported(ci: World, client: Client) -> None:
    post_history(
        ci, "a b c a d b", commits=[{"revision": "x", "message": 'One, "two"', "date": minute(-9)}], branch="main"
    )
    before = history(ci)
    rest = list(
        Deploy.objects.order_by("deployed_at").values("deployed_at", "title", "branch", "lead_time", "author_name")
    )
    exported = text(client.get("/acme/deployments/storefront?environment=production&format=csv"))

    assert post_file(ci, exported).content == b"Success"

    assert history(ci) == before
    assert rest == list(
        Deploy.objects.order_by("deployed_at").values("deployed_at", "title", "branch", "lead_time", "author_name")
    )


def test_parts_follow_each_other_without_a_gap(ci: World, client: Client) -> None:
    start = timezone.now() - timedelta(days=300)
    lines = [f"{n:x},{(start + timedelta(minutes=n // 2)).isoformat()}" for n in range(2 * PART + 1)]
    post_file(ci, rows(*lines))
    Deploy.objects.filter(sha__in=["0", "7d0"]).update(deleted_at=start)

    with CaptureQueriesContext(connection) as queries:
        response: Any = client.get("/acme/timeline?format=jsonl")
        first_piece = next(pieces := iter(response.streaming_content))
        of_first_piece = len(queries)
        exported = b"".join([first_piece, *pieces])

    assert [json.loads(line)["sha"] for line in exported.splitlines()] == [
        f"{n:x}" for n in range(2 * PART, -1, -1) if n not in (0, 2000)
    ]
    # For each part its end, its deploys and their tags: the third has none.
    assert len(queries) - of_first_piece == 3 + 2


def test_every_byte(ci: World, client: Client) -> None:
    commit = {"revision": "a", "message": '=Ünï, "cöde" \\', "author": {"name": "Ada, Countess"}, "date": minute(-1.5)}
    ci.register(sha="a", date=minute(0), branch="main", tags="#zeta,#alpha", commits=[commit])
    ci.register(sha="b", date=minute(1))
    ci.register(sha="a", date=minute(1))
    ci.record(name="Scaled up", date=minute(1), author="ada@example.com", tags="#scale")
    a, b, again = Deploy.objects.order_by("id")
    change = ManualChange.objects.get()
    at = [f"{entry.created_at.isoformat().removesuffix('+00:00')}Z" for entry in (a, b, again, change)]

    as_lines = text(client.get("/acme/timeline?format=jsonl"))
    as_table = text(client.get("/acme/timeline?format=csv"))

    nothing = '"commit_count": 0, "file_count": 0, "pull_request_count": 0, "additions": 0, "deletions": 0'
    assert as_lines.splitlines() == [
        '{"kind": "manual_change", "date": "2024-05-01T12:01:00Z", "project": "shop", "deployment": null,'
        ' "environment": "production", "sha": null, "version": null, "branch": null, "title": "Scaled up",'
        ' "author": null, "email":'
        ' "ada@example.com", "tags": ["#scale"], "live": null, "rollback": null, "rolled_back": null,'
        ' "first_commit_at": null, "lead_time": null, "commit_count": null, "file_count": null,'
        ' "pull_request_count": null, "additions":'
        f' null, "deletions": null, "status": null, "id": {change.pk}, "registered_at": "{at[3]}", "url":'
        f' "/acme/manual-changes/{change.pk}"}}',
        *(
            '{"kind": "deploy", "date": "2024-05-01T12:01:00Z", "project": "shop", "deployment": "storefront",'
            f' "environment": "production", "sha": "{deploy.sha}", "version": null, "branch": null, "title": null,'
            f' "author": null, "email": null, "tags": [], "live": {live}, "rollback": {live}, "rolled_back": {undone},'
            f' "first_commit_at": null, "lead_time": null, {nothing}, "status": "succeeded",'
            f' "id": {deploy.pk}, "registered_at": "{moment}",'
            f' "url": "/acme/deploys/{deploy.pk}"}}'
            for deploy, live, undone, moment in ((again, "true", "false", at[2]), (b, "false", "true", at[1]))
        ),
        '{"kind": "deploy", "date": "2024-05-01T12:00:00Z", "project": "shop", "deployment": "storefront",'
        ' "environment": "production", "sha": "a", "version": null, "branch": "main", "title":'
        ' "=Ünï, \\"cöde\\" \\\\", "author": "Ada, Countess", "email": null, "tags": ["#alpha", "#zeta"],'
        ' "live": false, "rollback": false, "rolled_back": false, "first_commit_at": "2024-05-01T11:58:30Z",'
        ' "lead_time": 90,'
        f' {nothing.replace("0", "1", 1)}, "status": "succeeded",'
        f' "id": {a.pk}, "registered_at": "{at[0]}", "url": "/acme/deploys/{a.pk}"}}',
    ]
    assert as_lines.endswith("\n")
    place = "shop,storefront,production"
    assert as_table == "".join(
        f"{line}\r\n"
        for line in (
            ",".join(COLUMNS),
            "manual_change,2024-05-01T12:01:00Z,shop,,production,,,,Scaled up,,ada@example.com,#scale,,,,,,,,,,,,"
            f"{change.pk},{at[3]},/acme/manual-changes/{change.pk}",
            f"deploy,2024-05-01T12:01:00Z,{place},a,,,,,,,true,true,false,,,0,0,0,0,0,succeeded,"
            f"{again.pk},{at[2]},/acme/deploys/{again.pk}",
            f"deploy,2024-05-01T12:01:00Z,{place},b,,,,,,,false,false,true,,,0,0,0,0,0,succeeded,"
            f"{b.pk},{at[1]},/acme/deploys/{b.pk}",
            f"""deploy,2024-05-01T12:00:00Z,{place},a,,main,"'=Ünï, ""cöde"" \\","Ada, Countess",,#alpha #zeta,"""
            f"false,false,false,2024-05-01T11:58:30Z,90,1,0,0,0,0,succeeded,{a.pk},{at[0]},/acme/deploys/{a.pk}",
        )
    )


class TestApi:
    PATH = "/api/1/organizations/acme/timeline"

    def read(self, ci: World, query: str = "", secret: str = "") -> Any:
        return ci.client.get(self.PATH + query, headers=bearer(secret))

    def test_with_filters(self, ci: World) -> None:
        _, reader = make_token(ci.organization, Scope.READ)
        post_history(ci, "a b a")
        assert [row["sha"] for row in as_objects(self.read(ci, secret=reader))] == ["a", "b", "a"]
        query = "?format=csv&environment=production&deployment=storefront&kind=rollback&project=shop"
        assert [row["sha"] for row in as_csv(self.read(ci, query, reader))] == ["a"]
        for query in ("?format=pdf", "?since=soon", "?project=none", "?sha=a", "?q=%00"):
            response = self.read(ci, query, reader)
            assert response.status_code == 400
            assert_sentence(response)

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("environment=nowhere", "environment: There is no environment nowhere: there are production, staging."),
            ("environment=nowhere&format=csv", "environment: There is no environment nowhere: there are prod"),
            ("project=none", "project: There is no project none: there is shop."),
            ("deployment=none", "deployment: There is no deployment none: there is storefront."),
            ("kind=x", "kind: Write deploy, rollback, rolled_back, manual_change or nothing."),
            ("since=yesterday", "since: Write a day such as 2024-05-01, or a moment such as"),
            ("q=a&q=b", "q came more than once"),
        ],
    )
    def test_what_cannot_be_asked(self, ci: World, query: str, sentence: str) -> None:
        _, reader = make_token(ci.organization, Scope.READ)
        response = self.read(ci, f"?{query}", reader)
        assert response.status_code == 400
        assert assert_sentence(response).startswith(sentence)

    @pytest.mark.parametrize(
        ("query", "shas"),
        [
            ("since=2024-05-01T12:01:00Z", "c b"),
            ("since=2024-05-01T14:01:00%2B02:00&until=2024-05-01T12:02:00Z", "b"),
            ("until=2024-05-01", "c b a"),
            ("environment=PRODUCTION&project=Shop&deployment=StoreFront", "c b a"),
            ("version=V1", "b"),
            ("environment=staging", ""),
            ("environment=&since=&kind=", "c b a"),
        ],
    )
    def test_filters_are_those_of_the_lists(self, ci: World, query: str, shas: str) -> None:
        _, reader = make_token(ci.organization, Scope.READ)
        post_history(ci, "a b c")
        Deploy.objects.filter(sha="b").update(version="v1.2")
        assert [row["sha"] for row in as_objects(self.read(ci, f"?{query}", reader))] == shas.split()

    def test_who_may_read(self, ci: World, other: World) -> None:
        ci.register(sha="abc")
        assert self.read(ci, secret="gum_wrong").status_code == 401
        assert self.read(ci, secret=ci.secret).status_code == 403
        _, stranger = make_token(other.organization, Scope.READ)
        assert self.read(ci, secret=stranger).status_code == 401

    def test_a_limited_token_sees_what_it_is_limited_to(self, ci: World) -> None:
        ci.register(sha="a")
        ci.register(sha="b", environment="staging")
        other = make_deployment(ci.project, "Other")
        ci.register(path=ci.path.replace("storefront", other.slug), sha="c", environment="staging")
        staging = ci.project.environments.get(slug="staging")
        token, reader = make_token(ci.organization, Scope.READ, environments=[staging])
        assert sorted(row["sha"] for row in as_objects(self.read(ci, secret=reader))) == ["b", "c"]
        limit_token(token=token, deployments=[ci.deployment])
        assert [row["sha"] for row in as_objects(self.read(ci, secret=reader))] == ["b"]
        limit_token(token=token, deployments=[])
        assert as_objects(self.read(ci, secret=reader)) == []


def test_manual_changes_stand_among_the_deploys(ci: World, client: Client) -> None:
    ci.register(sha="a", date=minute(0))
    ci.record(name="Scaled up", date=minute(1), author="ada@example.com", tags="#scale")
    ci.register(sha="b", date=minute(2))
    token, limited = make_token(ci.organization, Scope.READ)
    limit_token(token=token, deployments=[ci.deployment])
    _, free = make_token(ci.organization, Scope.READ)
    address = "/api/1/organizations/acme/timeline"

    rows = as_objects(client.get("/acme/timeline?format=jsonl"))

    assert [row["sha"] or row["title"] for row in rows] == ["b", "Scaled up", "a"]
    page = client.get(rows[1]["url"])
    assert "Scaled up" in page.content.decode()
    stored = ("id", "registered_at", "url")
    assert {name: value for name, value in rows[1].items() if value is not None and name not in stored} == {
        "kind": "manual_change", "date": "2024-05-01T12:01:00Z", "project": "shop", "environment": "production",
        "title": "Scaled up", "email": "ada@example.com", "tags": ["#scale"],
    }  # fmt: skip
    assert [row["kind"] for row in as_csv(client.get("/acme/timeline?format=csv&kind=manual_change"))] == [
        "manual_change"
    ]
    counts = [len(as_objects(Client().get(address, headers=bearer(secret)))) for secret in (free, limited)]
    assert counts == [3, 2]


def lose_the_database(*statement: Any) -> Any:
    raise OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize(("form", "last"), [("csv", f"{BROKEN_OFF}\r\n"), ("jsonl", f'{{"error": "{BROKEN_OFF}"}}\n')])
def test_a_download_that_breaks_off_does_not_look_whole(form: str, last: str, ci: World, client: Client) -> None:
    start = timezone.now() - timedelta(days=300)
    post_file(ci, rows(*(f"{n:x},{(start + timedelta(minutes=n)).isoformat()}" for n in range(PART + 1))))
    response: Any = client.get(f"/acme/timeline?format={form}")

    pieces: list[str] = []
    with connection.execute_wrapper(lose_the_database), pytest.raises(OperationalError):
        pieces.extend(piece.decode() for piece in response.streaming_content)

    assert pieces[-1] == last
    assert BROKEN_OFF not in "".join(pieces[:-1])
