"""Timelines: what they show, their filters, their pages, and what they send while a reader waits."""

import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from deployments.models import Deploy
from deployments.setup.deletion import delete_project
from deployments.timeline import queries as timeline
from deployments.timeline.pager import Key
from orgs.models import Project, User
from orgs.services import update_organization
from tests.conftest import World
from tests.factories import make_deployment, make_project, signed_in
from tests.imports.histories import minute, post_history
from tests.shared import shared_fixture

ORGANIZATION = "/acme/timeline"
PLACES = (
    ORGANIZATION,
    "/acme/projects/shop/timeline",
    "/acme/projects/shop/environments/production/timeline",
    "/acme/deployments/storefront",
)


def shas(html: str) -> list[str]:
    """Of the rows, in their order."""
    return re.findall(r'<code title="([^"]*)">', html.split('id="timeline"')[1])


@pytest.fixture
def look(observer: User) -> Any:
    client = signed_in(observer)

    def look(path: str = ORGANIZATION, **headers: str) -> str:
        response = client.get(path, headers=headers)
        assert response.status_code == 200
        html: str = response.content.decode()
        return html

    return look


@shared_fixture
def six_deploys(ci: World) -> World:
    """Six deploys of two projects, the newest last: s1 … s6."""
    data = make_project(ci.organization, "Data")
    make_deployment(data, name="Loader")
    loader = ci.path.replace("storefront", "loader")
    ann, bob = ({"name": "Ann Müller", "email": "ann@example.com"}, {"name": "", "email": "bob@example.com"})

    def commits(sha: str, message: str, author: Any) -> list[Any]:
        other = {"revision": "0", "message": "Tidy", "date": minute(-9)}
        return [other, {"revision": sha, "message": message, "author": author, "date": minute(-1)}]

    calls: list[dict[str, Any]] = [
        {"environment": "production", "commits": commits("s1aa", "Überweisung per 100%", ann)},
        {"environment": "staging", "commits": commits("s2aa", "Fix (it) [now]\n\nThe Ölpreis was off.", bob)},
        {"environment": "production", "tags": "#hotfix", "commits": commits("s3aa", "Undo", ann)},
        {"environment": "production", "path": loader},
        {"environment": "staging", "path": loader, "tags": "#hotfix,#docker"},
        {"environment": "production"},
    ]
    for sha, day, call in zip(("s1aa", "s2aa", "s3aa", "s4aa", "s5aa", "s1aa"), range(1, 7), calls, strict=True):
        assert ci.register(sha=sha, date=minute(day * 60 * 24), **call).status_code == 200
    return ci


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (ORGANIZATION, "s1aa s5aa s4aa s3aa s2aa s1aa"),
        (PLACES[1], "s1aa s3aa s2aa s1aa"),
        (PLACES[2], "s1aa s3aa s1aa"),
        (PLACES[3], "s1aa s3aa s2aa s1aa"),
        (f"{ORGANIZATION}?project=data", "s5aa s4aa"),
        (f"{ORGANIZATION}?environment=staging", "s5aa s2aa"),
        (f"{ORGANIZATION}?environment=staging&project=data", "s5aa"),
        (f"{ORGANIZATION}?deployment=loader", "s5aa s4aa"),
        (f"{ORGANIZATION}?deployment=loader&environment=staging", "s5aa"),
        (f"{PLACES[3]}?environment=staging", "s2aa"),
        (f"{ORGANIZATION}?kind=rollback", "s1aa"),
        (f"{ORGANIZATION}?kind=rolled_back", "s3aa"),
        (f"{ORGANIZATION}?kind=deploy", "s5aa s4aa s2aa s1aa"),
        (f"{ORGANIZATION}?tag=rollback", "s1aa"),
        (f"{ORGANIZATION}?tag=%23rolled_back", "s3aa"),
        (f"{ORGANIZATION}?tag=hotfix", "s5aa s3aa"),
        (f"{ORGANIZATION}?tag=Docker", "s5aa"),
        (f"{ORGANIZATION}?tag=dock", ""),
        (f"{ORGANIZATION}?author=MÜLLER", "s3aa s1aa"),
        (f"{ORGANIZATION}?author=bob@", "s2aa"),
        (f"{ORGANIZATION}?sha=S5AA", "s5aa"),
        (f"{ORGANIZATION}?sha=5aa2", ""),
        (f"{ORGANIZATION}?q=ÜBERWEISUNG", "s1aa"),
        (f"{ORGANIZATION}?q=überweisung+PER", "s1aa"),
        (f"{ORGANIZATION}?q=100%25", "s1aa"),
        (f"{ORGANIZATION}?q=10_%25", ""),
        (f"{ORGANIZATION}?q=(IT)+[now]", "s2aa"),
        (f"{ORGANIZATION}?q=ölpreis", "s2aa"),
        (f"{ORGANIZATION}?q=tidy", "s3aa s2aa s1aa"),
        (f"{ORGANIZATION}?q=nothing", ""),
        (f"{ORGANIZATION}?since=2024-05-06", "s1aa s5aa"),
        (f"{ORGANIZATION}?until=2024-05-03", "s2aa s1aa"),
        (f"{ORGANIZATION}?since=2024-05-03&until=2024-05-03", "s2aa"),
        (f"{ORGANIZATION}?kind=rollback&author=ann", ""),
    ],
)
def test_filters(six_deploys: World, look: Any, path: str, expected: str) -> None:
    assert " ".join(shas(look(path))) == expected


