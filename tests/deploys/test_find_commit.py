"""Which environments have a commit, and since when."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployments.deploys.commits import condition
from deployments.deploys.services import delete_deploy
from deployments.models import Commit, Deploy
from tests.calls import assert_sentence
from tests.conftest import World
from tests.documented import read
from tests.factories import make_deployment, make_token
from tests.imports.histories import minute
from tokens.scopes import Scope
from tokens.services import limit_token

SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
COMMITS = "/api/1/organizations/acme/commits"


def find(secret: str, sha: str = SHA) -> Any:
    answer = read(f"{COMMITS}/{sha}", secret)
    assert answer.status_code == 200, answer.content
    return answer.json()


def in_short(whereabouts: Any) -> str:
    """Such as ``production since 1, staging from 1 to 2``, in minutes."""
    minutes = {minute(n).replace("+00:00", "Z"): n for n in range(50)}
    parts = []
    for location in whereabouts["environments"]:
        assert (location["until"], location["rolled_back_by"]) == (None, None)
        parts.append(f"{location['environment']} since {minutes[location['since']]}")
    parts += [
        f"{location['environment']} from {minutes[location['since']]} to {minutes[location['until']]}"
        for location in whereabouts["rolled_back"]
    ]
    return ", ".join(parts)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("staging:SHA", "staging since 0"),
        ("staging:SHA staging:b production:SHA staging:c", "staging since 0, production since 2"),
        ("a SHA b", "production since 1"),
        ("a SHA a", "production from 1 to 2"),
        ("a SHA a SHA", "production since 3"),
        ("a SHA a SHA a", "production from 3 to 4"),
        ("a SHA a c", "production from 1 to 2"),
        ("a SHA b SHA", "production since 1"),
        ("a SHA b c b", "production since 1"),
        ("p a SHA a p", "production from 2 to 3"),
        ("a b SHA b c a", "production from 2 to 3"),
        ("a b SHA c b a SHA", "production since 6"),
        ("a d+SHA", "production since 1"),
        ("a d+SHA a", "production from 1 to 2"),
        ("a d+SHA a d", "production since 3"),
        ("a d+SHA e+SHA d a", "production from 1 to 4"),
        ("a d+SHA b d", "production since 1"),
        ("p a d+SHA a p d", "production since 5"),
    ],
)
def test_since_when(ci: World, reader: str, history: str, expected: str) -> None:
    """``d+SHA`` deploys d with SHA among its commits."""
    for number, word in enumerate(history.split()):
        environment, _, deployed = word.rpartition(":")
        sha, _, commit = deployed.partition("+")
        body: dict[str, Any] = {"sha": sha.replace("SHA", SHA)}
        if commit:
            body["commits"] = [{"revision": "0"}, {"revision": SHA}]
        if environment:
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
            assert in_short(find(reader, text)) == "staging since 0, production since 1"

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
        assert find(reader, name)["sha"] == (SHA if name == SHA.upper() else name)

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
