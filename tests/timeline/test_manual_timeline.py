"""Manual changes on timelines, beside the deploys."""

import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployments.manual_changes.services import delete_manual_change
from deployments.models import ManualChange
from deployments.timeline import queries as timeline
from deployments.timeline.pager import Key
from orgs.models import User
from tests.conftest import World
from tests.factories import make_project, signed_in
from tests.imports.histories import minute, post_history
from tests.shared import shared_fixture

ORGANIZATION = "/acme/timeline"
PROJECT = "/acme/projects/shop/timeline"
PRODUCTION = "/acme/projects/shop/environments/production/timeline"
DEPLOYMENT = "/acme/deployments/storefront"
ENTRY = re.compile(r'<code title="([^"]*)">|<a class="title" href="/acme/manual-changes/\d+" title="([^"]*)">')


def entries(html: str) -> list[str]:
    """The shas and names of the rows, in their order."""
    return [sha or name for sha, name in ENTRY.findall(html.split('id="timeline"')[1])]


@pytest.fixture
def look(observer: User) -> Any:
    client = signed_in(observer)

    def look(path: str = ORGANIZATION) -> str:
        response = client.get(path)
        assert response.status_code == 200
        html: str = response.content.decode()
        return html

    return look


@shared_fixture
def mixed(ci: World) -> World:
    """d1, c2, d3, c4, c5 of another project and d6, a day apart; c4b is of the same moment as d4."""
    make_project(ci.organization, "Data")
    data = ci.manual_path.replace("shop", "data")

    def day(number: int) -> str:
        return minute(number * 60 * 24)

    ann, bob = "Ann.Müller@example.com", "bob@example.com"
    answers = [
        ci.register(sha="d1", date=day(1), environment="staging", email=ann),
        ci.record(name="c2", date=day(2), environment="staging", author=ann, tags="#infra,#web"),
        ci.register(sha="d3", date=day(3), tags="#infra"),
        ci.register(sha="d4", date=day(4)),
        ci.record(name="c4", date=day(4), description="Für die Überweisung (100 %)", email=bob),
        ci.register(path=data, name="c5", date=day(5), tags="#web-tier"),
        ci.register(sha="d3", date=day(6)),
    ]
    assert [answer.status_code for answer in answers] == [200] * 7
    return ci


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (ORGANIZATION, "d3 c5 c4 d4 d3 c2 d1"),
        (PROJECT, "d3 c4 d4 d3 c2 d1"),
        (PRODUCTION, "d3 c4 d4 d3"),
        (DEPLOYMENT, "d3 d4 d3 d1"),
        (f"{ORGANIZATION}?project=data", "c5"),
        (f"{ORGANIZATION}?environment=staging", "c2 d1"),
        (f"{ORGANIZATION}?environment=production", "d3 c5 c4 d4 d3"),
        (f"{ORGANIZATION}?environment=nowhere", ""),
        (f"{ORGANIZATION}?kind=manual_change", "c5 c4 c2"),
        (f"{PRODUCTION}?kind=manual_change", "c4"),
        (f"{ORGANIZATION}?kind=deploy", "d3 d1"),
        (f"{ORGANIZATION}?kind=rollback", "d3"),
        (f"{ORGANIZATION}?kind=rolled_back", "d4"),
        (f"{ORGANIZATION}?deployment=storefront", "d3 d4 d3 d1"),
        (f"{ORGANIZATION}?sha=d3aa", ""),
        (f"{ORGANIZATION}?tag=infra", "d3 c2"),
        (f"{ORGANIZATION}?tag=%23WEB", "c2"),
        (f"{ORGANIZATION}?tag=we", ""),
        (f"{ORGANIZATION}?tag=infra,web", "c2"),
        (f"{ORGANIZATION}?tag=(", ""),
        (f"{ORGANIZATION}?tag=rollback", "d3"),
        (f"{ORGANIZATION}?author=müller", "c2 d1"),
        (f"{ORGANIZATION}?author=bob", "c4"),
        (f"{ORGANIZATION}?q=ÜBERWEISUNG", "c4"),
        (f"{ORGANIZATION}?q=(100+%25)", "c4"),
        (f"{ORGANIZATION}?q=C2", "c2"),
        (f"{ORGANIZATION}?q=nothing", ""),
        (f"{ORGANIZATION}?version=zzz", ""),
        (f"{ORGANIZATION}?version=c", ""),
        (f"{ORGANIZATION}?version=zzz&kind=manual_change", ""),
        (f"{ORGANIZATION}?tag=deploy", ""),
        (f"{ORGANIZATION}?q=d4", "d4"),
        (f"{ORGANIZATION}?q=BOB", "c4"),
        (f"{ORGANIZATION}?since=2024-05-05&until=2024-05-06", "c5 c4 d4"),
        (f"{ORGANIZATION}?kind=manual_change&q=c&tag=web-tier", "c5"),
    ],
)
def test_filters(mixed: World, look: Any, path: str, expected: str) -> None:
    assert " ".join(entries(look(path))) == expected