def test_a_hash_is_found_however_it_is_written_and_however_far_back(
    ci: World, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "SCAN_LIMIT", 1)
    sha = "abcdef9" + "0" * 33
    for number, other in enumerate((sha, "abcdefa" + "0" * 33, "abcdf" + "0" * 35, "f" * 40)):
        ci.register(sha=other, date=minute(number))

    assert shas(look(f"{ORGANIZATION}?sha=ABCDEF9")) == [sha]
    assert shas(look(f"{ORGANIZATION}?sha={sha}")) == [sha]
    assert shas(look(f"{ORGANIZATION}?sha=abcde")) == ["abcdefa" + "0" * 33, sha]
    assert shas(look(f"{ORGANIZATION}?sha=ffff")) == ["f" * 40]


def test_days_are_those_of_the_organization(ci: World, look: Any) -> None:
    update_organization(organization=ci.organization, time_zone="Asia/Tokyo")
    ci.register(sha="late", date="2024-05-01T14:59:00Z")
    ci.register(sha="early", date="2024-05-01T15:01:00Z")

    with travel(datetime(2024, 5, 2, 3, tzinfo=UTC), tick=False):
        html = look()
        assert html.index("Today") < html.index("early") < html.index("Yesterday") < html.index("late")
        assert shas(look(f"{ORGANIZATION}?since=2024-05-02")) == ["early"]
        assert shas(look(f"{ORGANIZATION}?until=2024-05-01")) == ["late"]


def test_a_rollback_and_what_it_undid_are_joined_in_words(ci: World, look: Any) -> None:
    post_history(ci, "a b a c d c")
    second_a = Deploy.objects.filter(sha="a").latest("deployed_at")
    b, d = Deploy.objects.get(sha="b"), Deploy.objects.get(sha="d")

    html = " ".join(look().split())

    assert f'rolled back <a href="/acme/deploys/{b.pk}">b</a>' in html
    assert f'rolled back <a href="/acme/deploys/{d.pk}">d</a>' in html
    assert f'by <a href="/acme/deploys/{second_a.pk}">a</a>' in html
    assert re.findall(
        r"Live rollback|Rollback|Rolled back|Replaced|Live(?=</span>)", html.split('id="timeline"')[1]
    ) == [
        "Live rollback",
        "Rolled back",
        "Replaced",
        "Rollback",
        "Rolled back",
        "Replaced",
    ]
    assert html.count("lane-start") == html.count("lane-end") == 2


