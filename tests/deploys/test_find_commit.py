"""Which environments have a commit, and since when."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployments.access_tokens.services import limit_token
from deployments.deploys.commits import condition
from deployments.deploys.services import delete_deploy
from deployments.models import Commit, Deploy
from tests.calls import assert_sentence
from tests.conftest import World
from tests.documented import read
from tests.factories import make_deployment, make_token
from tests.imports.histories import minute
from tokens.scopes import Scope

SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
COMMITS = "/api/1/organizations/acme/commits"


@pytest.fixture
def reader(ci: World) -> str:
    return make_token(ci.organization, Scope.READ, name="reader")[1]


def find(secret: str, sha: str = SHA) -> Any:
    answer = read(f"{COMMITS}/{sha}", secret)
    assert answer.status_code == 200, answer.content
    return answer.json()


def in_short(whereabouts: Any) -> str:
    """``production 1`` has it since minute 1; ``staging 1-2`` had it until minute 2."""
    minutes = {minute(n).replace("+00:00", "Z"): n for n in range(50)}
    parts = []
    for location in whereabouts["environments"]:
        assert (location["until"], location["rolled_back_by"]) == (None, None)
        parts.append(f"{location['environment']} {minutes[location['since']]}")
    parts += [
        f"{location['environment']} {minutes[location['since']]}-{minutes[location['until']]}"
        for location in whereabouts["rolled_back"]
    ]
    return ", ".join(parts)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("staging:x", "staging 0"),
        ("staging:x staging:b production:x staging:c", "staging 0, production 2"),
        ("a x b", "production 1"),
        ("a x a", "production 1-2"),
        ("a x a x", "production 3"),
        ("a x a x a", "production 3-4"),
        ("a x a c", "production 1-2"),
        ("a x b x", "production 1"),
        ("a x b c b", "production 1"),
        ("p a x a p", "production 2-3"),
        ("a b x b c a", "production 2-3"),
        ("a b x c b a x", "production 6"),
        ("a x:d", "production 1"),
        ("a x:d a", "production 1-2"),
        ("a x:d a d", "production 3"),
        ("a x:d x:e d a", "production 1-4"),
        ("a x:d b d", "production 1"),
        ("p a x:d a p d", "production 5"),
    ],
)
def test_since_when(ci: World, reader: str, history: str, expected: str) -> None:
    """``x`` deploys the commit itself, ``x:d`` deploys d with it among its commits."""
    for number, word in enumerate(history.split()):
        environment, _, sha = word.rpartition(":")
        body: dict[str, Any] = {"sha": SHA if sha == "x" else sha}
        if environment == "x":
            body["commits"] = [{"revision": "0"}, {"revision": SHA}]
        elif environment:
            body["environment"] = environment
        assert ci.register(date=minute(number), **body).status_code == 200

    assert in_short(find(reader)) == expected


def test_the_whole_answer(ci: World, reader: str) -> None:
    first = int(ci.register(sha="a", date=minute(0))["X-Deploy-Id"])
    brought = int(ci.register(sha=SHA, date=minute(1))["X-Deploy-Id"])
    undone = int(ci.register(sha="a", date=minute(2))["X-Deploy-Id"])
    staged = int(ci.register(sha=SHA, date=minute(3), environment="staging")["X-Deploy-Id"])

    def deploy(pk: int) -> dict[str, Any]:
        return {"id": pk, "url": f"/api/1/organizations/acme/deploys/{pk}"}

    place = {"project": "shop", "deployment": "storefront"}
    assert find(reader) == {
        "sha": SHA,
        "environments": [
            {
                **place,
                "environment": "staging",
                "since": "2024-05-01T12:03:00Z",
                "deploy": deploy(staged),
                "until": None,
                "rolled_back_by": None,
            }
        ],
        "rolled_back": [
            {
                **place,
                "environment": "production",
                "since": "2024-05-01T12:01:00Z",
                "deploy": deploy(brought),
                "until": "2024-05-01T12:02:00Z",
                "rolled_back_by": deploy(undone),
            }
        ],
    }
    assert first not in (brought, undone)


class TestNames:
    @pytest.mark.parametrize("length", [4, 7, 12, 40])
    def test_by_its_beginning(self, ci: World, reader: str, length: int) -> None:
        ci.register(sha=SHA)
        assert find(reader, SHA[:length])["sha"] == SHA
        assert find(reader, SHA[:length].upper())["sha"] == SHA
        ci.register(sha="b", commits=[{"revision": "6" + SHA[1:]}])
        assert find(reader, "6" + SHA[1:length])["sha"] == "6" + SHA[1:]

    def test_several_begin_so(self, ci: World, reader: str) -> None:
        twin = SHA[:7] + "0" * 33
        ci.register(sha=SHA, environment="staging")
        ci.register(sha="b", commits=[{"revision": twin}])

        answer = read(f"{COMMITS}/{SHA[:7]}", reader)

        assert answer.status_code == 409
        assert f"2 commits begin with {SHA[:7]}: write more of it ({twin}, {SHA})." == assert_sentence(answer)
        assert find(reader, SHA[:8])["sha"] == SHA
        assert find(reader, twin)["sha"] == twin

    def test_many_begin_so(self, ci: World, reader: str) -> None:
        ci.register(sha="x", commits=[{"revision": f"abcd{n:036x}"} for n in range(30)])
        answer = read(f"{COMMITS}/abcd", reader)
        assert answer.status_code == 409
        assert "and 25 more" in assert_sentence(answer)

    def test_some_were_registered_in_short(self, ci: World, reader: str) -> None:
        ci.register(sha=SHA[:7], environment="staging", date=minute(0))
        assert find(reader)["sha"] == SHA[:7]
        ci.register(sha=SHA, date=minute(1))
        for text in (SHA, SHA[:7], SHA[:4]):
            assert in_short(find(reader, text)) == "staging 0, production 1"

    def test_versions_are_no_beginnings_of_one_another(self, ci: World, reader: str) -> None:
        ci.register(sha="20241", environment="staging")
        ci.register(sha="202412")
        assert find(reader, "20241")["environments"][0]["environment"] == "staging"
        assert find(reader, "202412")["environments"][0]["environment"] == "production"
        assert read(f"{COMMITS}/2024", reader).status_code == 409

    @pytest.mark.parametrize("name", ["v1.2", "registry.example.com/shop:7", "1", "ä b", SHA.upper()])
    def test_any_other_name_whole(self, ci: World, reader: str, name: str) -> None:
        ci.register(sha=name)
        ci.register(sha=f"{name}.1")
        assert find(reader, name)["sha"] == name

    @pytest.mark.parametrize("name", ["nothing", "abcdef1", SHA, "%F0%9F%92%A9", "a'b", "%", "x/y/z", "5f0"])
    def test_nobody_knows_it(self, ci: World, reader: str, name: str) -> None:
        ci.register(sha="5f0c", commits=[{"revision": "f" * 40}])
        answer = read(f"{COMMITS}/{name}", reader)
        assert answer.status_code == 404
        assert "No deploy has a commit" in assert_sentence(answer)

    @pytest.mark.parametrize(("name", "says"), [("a%00b", "NUL"), ("a" * 256, "longer than 255")])
    def test_what_can_be_no_sha(self, ci: World, reader: str, name: str, says: str) -> None:
        answer = read(f"{COMMITS}/{name}", reader)
        assert answer.status_code == 400
        assert says in assert_sentence(answer)


class TestWho:
    def test_another_organizations_commits_are_nobodys(self, ci: World, other: World, reader: str) -> None:
        other.register(sha=SHA, commits=[{"revision": SHA}])
        assert read(f"{COMMITS}/{SHA}", reader).status_code == 404
        ci.register(sha=SHA[:4] + "0" * 36)
        assert find(reader, SHA[:4])["sha"] == SHA[:4] + "0" * 36

    def test_scopes(self, ci: World, other: World) -> None:
        ci.register(sha=SHA)
        stranger = make_token(other.organization, Scope.READ)[1]
        statuses = [read(f"{COMMITS}/{SHA}", secret).status_code for secret in (ci.secret, stranger, "gum_x")]
        assert statuses == [403, 401, 401]

    def test_within_the_limits_of_a_token(self, ci: World) -> None:
        api = make_deployment(ci.project, name="Api")
        ci.register(sha=SHA)
        ci.register(sha=SHA[:7] + "0" * 33)
        ci.register(sha="b", commits=[{"revision": SHA}], path=ci.path.replace("storefront", "api"))
        token, secret = make_token(ci.organization, Scope.READ)
        limit_token(token=token, deployments=[api])
        staging = make_token(ci.organization, Scope.READ, environments=[ci.project.environments.get(slug="staging")])[1]

        assert [location["deployment"] for location in find(secret, SHA[:7])["environments"]] == ["api"]
        assert read(f"{COMMITS}/{SHA}", staging).status_code == 404

    def test_what_was_deleted_does_not_count(self, ci: World, reader: str) -> None:
        ci.register(sha=SHA, environment="staging")
        ci.register(sha=SHA)
        ci.project.environments.filter(slug="staging").update(deleted_at=minute(0))
        assert [location["environment"] for location in find(reader)["environments"]] == ["production"]
        delete_deploy(deploy=Deploy.objects.get(environment__slug="production"))
        assert read(f"{COMMITS}/{SHA}", reader).status_code == 404


def test_costs_the_same_in_one_place_and_in_three(ci: World, reader: str) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            find(reader)
        return len(queries)

    ci.register(sha=SHA, date=minute(0))
    count_queries()
    at_one = count_queries()
    ci.register(sha="a", date=minute(1), environment="staging", commits=[{"revision": SHA}])
    make_deployment(ci.project, name="Api")
    ci.register(sha=SHA, date=minute(2), path=ci.path.replace("storefront", "api"))
    assert count_queries() <= at_one + 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table of a few rows whole.")
@pytest.mark.django_db
def test_a_commit_is_found_by_an_index() -> None:
    assert "commit_by_revision" in Commit.objects.filter(condition("revision", "abcdef1")).explain()
    assert "commit_by_revision" in Commit.objects.filter(condition("revision", SHA)).explain()
    deploys = Deploy.objects.filter(organization=1).order_by()
    assert "deploy_by_organization_sha" in deploys.filter(condition("sha", "abcdef1")).explain()
    assert "deploy_by_organization_sha" in deploys.filter(condition("sha", SHA)).explain()