def test_a_manual_change_is_told_by_a_word(mixed: World, look: Any) -> None:
    html = look()

    assert html.count("Manual change</span>") == 3
    assert html.count('class="line state-manual"') == 3
    assert "#web-tier" in html


def test_a_deployments_filter_offers_no_manual_changes(mixed: World, look: Any) -> None:
    assert "Manual changes</option>" in look()
    assert "Manual changes</option>" not in look(DEPLOYMENT)
    assert "Select a valid choice." in look(f"{DEPLOYMENT}?kind=manual_change")


def test_a_bracket_goes_on_past_a_manual_change(mixed: World, look: Any) -> None:
    """The rollback of the last day undid d4; c5 and c4 stand between."""
    rows = look().split('id="timeline"')[1].split("<li ")[1:]
    lanes = [
        found[1] if (found := re.search(r'class="lane lane-(\w+)"', row)) else "" for row in rows if "data-row" in row
    ]

    assert lanes == ["start", "through", "through", "end", "", "", ""]


def test_the_same_number_of_a_deploy_and_a_change_are_two_rows(mixed: World, look: Any) -> None:
    ids = re.findall(r'data-row id="([^"]*)"', look())

    assert len(set(ids)) == len(ids) == 7


def leafed(look: Any, path: str, name: str, html: str) -> list[list[str]]:
    """The pages from this one on, in the direction of ``next`` or ``prev``."""
    pages = [entries(html)]
    while link := re.search(rf'href="([^"]*)" rel="{name}"', html):
        html = look(path + link[1].replace("&amp;", "&"))
        pages.append(entries(html))
    return pages


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("path", [ORGANIZATION, PRODUCTION, DEPLOYMENT, f"{ORGANIZATION}?kind=manual_change"])
def test_pages_lead_back_and_forth_over_every_entry_once(
    mixed: World, look: Any, monkeypatch: pytest.MonkeyPatch, path: str, size: int
) -> None:
    for number in range(2):
        mixed.record(name=f"same{number}", date=minute(60 * 24 * 4))
        mixed.register(sha=f"same sha {number}", date=minute(60 * 24 * 4))
    expected = entries(look(path))
    base = path.partition("?")[0]
    monkeypatch.setattr(timeline, "PAGE_SIZE", size)

    assert list(chain.from_iterable(leafed(look, base, "next", look(path)))) == expected

    oldest = look(path + ("&" if "?" in path else "?") + "after=0-0")
    *pages, first = leafed(look, base, "prev", oldest)
    found = list(chain.from_iterable(reversed(pages)))
    assert first == expected[:size]
    assert found == expected[-len(found) :]
    assert len(found) + size >= len(expected)


@pytest.mark.parametrize(("scan", "path"), [(1, "?tag=infra"), (2, "?tag=infra"), (3, "?author=example"), (2, "?q=c")])
def test_a_search_looks_at_every_entry_once(
    mixed: World, look: Any, monkeypatch: pytest.MonkeyPatch, scan: int, path: str
) -> None:
    expected = entries(look(f"{ORGANIZATION}{path}"))
    monkeypatch.setattr(timeline, "SCAN_LIMIT", scan)
    monkeypatch.setattr(timeline, "SCAN_LIMIT_BY_PATTERN", scan)
    monkeypatch.setattr(timeline, "SCAN_LIMIT_WITH_COMMITS", scan + 1)

    html = look(f"{ORGANIZATION}{path}")

    assert "Searched" in html
    assert list(chain.from_iterable(leafed(look, ORGANIZATION, "next", html))) == expected


def test_a_search_for_manual_changes_says_what_it_looked_through(
    mixed: World, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "SCAN_LIMIT", 2)
    monkeypatch.setattr(timeline, "SCAN_LIMIT_BY_PATTERN", 2)

    for query in ("kind=manual_change&tag=none", "tag=none&until=2024-05-06&since=2024-05-05"):
        html = " ".join(look(f"{ORGANIZATION}?{query}").split())
        assert "Searched 2 manual changes" in html
        assert "Nothing found so far" in html
    assert "Searched 2 deploys" in " ".join(look(f"{DEPLOYMENT}?tag=none").split())


