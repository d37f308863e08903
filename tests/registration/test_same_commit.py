"""Short and whole shas, in any case, are one commit: for duplicates, rollbacks, filters, look-ups and imports."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployments.deploys.consistency import find_disagreements
from deployments.deploys.services import delete_deploy
from deployments.models import Commit, Deploy, Target
from deployments.shas import commits_of, is_same_commit, names_among
from orgs.models import User
from tests.calls import bearer, call
from tests.conftest import World
from tests.documented import read
from tests.factories import make_deployment, signed_in
from tests.imports.histories import history, in_short, minute
from tests.imports.importing import post_file, rows

X = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
S = "c0ffee10123456789abcdef0123456789abcdef0"
# Another commit with the same first digits.
Y = f"{X[:10]}{'f' * 30}"
DEPLOYS = "/api/1/organizations/acme/deploys"


def post(world: World, *shas: str) -> list[int]:
    return [world.register(sha=sha, date=minute(n)).status_code for n, sha in enumerate(shas)]


def links(world: World) -> str:
    """The marks of each deploy, in order."""
    names = {X: "X", S: "S", Y: "Y"}
    return in_short([event._replace(sha=names.get(event.sha, event.sha)) for event in history(world)])


@pytest.mark.parametrize("short", [X[:7], X[:8], X[:12], X[:39], X.upper(), X[:8].upper()])
def test_a_short_sha_is_a_rollback_to_the_whole_one(ci: World, short: str) -> None:
    assert post(ci, X, S, short) == [200, 200, 200]

    restored = history(ci)[2]
    assert (restored.sha, restored.restores, restored.is_live) == (short.lower(), 0, True)
    assert history(ci)[1].rolled_back_by == 2
    # The whole one again is what is live.
    assert ci.register(sha=X, date=minute(3)).status_code == 400


@pytest.mark.parametrize("short", [X[:7], X[:12]])
def test_a_whole_sha_is_a_rollback_to_the_short_one(ci: World, short: str) -> None:
    assert post(ci, short, S, X) == [200, 200, 200]

    assert links(ci) == f"{short} S[rolled back] X[rollback, live]"


@pytest.mark.parametrize(("first", "again"), [(X, X[:8]), (X[:8], X), (X, X.upper()), (X[:8], X[:12]), (X[:12], X[:8])])
def test_another_name_of_the_live_commit_is_a_duplicate(ci: World, first: str, again: str) -> None:
    assert post(ci, first, again) == [200, 400]
    ignored = ci.register(sha=again, ignore_if_duplicate=True)

    assert (ignored.status_code, ignored["X-Deploy-Id"]) == (200, str(Deploy.objects.get().pk))


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (X, X[:6]),
        (X, f"{X[:8]}x"),
        ("v1.0.0", "v1.0.0-rc1"),
        ("release-1", "release-10"),
        ("20241201", "2024120101"),
        ("20241201", "20241201a"),
        ("V1.0", "v1.0"),
    ],
)
def test_other_names_are_others(ci: World, first: str, again: str) -> None:
    assert post(ci, first, again) == [200, 200]


def test_digits_alone_begin_a_whole_sha(ci: World) -> None:
    whole = f"20241201{S[8:]}"

    assert post(ci, whole, S, "20241201", "2024120") == [200, 200, 200, 400]
    assert history(ci)[2].restores == 0


def test_what_begins_two_commits_is_neither(ci: World) -> None:
    assert post(ci, X, Y, X[:8], S, X[:8], X[:11]) == [200] * 6

    assert links(ci) == f"X Y[rolled back] {X[:8]}[rolled back] S[rolled back] {X[:8]}[rollback, rolled back] " + (
        f"{X[:11]}[rollback, live]"
    )


def test_a_name_that_comes_to_mean_two_commits_is_neither(ci: World) -> None:
    assert post(ci, X, S, X[:8]) == [200, 200, 200]
    assert links(ci) == f"X S[rolled back] {X[:8]}[rollback, live]"

    assert ci.register(sha=Y, date=minute(3)).status_code == 200

    assert links(ci) == f"X S {X[:8]} Y[live]"


def test_a_name_is_clear_again_when_a_deploy_is_deleted(ci: World, admin: User) -> None:
    post(ci, X, S, X[:8])
    other = ci.register(sha=Y, date=minute(3))

    delete_deploy(deploy=Deploy.objects.get(pk=other["X-Deploy-Id"]))

    assert links(ci) == f"X S[rolled back] {X[:8]}[rollback, live]"


def test_commits_are_stored_in_small_letters(ci: World, reader: str) -> None:
    assert ci.register(sha=X.upper(), commits=[{"revision": S.upper()}, {"revision": "V1"}]).status_code == 200

    assert Deploy.objects.get().sha == X
    assert list(Commit.objects.order_by("id").values_list("revision", flat=True)) == [S, "V1"]
    for sha in (X, X.upper(), X[:8], X[:8].upper(), S.upper()):
        assert len(read(f"/api/1/organizations/acme/commits/{sha}", reader).json()["environments"]) == 1


@pytest.mark.parametrize("stored", [X, X[:8], X[:12]])
def test_any_name_filters_and_finds(ci: World, reader: str, observer: User, stored: str) -> None:
    post(ci, stored, S)
    page = signed_in(observer)

    for sha in (X, X[:8], X[:10], X.upper(), X[:8].upper()):
        found = read(f"{DEPLOYS}?sha={sha}", reader).json()
        assert [deploy["sha"] for deploy in found] == [stored], sha
        assert read(f"/api/1/organizations/acme/commits/{sha}", reader).json()["sha"] == stored, sha
        assert stored[:8] in page.get(f"/acme/timeline?sha={sha}").content.decode()


def test_a_deploy_shows_where_its_commit_is_by_any_name(ci: World, observer: User) -> None:
    ci.register(sha=X, environment="staging")
    location = ci.register(sha=X[:8])["X-Deploy-Id"]

    from deployments.deploys.queries import path_of

    steps = path_of(Deploy.objects.get(pk=location))

    assert [step.is_live for step in steps] == [True, True]


def test_the_same_commit_with_another_version_changes_nothing(ci: World, reader: str) -> None:
    fields = {"repositoryFullName": "a/b", "environment": "production", "app": "storefront"}
    for sha, version in ((X, "v1"), (X[:8], "v2")):
        assert ci.register(path="/v1/deployments", **fields, commitHash=sha, version=version).status_code == 202

    assert [deploy["change_type"] for deploy in read(DEPLOYS, reader).json()] == ["no_change", "forward"]


def test_a_file(ci: World) -> None:
    shas = (X, S, X[:12], X.upper(), Y[:12], X)

    assert post_file(ci, rows(*(f"{sha},{minute(n)}" for n, sha in enumerate(shas)))).status_code == 200

    assert links(ci) == f"X S[rolled back] {X[:12]}[rollback] {Y[:12]}[rolled back] X[rollback, live]"
    assert find_disagreements(Target.objects.get().pk) == []


def test_a_dry_run_says_so(ci: World) -> None:
    post(ci, X, S)

    answer: Any = call(f"{ci.path}?dry_run=1", f'{{"sha": "{X[:8]}"}}', headers=bearer(ci.secret)).json()

    assert (answer["result"], answer["restores"]["sha"]) == ("rollback", X)


# --- Any history ---

NAMES = st.sampled_from([X, X[:7], X[:8], X[:12], Y, Y[:12], Y[:14], S, S[:8], "v1", "20241201", "2024120101"])
numbers = count(1)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.tuples(NAMES, st.integers(0, 6)), min_size=1, max_size=9), deleted=st.integers(0, 8))
def test_links_are_those_of_the_whole_history(ci: World, calls: list[tuple[str, int]], deleted: int) -> None:
    ci.deployment = make_deployment(ci.project, name=f"Service {next(numbers)}")
    stored = []
    for sha, at in calls:
        answer = ci.register(sha=sha, date=minute(at))
        assert answer.status_code in (200, 400)
        stored += [answer["X-Deploy-Id"]] if answer.status_code == 200 else []
        target = Target.objects.get(deployment=ci.deployment)
        assert find_disagreements(target.pk) == []
    if deleted < len(stored):
        delete_deploy(deploy=Deploy.objects.get(pk=stored[deleted]))
        assert find_disagreements(target.pk) == []


HASHES = st.text(alphabet="0a", min_size=7, max_size=10) | st.text(alphabet="0a", min_size=40, max_size=40)


@given(names=st.sets(HASHES, max_size=12))
def test_an_abbreviation_means_the_longest_if_it_means_one(names: set[str]) -> None:
    commits = commits_of(names)

    for name in names:
        longer = [other for other in names if len(other) > len(name) and is_same_commit(name, other)]
        longest = max(longer, key=len, default=name)
        is_clear = all(longest.startswith(other) for other in longer)
        assert commits.get(name, name) == (longest if is_clear else name)
        assert name in names_among(names, name)
