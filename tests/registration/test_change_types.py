"""What a deploy did to its environment: forward, rollback or no change."""

import json
from typing import Any

import pytest

from deployments.deploys.services import delete_deploy
from deployments.models import Deploy
from orgs.models import User
from tests.calls import bearer, call
from tests.conftest import World
from tests.documented import read
from tests.factories import make_deployment, signed_in
from tests.imports.histories import minute
from tests.registration.test_sweetr import deployed

LIST = "/api/1/organizations/acme/deploys"


def change_types(secret: str) -> list[str]:
    """The oldest first; the list and each deploy's own address must agree."""
    rows = read(LIST, secret).json()
    assert [read(row["url"], secret).json()["change_type"] for row in rows] == [row["change_type"] for row in rows]
    return [row["change_type"] for row in reversed(rows)]


def test_sweetrs_calls(ci: World, reader: str) -> None:
    for commit, version in (("a", "1"), ("b", "2"), ("b", "3"), ("a", "4"), ("a", "5"), ("c", "6")):
        deployed(ci, commitHash=commit, version=version)

    assert change_types(reader) == ["forward", "forward", "no_change", "rollback", "no_change", "forward"]
    last = Deploy.objects.latest("id")
    assert deployed(ci, commitHash="c", version="6") == last
    assert len(change_types(reader)) == 6


def test_deploys_of_any_client(ci: World, reader: str) -> None:
    for sha in ("a", "b", "a"):
        ci.register(sha=sha)

    assert change_types(reader) == ["forward", "forward", "rollback"]


def test_in_the_order_of_time(ci: World, reader: str) -> None:
    for number, commit in ((3, "a"), (1, "b"), (2, "a")):
        deployed(ci, commitHash=commit, version=f"v{number}", deployedAt=minute(number))
    assert change_types(reader) == ["forward", "forward", "no_change"]

    delete_deploy(deploy=Deploy.objects.get(version="v2"))
    assert change_types(reader) == ["forward", "forward"]


def test_deploys_of_one_moment_follow_each_other(ci: World, reader: str) -> None:
    for version in ("v1", "v2"):
        deployed(ci, commitHash="a", version=version, deployedAt=minute(1))

    assert change_types(reader) == ["forward", "no_change"]


def test_each_target_by_itself(ci: World, reader: str) -> None:
    make_deployment(ci.project, name="Api")
    for app, environment in (("storefront", "staging"), ("storefront", "production"), ("api", "production")):
        deployed(ci, app=app, environment=environment, commitHash="a", version="1")

    assert change_types(reader) == ["forward"] * 3


@pytest.mark.parametrize("sha", ["a", "b", "c"])
def test_what_was_just_registered(ci: World, sha: str) -> None:
    for before in ("a", "b"):
        deployed(ci, commitHash=before, version="1")

    body = {"sha": sha, "date": None}
    answer: Any = call(ci.path, json.dumps(body), headers={**bearer(ci.secret), "Prefer": "return=representation"})
    if sha == "b":
        assert answer.status_code == 400
    else:
        assert answer.json()["change_type"] == {"a": "rollback", "c": "forward"}[sha]


def test_in_words_on_the_page(ci: World, observer: User) -> None:
    for commit, version in (("a", "1"), ("b", "2"), ("b", "3"), ("a", "4")):
        deployed(ci, commitHash=commit, version=version)
    client = signed_in(observer)

    words = {}
    for deploy in Deploy.objects.all():
        html = " ".join(client.get(f"/acme/deploys/{deploy.pk}").content.decode().split())
        words[deploy.version] = html.partition("<dt>Change type</dt> <dd>")[2].partition("</dd>")[0]
    assert words == {
        "1": "Forward",
        "2": "Forward",
        "3": "No change: the deploy before it has the same sha",
        "4": "Rollback: this sha was live here before",
    }
