"""The read API's lists: what is in them, for whom, in pages, and not sent twice."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from deployments.models import Deploy, Deployment
from deployments.timeline import queries as timeline
from deployments.timeline import read_api as reading
from orgs.models import Environment, Project
from orgs.services import update_organization
from tests.calls import assert_sentence, bearer, call
from tests.conftest import World
from tests.documented import read
from tests.factories import make_deployment, make_project, make_token
from tests.imports.histories import minute
from tests.shared import shared_fixture
from tokens.scopes import Scope
from tokens.services import limit_token

ORGANIZATION = "/api/1/organizations/acme"
LISTS = ("/projects", "/environments", "/deployments", "/deploys")


def slugs(path: str, secret: str) -> list[str]:
    answer = read(f"{ORGANIZATION}{path}", secret)
    assert answer.status_code == 200, answer.content
    return [row.get("slug") or row["sha"] for row in answer.json()]


def following(response: Any, settings: Settings) -> str:
    """The next page's path, from its Link header; empty where there is none."""
    link = response.headers.get("Link", "")
    if not link:
        return ""
    assert link.startswith(f"<{settings.SITE_URL}/api/1/")
    assert link.endswith('>; rel="next"')
    return str(link.removeprefix(f"<{settings.SITE_URL}").removesuffix('>; rel="next"'))


def all_pages(path: str, secret: str, settings: Settings) -> list[list[dict[str, Any]]]:
    pages = []
    while path:
        answer = read(path, secret)
        assert answer.status_code == 200, answer.content
        pages.append(answer.json())
        path = following(answer, settings)
    return pages


@shared_fixture
def varied(ci: World) -> World:
    """Shop with storefront and api, data with loader; five deploys, the newest last: s1aa … s5aa."""
    make_deployment(ci.project, name="Api")
    data = make_project(ci.organization, "Data")
    make_deployment(data, name="Loader", repository_url="https://git.example.com/loader")
    places = (("storefront", "production"), ("api", "production"), ("loader", "staging"), ("storefront", "staging"))
    for number, (deployment, environment) in enumerate((*places, ("loader", "production")), 1):
        path = ci.path.replace("storefront", deployment)
        answer = ci.register(path=path, sha=f"s{number}aa", environment=environment, date=minute(number * 60 * 24))
        assert answer.status_code == 200
    return ci


