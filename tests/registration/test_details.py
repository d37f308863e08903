"""What a deploy brought: what lists need on its row, the rest in tables of its own."""

from typing import Any

import pytest

from deployments.models import ChangedFile, Commit, Deploy, Link, PullRequest, Tag
from tests.conftest import World
from tests.imports.histories import START, minute


def deploy_of(world: World, **body: Any) -> Deploy:
    response = world.register(**{"sha": "tip", "date": minute(60), **body})
    assert (response.status_code, response.content) == (200, b"Success")
    return Deploy.objects.get()


def commit(revision: str, at: float | None = None, **fields: Any) -> dict[str, Any]:
    return {"revision": revision, "date": None if at is None else minute(at), **fields}


# --- Tables of their own ----------------------------------------------------------------------------


def test_commits_are_kept_as_they_were_sent(ci: World) -> None:
    deploy = deploy_of(
        ci,
        commits=[
            {
                "revision": "tip",
                "message": "Sell socks\n\nThey are warm.\n",
                "author": {"name": "Ann", "email": "ann@example.com", "username": "ann"},
                "date": "2024-05-01T14:30:00.000001+02:00",
                "files": ["a.py", "Größe.txt"],
                "parents": ["p1", "p2"],
                "url": "https://git.example.com/head",
            },
            {"revision": "bare"},
            {"revision": "null", "message": None, "author": None, "date": None, "files": None, "parents": None},
        ],
    )

    full, bare, null = deploy.commits.all()
    assert {
        name: getattr(full, name) for name in ("message", "author_name", "author_email", "author_username", "url")
    } == {
        "message": "Sell socks\n\nThey are warm.\n",
        "author_name": "Ann",
        "author_email": "ann@example.com",
        "author_username": "ann",
        "url": "https://git.example.com/head",
    }
    assert full.committed_at is not None
    assert full.committed_at.isoformat() == "2024-05-01T12:30:00.000001+00:00"
    assert (full.files, full.parents) == (["a.py", "Größe.txt"], ["p1", "p2"])
    for empty in (bare, null):
        assert (empty.message, empty.author_name, empty.committed_at) == ("", "", None)
        assert (empty.files, empty.parents) == ([], [])


def test_files_pull_requests_and_links_are_kept_as_they_were_sent(ci: World) -> None:
    deploy = deploy_of(
        ci,
        files=[
            {"path": "b.py", "additions": 3, "deletions": 1, "url": "https://git.example.com/b.py"},
            {"path": "https://git.example.com/a.py"},
        ],
        pull_requests=[
            {
                "number": 7,
                "title": "Socks",
                "url": "https://git.example.com/7",
                "branch": "socks",
                "author": "ann",
                "created_at": minute(1),
                "first_review_at": minute(2),
                "merged_at": minute(3),
                "issue_keys": ["SHOP-1", "SHOP-2"],
            },
            {"number": "!8"},
        ],
        links={"z": "https://z.example.com", "a": "http://a.example.com"},
    )

    assert list(deploy.files.values_list("path", "additions", "deletions", "url")) == [
        ("b.py", 3, 1, "https://git.example.com/b.py"),
        ("https://git.example.com/a.py", 0, 0, ""),
    ]
    socks, bare = deploy.pull_requests.all()
    assert (socks.number, socks.title, socks.url, socks.branch, socks.author, socks.issue_keys) == (
        "7",
        "Socks",
        "https://git.example.com/7",
        "socks",
        "ann",
        ["SHOP-1", "SHOP-2"],
    )
    dates = (socks.opened_at, socks.first_reviewed_at, socks.merged_at)
    assert [moment and (moment - START).total_seconds() for moment in dates] == [60, 120, 180]
    assert (bare.number, bare.opened_at, bare.issue_keys) == ("!8", None, [])
    assert list(deploy.links.values_list("name", "url")) == [
        ("z", "https://z.example.com"),
        ("a", "http://a.example.com"),
    ]


def test_a_deploy_as_the_sleuth_cli_sends_it(ci: World) -> None:
    """250 commits of 200 files and 200 parents each."""
    many = [f"{n:040x}" for n in range(200)]
    deploy = deploy_of(ci, commits=[commit(f"{n}", n / 10, files=many, parents=many) for n in range(250)])

    assert (deploy.commit_count, deploy.file_count) == (250, 200)
    assert deploy.commits.count() == 250
    assert all(row.files == row.parents == many for row in deploy.commits.all())