@pytest.mark.parametrize("path", [ORGANIZATION, PROJECT, PRODUCTION, f"{ORGANIZATION}?kind=manual_change"])
def test_what_is_new_edited_or_deleted_is_sent(ci: World, observer: User, path: str) -> None:
    client = signed_in(observer)
    seen = ""

    def poll() -> Any:
        nonlocal seen
        answer = client.get(path, headers={"HX-Request": "true", "If-None-Match": seen})
        if answer.status_code == 200:
            found = re.search(r'"If-None-Match": "([^"]*)"}', answer.content.decode())
            assert found
            seen = found[1].encode().decode("unicode_escape")
        return answer

    assert entries(poll().content.decode()) == []
    assert poll().status_code == 204
    ci.record(name="first")
    assert entries(poll().content.decode()) == ["first"]
    assert poll().status_code == 204
    ManualChange.objects.update(name="other", updated_at=datetime.now(UTC) + timedelta(seconds=1))
    assert entries(poll().content.decode()) == ["other"]
    delete_manual_change(change=ManualChange.objects.get())
    assert poll().status_code == 200
    assert poll().status_code == 204


def test_a_deployments_page_does_not_wait_for_manual_changes(ci: World, observer: User) -> None:
    client = signed_in(observer)
    post_history(ci, "a b")
    html = client.get(DEPLOYMENT).content.decode()
    ci.record(name="first")

    assert client.get(DEPLOYMENT).content.decode().count("If-None-Match") == html.count("If-None-Match") == 1
    assert re.findall(r'If-None-Match": "([^"]*)"', client.get(DEPLOYMENT).content.decode()) == re.findall(
        r'If-None-Match": "([^"]*)"', html
    )


@pytest.mark.parametrize("text", ["1-c", "1-c99999999999999999999", "c-1", "1-cc1", "-c1", "9999999999999999-c1"])
def test_no_key_breaks_the_page(mixed: World, look: Any, text: str) -> None:
    look(f"{ORGANIZATION}?before={text}")
    look(f"{ORGANIZATION}?after={text}")


def test_a_key_is_read_as_it_is_written(mixed: World) -> None:
    key = Key.of(ManualChange.objects.latest("id"))

    assert Key.parse(str(key)) == key


@pytest.mark.parametrize(
    "path", [ORGANIZATION, PROJECT, PRODUCTION, f"{ORGANIZATION}?q=c", f"{ORGANIZATION}?kind=manual_change"]
)
def test_the_number_of_queries_does_not_grow(ci: World, observer: User, path: str) -> None:
    client = signed_in(observer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        return len(captured)

    post_history(ci, "a b a", tags="#x")
    ci.record(name="c1", tags="#x", links={"a": "https://example.com"})
    queries()
    first = queries()
    for number in range(2, 4):
        ci.record(name=f"c{number}", tags="#x,#y")
        ci.register(sha=f"{number}", tags="#x,#y")

    assert queries() == first


def test_texts_of_callers_are_text(ci: World, look: Any) -> None:
    ci.record(name='<b>"&', description="<script>alert(1)</script>", tags="#x")

    html = look()

    assert "<script>alert" not in html
    assert "&lt;b&gt;&quot;&amp;" in html


def test_the_search_finds_what_stands_in_the_row(ci: World, developer: User, look: Any) -> None:
    User.objects.filter(pk=developer.pk).update(name="Frida Kahn")
    sha = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
    ci.register(sha=sha, branch="main", email="ann.lee@example.com", date=minute(1), tags="#deploy")
    ci.register(sha="v2.0.0", branch="release/2", date=minute(2))
    commit = {"revision": "aa", "message": "Fix the basket", "author": {"name": "Tom Okafor"}}
    ci.register(sha="aa", commits=[commit], date=minute(3))
    manual = {
        "name": "Flag",
        "changed_at": "2024-05-04T10:00",
        "environment": ci.project.environments.get(slug="staging").pk,
    }
    answer = signed_in(developer).post("/acme/projects/shop/new-manual-change", manual)
    assert answer.status_code == 302, answer.content.decode()

    found = {
        text: entries(look(f"{ORGANIZATION}?q={text}"))
        for text in ("5F0C7A1", "v2.0", "release/2", "ann.lee", "okafor", "basket", "Kahn", "okafor+aa", "5f0c7a1+ann")
    }

    assert found == {
        "5F0C7A1": [sha],
        "v2.0": ["v2.0.0"],
        "release/2": ["v2.0.0"],
        "ann.lee": [sha],
        "okafor": ["aa"],
        "basket": ["aa"],
        "Kahn": ["Flag"],
        "okafor+aa": [],
        "5f0c7a1+ann": [],
    }
    assert entries(look(f"{ORGANIZATION}?tag=deploy")) == [sha], "a tag that somebody sent"