class TestLists:
    def test_what_is_there(self, varied: World, reader: str) -> None:
        (organization,) = read("/api/1/organizations", reader).json()
        assert (organization["slug"], organization["name"], organization["time_zone"]) == ("acme", "Acme", "UTC")
        assert slugs("/projects", reader) == ["data", "shop"]
        assert slugs("/environments", reader) == ["staging", "staging", "production", "production"]
        assert slugs("/environments?project=shop", reader) == ["staging", "production"]
        assert slugs("/deployments", reader) == ["api", "loader", "storefront"]
        assert slugs("/deployments?project=shop", reader) == ["api", "storefront"]
        assert slugs("/deploys", reader) == ["s5aa", "s4aa", "s3aa", "s2aa", "s1aa"]

    def test_a_row_of_each(self, varied: World, reader: str) -> None:
        production = read(f"{ORGANIZATION}/environments?project=shop", reader).json()[1]
        loader = read(f"{ORGANIZATION}/deployments?project=data", reader).json()[0]
        deploy = read(f"{ORGANIZATION}/deploys?sha=s5aa", reader).json()[0]

        assert (production["project"], production["default"], production["position"]) == ("shop", True, 1)
        assert loader["repository"] == {"provider": "custom", "url": "https://git.example.com/loader"}
        alone = read(deploy["url"], reader).json()
        assert deploy == {name: alone[name] for name in deploy}
        assert set(alone) - set(deploy) == {"commits", "files", "pull_requests"}

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("project=data", "s5aa s3aa"),
            ("deployment=storefront", "s4aa s1aa"),
            ("deployment=STOREFRONT&environment=staging", "s4aa"),
            ("environment=staging", "s4aa s3aa"),
            ("environment=STAGING", "s4aa s3aa"),
            ("environment=Staging&project=Data", "s3aa"),
            ("project=DATA", "s5aa s3aa"),
            ("environment=staging&project=data", "s3aa"),
            ("kind=rollback", ""),
            ("sha=s3aa", "s3aa"),
            ("since=2024-05-05", "s5aa s4aa"),
            ("until=2024-05-03", "s2aa s1aa"),
            ("since=2024-05-05T12:00:00Z&until=2024-05-06T12:00:00Z", "s4aa"),
            ("since=2024-05-05T14:00:00%2B02:00", "s5aa s4aa"),
            ("since=&until=&project=", "s5aa s4aa s3aa s2aa s1aa"),
        ],
    )
    def test_filters(self, varied: World, reader: str, query: str, expected: str) -> None:
        assert " ".join(slugs(f"/deploys?{query}", reader)) == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("environment=ÜBER%20qa", "s4aa s3aa"),
            ("environment=über%20QA&project=the%20Dåta", "s3aa"),
            ("project=THE%20DÅTA", "s5aa s3aa"),
            ("deployment=the%20öffice", "s2aa"),
            # A slug goes before a name.
            ("environment=production", "s5aa s2aa s1aa"),
        ],
    )
    def test_filters_by_name(self, varied: World, reader: str, query: str, expected: str) -> None:
        Environment.objects.filter(slug="staging").update(name="Über QA")
        Environment.objects.filter(slug="staging", project__slug="shop").update(name="über qa")
        Project.objects.filter(slug="data").update(name="The Dåta")
        Deployment.objects.filter(slug="api").update(name="The Öffice")
        Environment.objects.create(project=varied.project, name="Production", slug="other", position=9)

        assert " ".join(slugs(f"/deploys?{query}", reader)) == expected
        if query.startswith("project"):
            assert slugs(f"/deployments?{query}", reader) == ["loader"]

    def test_by_version(self, ci: World, reader: str) -> None:
        for version, commit in (("v1.4.2", "a" * 40), ("v1.5.0", "b" * 40)):
            fields = {"app": "storefront", "environment": "production", "repositoryFullName": "acme/backend"}
            body = json.dumps({**fields, "version": version, "commitHash": commit})
            assert call("/v1/deployments", body, headers=bearer(ci.secret)).status_code == 202

        assert slugs("/deploys?version=V1.4", reader) == ["a" * 40]
        assert slugs("/deploys?version=v1", reader) == ["b" * 40, "a" * 40]

    @pytest.mark.parametrize(
        ("path", "says"),
        [
            ("/deploys?project=x", "project: There is no project x: there are data, shop."),
            ("/deploys?deployment=x", "deployment: There is no deployment x: there are api, loader, storefront."),
            ("/deploys?deployment=loader&project=shop", "deployment: Loader is not in Shop."),
            ("/deploys?environment=x", "environment: There is no environment x: there are production, staging."),
            ("/deploys?kind=x", "kind: Write deploy, rollback, rolled_back or nothing."),
            ("/deploys?kind=manual_change", "kind: Write deploy, rollback, rolled_back or nothing."),
            ("/deploys?since=yesterday", "since: Write a day"),
            ("/deploys?since=0001-01-01", "since: Write a day"),
            ("/deploys?until=9999-12-31T23:59:59-23:59", "until: Write a day"),
            ("/deploys?sha=abc", "sha: Write at least four characters"),
            (f"/deploys?q={'x' * 201}", "q: Ensure this value has at most 200 characters"),
            ("/deploys?q=%00", "The query string contains a NUL"),
            ("/deploys?q=%ff", "The query string is not UTF-8"),
            ("/deploys?q=a&q=b", "q came more than once"),
            ("/deploys?cursor=x", "The cursor does not come from"),
            ("/environments?project=x", "There is no project x: there are data, shop."),
            ("/environments?cursor=1", "The cursor does not come from"),
            ("/environments?cursor=1,x", "The cursor does not come from"),
            ("/deployments?project=%0a", "There is no project"),
            ("/projects?cursor=a,b", "The cursor does not come from"),
            ("/projects?cursor=shop", "The cursor does not come from"),
            ("/projects?cursor=Not%20a%20slug,1", "The cursor does not come from"),
            ("/deployments?cursor=api", "The cursor does not come from"),
            ("/deployments?cursor=,1", "The cursor does not come from"),
            *(
                (f"{path}?limit={limit}", "limit must be a whole number from 1 to 100.")
                for path in LISTS
                for limit in ("0", "101", "-1", "1.5", "many", "%D9%A1", "9" * 30)
            ),
        ],
    )
    def test_what_cannot_be_asked(self, varied: World, reader: str, path: str, says: str) -> None:
        answer = read(f"{ORGANIZATION}{path}", reader)
        assert answer.status_code == 400, answer.content
        assert says in assert_sentence(answer)

    @pytest.mark.parametrize("path", LISTS)
    @pytest.mark.parametrize("limit", ["1", "100", "007", ""])
    def test_a_limit(self, varied: World, reader: str, path: str, limit: str) -> None:
        rows = read(f"{ORGANIZATION}{path}", reader).json()

        limited = read(f"{ORGANIZATION}{path}?limit={limit}", reader)
        assert limited.json() == rows[: int(limit or 50)]
        assert ("limit=1&cursor=" in limited.headers.get("Link", "")) == (limit == "1" and len(rows) > 1)

    @pytest.mark.parametrize("cursor", ["999999999999999999", "0"])
    def test_a_cursor_of_anybodys(self, varied: World, reader: str, cursor: str) -> None:
        places = (f"/environments?cursor={cursor},{cursor}", f"/projects?cursor=x,{cursor}")
        for path in (*places, f"/deploys?cursor={cursor[:16]}-{cursor}"):
            assert read(f"{ORGANIZATION}{path}", reader).status_code == 200

    def test_days_are_those_of_the_organization(self, ci: World, reader: str) -> None:
        update_organization(organization=ci.organization, time_zone="Asia/Tokyo")
        ci.register(sha="late", date="2024-05-01T14:59:00Z")
        ci.register(sha="next", date="2024-05-01T15:01:00Z")

        assert slugs("/deploys?until=2024-05-01", reader) == ["late"]
        assert slugs("/deploys?since=2024-05-02", reader) == ["next"]