def test_texts_of_callers_are_text(ci: World, look: Any) -> None:
    ci.register(sha="1<b>", commits=[{"revision": "<b>", "message": "<script>alert(1)</script>"}])

    html = look()

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize("path", PLACES)
def test_pages_lead_back_and_forth_over_every_deploy_once(
    six_deploys: World, look: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for number in range(3):
        six_deploys.register(sha=f"same{number}", date=minute(60 * 24), environment="production", branch=str(number))
    expected = shas(look(path))
    monkeypatch.setattr(timeline, "PAGE_SIZE", 2)

    html, pages = look(path), []
    while True:
        pages.append(shas(html))
        if not (older := re.search(r'href="([^"]*)" rel="next"', html)):
            break
        html = look(path + older[1])
    assert list(chain.from_iterable(pages)) == expected

    back = [pages.pop()]
    while newer := re.search(r'href="([^"]*)" rel="prev"', html):
        html = look(path + newer[1])
        back.insert(0, shas(html))
    assert back[0] == expected[:2]
    assert [sha for page in back[1:] for sha in page] == expected[-sum(map(len, back[1:])) :]


def test_a_search_stops_and_says_how_far_it_looked(
    six_deploys: World, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "SCAN_LIMIT_WITH_COMMITS", 4)

    html = look(f"{ORGANIZATION}?q=überweisung")

    assert shas(html) == []
    assert "Searched 4 deploys, as far as <time" in " ".join(html.split())
    further = re.search(r'href="([^"]*)" rel="next"', html)
    assert further
    assert "Search further back" in html
    assert shas(look(ORGANIZATION + further[1].replace("&amp;", "&"))) == ["s1aa"]


def test_sifting_looks_at_every_deploy_once(six_deploys: World, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        six_deploys.register(sha=f"same{number}", date=minute(60 * 24), environment="production", tags="#hotfix")
    expected = shas(look(f"{ORGANIZATION}?tag=hotfix"))
    monkeypatch.setattr(timeline, "SCAN_LIMIT_BY_PATTERN", 2)

    found: list[str] = []
    query = "?tag=hotfix"
    while True:
        html = look(ORGANIZATION + query)
        found += shas(html)
        if not (older := re.search(r'href="([^"]*)" rel="next"', html)):
            break
        query = older[1].replace("&amp;", "&")

    assert found == expected


@pytest.mark.parametrize("path", PLACES)
def test_only_what_is_new_is_sent(ci: World, observer: User, path: str) -> None:
    client = signed_in(observer)
    ci.register(sha="a", date=minute(1), environment="production")

    def poll(seen: str) -> Any:
        return client.get(path, headers={"HX-Request": "true", "If-None-Match": seen})

    first = poll("")
    seen = re.search(r'"If-None-Match": "([^"]*)"}', first.content.decode())
    assert seen
    seen_tag = seen[1].encode().decode("unicode_escape")
    assert (poll(seen_tag).status_code, poll(seen_tag).content) == (204, b"")

    ci.register(sha="earlier", date=minute(0), environment="production")
    answer = poll(seen_tag)

    assert answer.status_code == 200
    assert shas(answer.content.decode()) == ["a", "earlier"]
    assert b"<html" not in answer.content

    Deploy.objects.filter(sha="a").update(health_set="ailing", health_set_by="token ci", health_set_at=minute(2))
    seen = re.search(r'"If-None-Match": "([^"]*)"}', answer.content.decode())
    assert seen
    answer = poll(seen[1].encode().decode("unicode_escape"))
    assert answer.status_code == 200
    assert b"Ailing" in answer.content


def test_pages_behind_the_first_do_not_poll(six_deploys: World, look: Any) -> None:
    newest = Deploy.objects.latest("deployed_at")

    assert "hx-get" in look()
    assert "hx-get" not in look(f"{ORGANIZATION}?before={Key.of(newest)}")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("deployment=none", "There is no deployment none."),
        ("deployment=loader&project=shop", "Loader is not in Shop."),
        ("project=none", "There is no project none."),
        ("since=yesterday", "Enter a valid date."),
        ("since=9999-12-31", "Ensure this value is less than"),
        ("sha=abc", "Write at least four characters of the sha."),
        ("q=%00", "Null characters are not allowed."),
        ("kind=odd", "Select a valid choice."),
    ],
)
def test_a_filter_that_makes_no_sense_is_explained(six_deploys: World, look: Any, query: str, words: str) -> None:
    html = look(f"{ORGANIZATION}?{query}")

    assert words in html
    assert "These filters cannot be applied" in html


@pytest.mark.parametrize(
    "query", ["before=x", "before=1-99999999999999999999", "after=9999999999999999-1", "q=%5B%28%5C"]
)
def test_no_address_breaks_the_page(six_deploys: World, look: Any, query: str) -> None:
    look(f"{ORGANIZATION}?{query}")


def test_each_filter_can_be_taken_away(six_deploys: World, look: Any) -> None:
    html = look(f"{ORGANIZATION}?q=x&tag=y&before=1-1")

    assert 'href="?tag=y"' in html
    assert 'href="?q=x"' in html


def test_what_was_deleted_stays_in_history_without_a_page(six_deploys: World, look: Any, observer: User) -> None:
    delete_project(project=Project.objects.get(slug="data"))

    assert "s5aa" in shas(look())
    for gone in ("projects/data/timeline", "projects/data/environments/staging/timeline", "deployments/loader"):
        assert signed_in(observer).get(f"/acme/{gone}").status_code == 404
    deploy = Deploy.objects.get(sha="s5aa")
    page = look(f"/acme/deploys/{deploy.pk}")
    assert "Loader (deleted)" in page
    assert "/acme/projects/data/" not in page


@pytest.mark.parametrize("path", PLACES)
def test_who_sees_a_timeline(ci: World, developer: User, observer: User, stranger: User, path: str) -> None:
    assert [signed_in(user).get(path).status_code for user in (developer, observer, stranger)] == [200, 200, 404]
    assert Client().get(path)["Location"] == f"/accounts/login/?next={path}"


def test_another_organizations_places_are_not_found(ci: World, other: World, observer: User) -> None:
    make_deployment(make_project(other.organization, "Secret"), name="Hidden")
    client = signed_in(observer)

    assert client.get("/acme/projects/secret/timeline").status_code == 404
    assert client.get("/acme/deployments/hidden").status_code == 404
    assert "There is no deployment hidden." in client.get(f"{ORGANIZATION}?deployment=hidden").content.decode()


@pytest.mark.parametrize("path", [*PLACES, f"{ORGANIZATION}?q=x", f"{ORGANIZATION}?kind=rolled_back"])
def test_the_number_of_queries_does_not_grow(ci: World, observer: User, path: str) -> None:
    client = signed_in(observer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        return len(captured)

    post_history(ci, "a b a", tags="#x")
    queries()
    first = queries()
    start = datetime(2024, 5, 2, tzinfo=UTC)
    for number, sha in enumerate("efedgd"):
        ci.register(sha=sha, date=(start + timedelta(minutes=number)).isoformat(), tags="#x,#y")

    assert queries() == first
