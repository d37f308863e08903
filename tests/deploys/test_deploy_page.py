"""The page of a deploy: what, where, whether it was undone, how long; deleting it, and bringing it back."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.deploys.services import set_health
from deployments.deploys.views import COMMITS_SHOWN, FILES_SHOWN
from deployments.models import Deploy, Health
from orgs.audit import Actor, acting_as
from orgs.models import AuditEvent, User
from tests.conftest import World
from tests.factories import signed_in
from tests.imports.histories import history, in_short, minute, post_history

HOSTILE = "javascript:alert(1)"


def page(user: User, deploy: Deploy, query: str = "") -> str:
    response = signed_in(user).get(f"/acme/deploys/{deploy.pk}{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def register(world: World, **body: Any) -> Deploy:
    answer = world.register(**{"sha": "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80", "date": minute(600), **body})
    assert answer.status_code == 200
    return Deploy.objects.get(pk=answer["X-Deploy-Id"])


def test_what_it_brought(ci: World, observer: User) -> None:
    deploy = register(
        ci,
        branch="main",
        tags="#hotfix",
        links={"Build": "https://ci.example.com/7"},
        commits=[
            {"revision": "c1", "message": "Sell socks\n\nWarm ones.", "author": {"name": "Ann"}},
            {"revision": "c2", "message": "Fix <b>", "url": "https://git.example.com/c2"},
        ],
        files=[{"path": "socks.py", "additions": 12, "deletions": 3}],
        pull_requests=[{"number": 7, "title": "Socks", "url": "https://git.example.com/7"}],
    )

    html = page(observer, deploy)

    assert "2 commits, 1 file (" in html
    assert "Fix &lt;b&gt;" in html
    assert '<a href="https://git.example.com/7" rel="noopener noreferrer nofollow">#7</a>' in html
    assert '<a href="https://ci.example.com/7" rel="noopener noreferrer nofollow">Build</a>' in html
    assert "socks.py" in page(observer, deploy, "?tab=files")


def test_only_addresses_of_the_web_are_linked(ci: World, observer: User) -> None:
    deploy = register(ci, commits=[{"revision": "c1", "message": "x"}], pull_requests=[{"number": 7, "title": "y"}])
    deploy.commits.update(url=HOSTILE)
    deploy.pull_requests.update(url="data:text/html,x")
    deploy.links.create(name="Build", url=f" {HOSTILE}")

    html = page(observer, deploy)

    assert HOSTILE not in html
    assert "data:text" not in html
    assert "Build" in html


def test_where_its_sha_went(ci: World, observer: User) -> None:
    staging = register(ci, sha="a", environment="staging", date=minute(1))
    register(ci, sha="b", environment="staging", date=minute(2))
    production = register(ci, sha="a", environment="production", date=minute(3))

    html = page(observer, production)

    assert f'Replaced; deployed <a href="/acme/deploys/{staging.pk}">' in html
    assert "Live; deployed <time" in html
    assert "(this deploy)" in html
    assert "This sha was not deployed here" in page(observer, Deploy.objects.get(sha="b"))


def test_a_rollback_and_what_it_undid_name_each_other(ci: World, observer: User) -> None:
    post_history(ci, "a b c a")
    first, b, c, rollback = Deploy.objects.order_by("deployed_at")

    html = page(observer, rollback)
    assert "undid 2 deploys" in html
    for other in (first, b, c):
        assert f'href="/acme/deploys/{other.pk}"' in html
    assert f'by <a href="/acme/deploys/{rollback.pk}"' in page(observer, b)
    assert "Was it good" not in page(observer, first)


def test_previous_and_next_stay_in_the_target(ci: World, observer: User) -> None:
    post_history(ci, "a b c")
    register(ci, sha="b", environment="staging", date=minute(1.5))
    a, b, c = Deploy.objects.filter(environment__slug="production").order_by("deployed_at")

    html = page(observer, b)

    assert f'rel="prev" href="/acme/deploys/{a.pk}"' in html
    assert f'rel="next" href="/acme/deploys/{c.pk}"' in html
    assert 'rel="prev"' not in page(observer, a)


PULL_REQUEST = {
    "number": 7,
    "created_at": minute(60),
    "first_review_at": minute(120),
    "merged_at": minute(300),
}


@pytest.mark.parametrize(
    ("commits", "pull_requests", "stages"),
    [
        (
            [{"revision": "c", "date": minute(0)}],
            [PULL_REQUEST],
            ["Coding", "Waiting for review", "Review", "Deploying"],
        ),
        ([{"revision": "c", "date": minute(0)}], [], ["First commit to deployed"]),
        (
            [{"revision": "c", "date": minute(0)}],
            [{**PULL_REQUEST, "created_at": None, "first_review_at": minute(900)}],
            ["First commit to merged", "Deploying"],
        ),
        ([{"revision": "c", "date": minute(900)}], [PULL_REQUEST], ["Waiting for review", "Review", "Deploying"]),
        ([{"revision": "c"}], [PULL_REQUEST], ["Waiting for review", "Review", "Deploying"]),
        ([{"revision": "c", "date": minute(900)}], [], []),
        ([{"revision": "c"}], [], []),
    ],
)
def test_how_long_it_took(
    ci: World, observer: User, commits: list[Any], pull_requests: list[Any], stages: list[str]
) -> None:
    html = page(observer, register(ci, commits=commits, pull_requests=pull_requests))

    assert html.count('<th scope="row">') == len(stages)
    for number, stage in enumerate(stages, start=1):
        assert stage in html
        assert f'<rect class="stage-{number}"' in html
    assert ("There is no lead time" in html) == (not stages)


def test_long_lists_have_pages(ci: World, observer: User) -> None:
    deploy = register(
        ci,
        commits=[{"revision": f"c{n}", "message": f"Number {n}."} for n in range(COMMITS_SHOWN + 1)],
        files=[{"path": f"path/{n}.py"} for n in range(FILES_SHOWN + 1)],
    )
    last_commit, last_file = f"Number {COMMITS_SHOWN}.", f"path/{FILES_SHOWN}.py"
    commits, files = page(observer, deploy), page(observer, deploy, "?tab=files")

    assert last_commit not in commits
    assert last_file not in files
    next_commits = commits.split("Next 100")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    next_files = files.split("Next 200")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert last_commit in page(observer, deploy, next_commits)
    assert last_file in page(observer, deploy, next_files)


def test_files_that_only_the_commits_name(ci: World, observer: User) -> None:
    deploy = register(ci, commits=[{"revision": "c", "files": ["b.py", "a.py"]}])

    assert "a.py" in page(observer, deploy, "?tab=files")


def test_deleting_is_offered_with_an_undo(ci: World, developer: User, observer: User) -> None:
    post_history(ci, "a b a c")
    rollback = Deploy.objects.filter(sha="a").latest("deployed_at")
    client = signed_in(developer)

    response = client.post(f"/acme/deploys/{rollback.pk}/delete", follow=True)

    assert response.redirect_chain == [("/acme/deployments/storefront", 302)]
    assert f'action="/acme/deploys/{rollback.pk}/restore"' in response.content.decode()
    assert in_short(history(ci)) == "a b c[live]"
    later = page(developer, rollback)
    assert "This deploy was deleted" in later
    restore = f'action="/acme/deploys/{rollback.pk}/restore"'
    assert restore in later
    assert restore not in page(observer, rollback)

    client.post(f"/acme/deploys/{rollback.pk}/restore")
    assert in_short(history(ci)) == "a b[rolled back] a[rollback] c[live]"
    actions = AuditEvent.objects.filter(subject_type="deploy").order_by("id")
    assert [(event.action, event.actor_label) for event in actions] == [
        ("deploy.deleted", developer.email),
        ("deploy.restored", developer.email),
    ]
    assert {(event.changes["deployment"], event.changes["environment"]) for event in actions} == {
        ("Storefront", "Production")
    }


def test_who_may_see_and_delete(ci: World, developer: User, observer: User, stranger: User) -> None:
    deploy = register(ci)
    path = f"/acme/deploys/{deploy.pk}"

    for action in ("delete", "restore"):
        assert signed_in(developer).get(f"{path}/{action}").status_code == 405
        assert signed_in(observer).post(f"{path}/{action}").status_code == 403
        assert signed_in(stranger).post(f"{path}/{action}").status_code == 404
        assert Client().post(f"{path}/{action}").status_code == 302
    assert Deploy.objects.filter(pk=deploy.pk).exists()
    assert "Delete</button>" in page(developer, deploy)
    assert "Delete</button>" not in page(observer, deploy)
    assert signed_in(stranger).get(path).status_code == 404
    assert signed_in(stranger).get(f"/globex/deploys/{deploy.pk}").status_code == 404
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize("query", ["?tab=nonsense", "?after=nonsense", "?after=" + "9" * 30, "?tab=files&after=1"])
def test_no_address_breaks_the_page(ci: World, observer: User, query: str) -> None:
    page(observer, register(ci), query)


def test_an_id_beyond_every_database_is_not_found(ci: World, observer: User) -> None:
    assert signed_in(observer).get("/acme/deploys/99999999999999999999").status_code == 404


def test_the_number_of_queries_does_not_grow(ci: World, observer: User) -> None:
    client = signed_in(observer)

    def queries(count: int) -> int:
        deploy = register(
            ci,
            sha=f"s{count}",
            tags=",".join(f"#t{n}" for n in range(count)),
            links={f"l{n}": "https://example.com" for n in range(count)},
            commits=[{"revision": f"c{n}", "author": {"name": f"a{n}"}, "date": minute(n)} for n in range(count)],
            pull_requests=[{"number": n} for n in range(count)],
        )
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/acme/deploys/{deploy.pk}")
        return len(captured)

    queries(2)
    register(ci, sha="z", date=minute(700))
    assert queries(1) == queries(3)


@pytest.mark.parametrize(("health", "word"), [(Health.HEALTHY, "Healthy"), (Health.UNHEALTHY, "Unhealthy")])
def test_the_health_that_somebody_set(ci: World, observer: User, health: Health, word: str) -> None:
    deploy = register(ci)
    assert "Was it good" not in page(observer, deploy)

    with acting_as(Actor(label="token <ci>")):
        set_health(deploy=deploy, health=health, now=timezone.now())

    html = page(observer, deploy)
    assert html.count(f'<span class="health {health}" title="Set by token &lt;ci&gt;">{word}</span>') == 2
    assert "by token &lt;ci&gt;</p>" in html
    assert f'<span class="health {health}"' in signed_in(observer).get("/acme/timeline").content.decode()