class TestPages:
    def test_the_places(self, varied: World, reader: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(4):
            make_deployment(varied.project, name=f"Worker {number}")
        monkeypatch.setattr(reading, "PAGE_SIZE", 2)
        for path in ("/projects", "/environments", "/deployments", "/deployments?project=shop"):
            pages = all_pages(f"{ORGANIZATION}{path}", reader, settings)
            monkeypatch.setattr(reading, "PAGE_SIZE", 100)
            assert [row for page in pages for row in page] == read(f"{ORGANIZATION}{path}", reader).json()
            monkeypatch.setattr(reading, "PAGE_SIZE", 2)
            assert {len(page) for page in pages[:-1]} <= {2}

    @pytest.mark.parametrize("path", LISTS)
    def test_of_the_callers_size(self, varied: World, reader: str, settings: Settings, path: str) -> None:
        whole = read(f"{ORGANIZATION}{path}", reader).json()
        pages = all_pages(f"{ORGANIZATION}{path}?limit=2", reader, settings)
        assert [row for page in pages for row in page] == whole
        assert {len(page) for page in pages[:-1]} <= {2}

    def test_deploys(self, varied: World, reader: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = read(f"{ORGANIZATION}/deploys", reader).json()
        Deploy.objects.update(deployed_at=minute(0))
        monkeypatch.setattr(timeline, "PAGE_SIZE", 2)
        pages = all_pages(f"{ORGANIZATION}/deploys?kind=deploy", reader, settings)
        assert [len(page) for page in pages] == [2, 2, 1]
        assert [row["id"] for page in pages for row in page] == sorted((row["id"] for row in whole), reverse=True)

    def test_a_search_goes_on_behind_an_empty_page(
        self, varied: World, reader: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(timeline, "SCAN_LIMIT_BY_PATTERN", 2)
        Deploy.objects.filter(sha="s1aa").update(author_name="Ann")
        pages = all_pages(f"{ORGANIZATION}/deploys?author=ann", reader, settings)
        assert [[row["sha"] for row in page] for page in pages] == [[], [], ["s1aa"]]

    def test_what_one_deploy_brought(
        self, ci: World, reader: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = ci.register(
            sha="a",
            commits=[{"revision": f"c{n}", "parents": ["p"], "files": ["a"]} for n in range(101)],
            files=[{"path": f"{n}.py", "additions": n} for n in range(101)],
            pull_requests=[{"number": n, "issue_keys": ["X-1"]} for n in range(101)],
        )["Location"]
        whole = read(url, reader).json()
        for name in ("commits", "files", "pull_requests"):
            assert all_pages(f"{url}/{name}?limit=1", reader, settings)[:3] == [[row] for row in whole[name][:3]]
            first, last = all_pages(f"{url}/{name}", reader, settings)
            assert (first, len(last)) == (whole[name], 1)
        assert whole["commits"][0]["revision"] == "c0"
        assert "parents" not in whole["commits"][0]

    def test_a_link_has_no_secret(self, varied: World, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "PAGE_SIZE", 1)
        answer = Client().get(f"{ORGANIZATION}/deployments?api_key={reader}&project=shop")
        assert "project=shop&cursor=api%2C" in answer["Link"]
        assert reader not in answer["Link"]

    @pytest.mark.parametrize("path", LISTS)
    def test_costs_the_same_at_one_row_and_at_three(self, ci: World, reader: str, path: str) -> None:
        def count_queries() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert Client().get(f"{ORGANIZATION}{path}", headers=bearer(reader)).status_code == 200
            return len(queries)

        ci.register(sha="a", tags="#a", links={"a": "https://example.com"})
        count_queries()
        at_one = count_queries()
        for name in ("Data", "Ops"):
            project = make_project(ci.organization, name)
            make_deployment(project, name=f"{name} loader")
            path_of = ci.path.replace("storefront", f"{name.lower()}-loader")
            assert ci.register(path=path_of, sha="b", tags="#a", links={"a": "https://example.com"}).status_code == 200
        assert len(read(f"{ORGANIZATION}{path}", reader).json()) >= 3
        assert count_queries() == at_one <= 6


class TestWhoMay:
    PATHS = ("/api/1/organizations", *(f"{ORGANIZATION}{path}" for path in LISTS))

    @pytest.mark.parametrize("path", PATHS)
    def test_by_scope_and_organization(self, ci: World, other: World, reader: str, path: str) -> None:
        all_ = make_token(ci.organization, Scope.ALL)[1]
        stranger = make_token(other.organization, Scope.READ)[1]
        asked = {secret: read(path, secret) for secret in (reader, all_, ci.secret, stranger, "gum_x")}

        has_place = path.count("/") > 3
        assert [answer.status_code for answer in asked.values()] == [200, 200, 403, 401 if has_place else 200, 401]
        for answer in asked.values():
            if answer.status_code > 400:
                assert_sentence(answer)
            assert "globex" not in answer.content.decode() or answer == asked[stranger]

    def test_nothing_of_another_organization(self, ci: World, other: World, reader: str) -> None:
        ci.register(sha="a")
        mine = [read(path, reader).json() for path in self.PATHS]
        other.register(sha="b")
        make_deployment(make_project(other.organization, "Secret"), name="Secret")
        assert [read(path, reader).json() for path in self.PATHS] == mine

    def test_limited_to_deployments(self, varied: World) -> None:
        token, secret = make_token(varied.organization, Scope.READ)
        limit_token(token=token, deployments=list(varied.organization.deployments.filter(slug__in=["api"])))

        assert slugs("/projects", secret) == ["shop"]
        assert slugs("/environments", secret) == ["staging", "production"]
        assert slugs("/deployments", secret) == ["api"]
        assert slugs("/deploys", secret) == slugs("/deploys?project=shop", secret) == ["s2aa"]
        for hidden in ("deployment=storefront", "project=data"):
            assert read(f"{ORGANIZATION}/deploys?{hidden}", secret).status_code == 400
        assert read(f"{ORGANIZATION}/deployments?project=data", secret).status_code == 400
        limit_token(token=token, deployments=[])
        assert [slugs(path, secret) for path in LISTS] == [[], [], [], []]

    def test_limited_to_environments(self, varied: World) -> None:
        staging = varied.project.environments.get(slug="staging")
        secret = make_token(varied.organization, Scope.READ, environments=[staging])[1]

        assert slugs("/projects", secret) == ["shop"]
        assert slugs("/environments", secret) == ["staging"]
        assert slugs("/deployments", secret) == ["api", "storefront"]
        assert slugs("/deploys", secret) == slugs("/deploys?environment=staging", secret) == ["s4aa"]
        assert slugs("/deploys?deployment=storefront", secret) == ["s4aa"]
        assert read(f"{ORGANIZATION}/deploys?environment=production", secret).status_code == 400

    def test_a_deploy_and_its_lists_outside_the_limits(self, varied: World) -> None:
        token, secret = make_token(varied.organization, Scope.READ)
        limit_token(token=token, deployments=list(varied.organization.deployments.filter(slug="api")))
        for sha, status in (("s2aa", 200), ("s1aa", 404)):
            deploy = Deploy.objects.get(sha=sha).pk
            for part in ("", "/commits", "/files", "/pull_requests"):
                assert read(f"{ORGANIZATION}/deploys/{deploy}{part}", secret).status_code == status
        assert read(f"{ORGANIZATION}/deploys/{'9' * 40}", secret).status_code == 404

    def test_a_deleted_deploy_is_gone(self, varied: World, reader: str) -> None:
        deploy = Deploy.objects.get(sha="s1aa")
        Deploy.objects.filter(pk=deploy.pk).update(deleted_at=minute(0))
        assert read(f"{ORGANIZATION}/deploys/{deploy.pk}", reader).status_code == 404
        assert "s1aa" not in slugs("/deploys", reader)


class TestNotTwice:
    @pytest.mark.parametrize("path", LISTS)
    def test_304_until_something_changes(self, varied: World, reader: str, path: str) -> None:
        first = read(f"{ORGANIZATION}{path}", reader)
        tag = first["ETag"]
        for seen in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            again = read(f"{ORGANIZATION}{path}", reader, **{"If-None-Match": seen})
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        assert read(f"{ORGANIZATION}{path}", reader, **{"If-None-Match": '"x"'}).status_code == 200
        assert first["Cache-Control"] == "private, no-cache"

    def test_a_health_that_is_set_is_a_change(self, varied: World, reader: str) -> None:
        url = read(f"{ORGANIZATION}/deploys", reader).json()[0]["url"]
        for path in (url, f"{ORGANIZATION}/deploys"):
            Deploy.objects.update(health_set=None, health_set_by=None, health_set_at=None)
            tag = read(path, reader)["ETag"]
            Deploy.objects.update(health_set="ailing", health_set_by="token ci", health_set_at=minute(0))
            answer = read(path, reader, **{"If-None-Match": tag})
            assert answer.status_code == 200
            assert "ailing" in answer.content.decode()


def test_what_is_live_is_as_documented(varied: World, reader: str) -> None:
    assert read(f"{ORGANIZATION}/live", reader).status_code == 200
    assert read(f"{ORGANIZATION}/live?format=xml", reader).status_code == 400