# --- On the row -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        ({}, (0, 0, 0, 0, 0)),
        ({"commits": [], "files": [], "pull_requests": []}, (0, 0, 0, 0, 0)),
        ({"commits": [commit("a"), commit("b")]}, (2, 0, 0, 0, 0)),
        # The commits' files count, each once, where no files are sent.
        ({"commits": [commit("a", files=["x", "y"]), commit("b", files=["y"])]}, (2, 2, 0, 0, 0)),
        ({"commits": [commit("a", files=["x", "y"])], "files": [{"path": "z", "additions": 2}]}, (1, 1, 0, 2, 0)),
        ({"files": [{"path": "x", "additions": 2**31 - 1, "deletions": 1}] * 3}, (0, 3, 0, 3 * (2**31 - 1), 3)),
        ({"pull_requests": [{"number": 1}, {"number": 2}]}, (0, 0, 2, 0, 0)),
    ],
)
def test_counts(ci: World, body: dict[str, Any], counts: tuple[int, ...]) -> None:
    deploy = deploy_of(ci, **body)

    assert (
        deploy.commit_count,
        deploy.file_count,
        deploy.pull_request_count,
        deploy.additions,
        deploy.deletions,
    ) == counts


@pytest.mark.parametrize(
    ("commits", "first_commit", "lead_time"),
    [
        ([], None, None),
        ([commit("a")], None, None),
        ([commit("a", 50)], 50, 600),
        ([commit("a", 50), commit("b", 30), commit("c"), commit("d", 40)], 30, 1800),
        # A second is whole when it is over.
        ([commit("a", 59.99)], 59.99, 0),
        ([commit("a", 60)], 60, 0),
        # After a rebase or by a wrong clock.
        ([commit("a", 61)], 61, None),
        ([commit("a", 61), commit("b", 30)], 30, 1800),
    ],
)
def test_lead_time(ci: World, commits: list[dict[str, Any]], first_commit: float | None, lead_time: int | None) -> None:
    deploy = deploy_of(ci, commits=commits)

    minutes = None
    if deploy.first_commit_at is not None:
        minutes = (deploy.first_commit_at - START).total_seconds() / 60
    assert minutes == (None if first_commit is None else pytest.approx(first_commit))
    assert deploy.lead_time == lead_time


def test_lead_time_without_a_date_counts_to_now(ci: World) -> None:
    assert ci.register(sha="a", commits=[commit("a", 0)]).status_code == 200

    deploy = Deploy.objects.get()
    assert deploy.lead_time == int((deploy.deployed_at - START).total_seconds())


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ({}, ""),
        ({"commits": [commit("tip", message="One\n\nTwo")]}, "One"),
        ({"commits": [commit("tip", message="\n \n  One  \nTwo")]}, "One"),
        ({"commits": [commit("tip", message="")]}, ""),
        ({"commits": [commit("tip", message="x" * 300)]}, "x" * 255),
        ({"commits": [commit("tip", message="One\r\nTwo")]}, "One"),
        # The commit of this sha, wherever it stands and whatever its date.
        ({"commits": [commit("new", 50, message="New"), commit("tip", 10, message="Head")]}, "Head"),
        # A tag is no commit's revision: the newest commit is what is deployed.
        ({"commits": [commit("old", 10, message="Old"), commit("new", 50, message="New")]}, "New"),
        ({"commits": [commit("a", message="A"), commit("b", message="B")]}, "A"),
        ({"commits": [commit("a", message="A"), commit("b", 10, message="B")]}, "B"),
        ({"pull_requests": [{"number": 1, "title": "Socks"}, {"number": 2, "title": "Hats"}]}, "Socks"),
        ({"commits": [commit("tip", message="One")], "pull_requests": [{"number": 1, "title": "Socks"}]}, "One"),
    ],
)
def test_the_title_is_the_first_line_of_what_is_deployed(ci: World, body: dict[str, Any], title: str) -> None:
    assert deploy_of(ci, **body).title == title


@pytest.mark.parametrize(
    ("body", "author"),
    [
        ({}, ("", "")),
        ({"email": "ann@example.com"}, ("", "ann@example.com")),
        ({"commits": [commit("tip", author={"name": "Bob", "email": "bob@example.com"})]}, ("Bob", "bob@example.com")),
        (
            {
                "email": "ann@example.com",
                "commits": [commit("tip", author={"name": "Ann", "email": "ann@example.com"})],
            },
            ("Ann", "ann@example.com"),
        ),
        (
            {
                "email": "tom@example.com",
                "commits": [commit("tip", author={"name": "Ann", "email": "ann@example.com"})],
            },
            # Whoever deployed it need not have written it.
            ("", "tom@example.com"),
        ),
        ({"commits": [commit("tip", author={"name": "Bob"}), commit("x", author={"name": "Eve"})]}, ("Bob", "")),
        (
            {"email": "github-actions[bot]@users.noreply.github.com"},
            ("", "github-actions[bot]@users.noreply.github.com"),
        ),
    ],
)
def test_the_author(ci: World, body: dict[str, Any], author: tuple[str, str]) -> None:
    deploy = deploy_of(ci, **body)

    assert (deploy.author_name, deploy.author_email) == author


# --- Tags -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "tags"),
    [
        ("app/migration/0001.sql", {"migration"}),
        ("migration/0001.sql", {"migration"}),
        ("migrations/0001.sql", set()),
        ("app/migration", set()),
        ("Pipfile.lock", {"dependencies"}),
        ("backend/requirements.txt", {"dependencies"}),
        ("web/package-lock.json", {"dependencies"}),
        ("pom.xml", {"dependencies"}),
        ("requirements.txt.bak", set()),
        ("requirements-dev.txt", set()),
        ("Dockerfile", {"docker"}),
        ("images/web/Dockerfile", {"docker"}),
        ("Dockerfile.dev", set()),
        ("dockerfile", set()),
        ("db/schema.rb", {"database"}),
        ("app/db/migration/1.sql", {"database", "migration"}),
        ("mydb/schema.rb", set()),
        ("main.tf", {"terraform"}),
        ("infra/eu/main.tf", {"terraform"}),
        ("main.tfvars", set()),
        ("/Dockerfile", {"docker"}),
        # The path of a file may itself be an address.
        ("https://git.example.com/blob/main/db/schema.rb", {"database"}),
        ("..", set()),
        ("/", set()),
        ("a" * 4096, set()),
        ("[", set()),
    ],
)
@pytest.mark.parametrize("where", ["files", "commits"])
def test_default_tags_come_from_the_changed_files(ci: World, where: str, path: str, tags: set[str]) -> None:
    body = {"files": [{"path": path}]} if where == "files" else {"commits": [commit("a", files=[path])]}

    assert set(deploy_of(ci, **body).tags.values_list("name", flat=True)) == tags


@pytest.mark.parametrize(
    ("sent", "tags"),
    [
        ("#one", ["one"]),
        ("#one,#two", ["one", "two"]),
        (" #one , #two ,", ["one", "two"]),
        (["#one", "#two,#three"], ["one", "three", "two"]),
        ("#one,#one", ["one"]),
        ("#a-b_c-9", ["a-b_c-9"]),
        # Sent tags are all there are; nothing sent leaves it to the files.
        ("", ["docker"]),
        ([], ["docker"]),
        (None, ["docker"]),
        (",", ["docker"]),
    ],
)
def test_tags_that_are_sent_take_the_place_of_the_default(ci: World, sent: Any, tags: list[str]) -> None:
    deploy = deploy_of(ci, tags=sent, files=[{"path": "Dockerfile"}])

    assert [tag.name for tag in deploy.tags.all()] == tags


def test_nothing_is_kept_of_a_call_that_is_refused(ci: World) -> None:
    deploy_of(ci)

    response = ci.register(
        sha="tip",
        date=minute(61),
        tags="#one",
        links={"a": "https://a.example.com"},
        commits=[commit("a")],
        files=[{"path": "a"}],
        pull_requests=[{"number": 1}],
    )

    assert response.status_code == 400
    for model in (Tag, Link, Commit, ChangedFile, PullRequest):
        assert not model.objects.exists()
