"""The same sha again: refused where it is live there, and an ordinary deploy anywhere else."""

import pytest
from django.test import Client
from time_machine import travel

from deployments.models import Commit, Deploy, Tag, Target
from tests.conftest import World
from tests.factories import make_deployment
from tests.imports.histories import START, history, in_short, minute, post_history

IGNORING = ["true", "True", "TRUE", True, " true ", "1", 1]
NOT_IGNORING = ["false", "FALSE", False, "", None, "0", 0]


def test_the_live_sha_again_is_refused_and_stores_nothing(ci: World) -> None:
    post_history(ci, "a b")

    response = ci.register(sha="b", commits=[{"revision": "b", "files": ["Dockerfile"]}], links={"x": "https://x.test"})

    assert response.status_code == 400
    assert response.content.decode() == (
        "b was already deployed here on 2024-05-01 at 12:01:00 UTC: send ignore_if_duplicate=true if that is intended."
    )
    assert "X-Deploy-Id" not in response.headers
    assert in_short(history(ci)) == "a b[live]"
    assert not Tag.objects.exists()
    assert not Commit.objects.exists()


@pytest.mark.parametrize("spelling", IGNORING, ids=repr)
def test_ignore_if_duplicate_answers_success_and_stores_nothing(ci: World, spelling: object) -> None:
    first = ci.register(sha="a")

    again = ci.register(sha="a", tags="#late", ignore_if_duplicate=spelling)

    assert (again.status_code, again.content) == (200, b"Success")
    assert again.headers["X-Deploy-Id"] == first.headers["X-Deploy-Id"]
    assert again.headers["Location"] == first.headers["Location"]
    deploy = Deploy.objects.get()
    assert not deploy.tags.exists()


@pytest.mark.parametrize("spelling", NOT_IGNORING, ids=repr)
def test_ignore_if_duplicate_that_is_not_true_does_not_ignore(ci: World, spelling: object) -> None:
    ci.register(sha="a")

    assert ci.register(sha="a", ignore_if_duplicate=spelling).status_code == 400
    assert Deploy.objects.count() == 1


@pytest.mark.parametrize("spelling", ["maybe", "2", 2, [True]], ids=repr)
def test_ignore_if_duplicate_that_is_neither_loses_no_deploy(ci: World, spelling: object) -> None:
    response = ci.register(sha="a", ignore_if_duplicate=spelling)

    assert response.status_code == 200
    assert response.headers["X-Dropped"].startswith("ignore_if_duplicate left out: it must be ")


def test_ignore_if_duplicate_does_not_hinder_a_new_sha_or_a_rollback(ci: World) -> None:
    post_history(ci, "a b a", ignore_if_duplicate="true")

    assert in_short(history(ci)) == "a b[rolled back] a[rollback, live]"


def test_form_clients_get_the_same_answers(ci: World) -> None:
    def post(**fields: str) -> tuple[int, bytes]:
        response = Client().post(ci.path, {"api_key": ci.secret, **fields})
        return response.status_code, response.content[:7]

    assert post(sha="a", tags="#first") == (200, b"Success")
    assert post(sha="a") == (400, b"a was a")
    assert post(sha="a", ignore_if_duplicate="false") == (400, b"a was a")
    assert post(sha="a", ignore_if_duplicate="true") == (200, b"Success")


def test_the_same_sha_in_another_environment_is_new(ci: World) -> None:
    assert ci.register(sha="a").status_code == 200
    assert ci.register(sha="a", environment="staging").status_code == 200
    assert ci.register(sha="a", environment="Staging").status_code == 400

    assert in_short(history(ci)) == in_short(history(ci, "staging")) == "a[live]"


def test_the_same_sha_in_another_deployment_is_new(ci: World) -> None:
    make_deployment(ci.project, name="Api")
    path = ci.path.replace("storefront", "api")

    assert [ci.register(sha="a").status_code, ci.register(sha="a", path=path).status_code] == [200, 200]
    assert Target.objects.exclude(live_deploy=None).count() == 2


def test_the_same_sha_in_another_organization_is_new(ci: World, other: World) -> None:
    assert [ci.register(sha="a").status_code, other.register(sha="a").status_code] == [200, 200]


def test_shas_differ_by_case_and_are_compared_whole(ci: World) -> None:
    """Image tags and git tags differ by case, and a short sha may belong to several commits."""
    post_history(ci, "abc ABC abcd")

    assert in_short(history(ci)) == "abc ABC abcd[live]"


def test_white_space_around_a_sha_does_not_make_it_another(ci: World) -> None:
    ci.register(sha="abc")

    assert ci.register(sha=" abc\n").status_code == 400


@pytest.mark.parametrize(
    ("sha", "date", "why"),
    [
        ("b", 1, "the call of the live deploy again"),
        ("b", 7, "the live sha at a later date"),
        ("b", 0.5, "the live sha just before it was deployed"),
        ("a", 0, "the call of an earlier deploy again"),
        ("a", 0.5, "an earlier sha again while it was live"),
        ("a", -1, "an earlier sha just before it was deployed"),
    ],
)
def test_a_dated_call_that_changes_nothing_is_a_duplicate(ci: World, sha: str, date: float, why: str) -> None:
    post_history(ci, "a b")

    response = ci.register(sha=sha, date=minute(date), environment="production")

    assert response.status_code == 400, why
    assert in_short(history(ci)) == "a b[live]", why
    ignored = ci.register(sha=sha, date=minute(date), ignore_if_duplicate=True)
    assert ignored.status_code == 200, why
    assert ignored.headers["X-Deploy-Id"] == str(Deploy.objects.get(sha=sha).id), why


def test_a_call_that_comes_again_after_others_of_the_same_moment_is_a_duplicate(ci: World) -> None:
    """Three deploys in one second, as a script without fractions in its dates sends them."""
    for sha in ("a", "b", "c"):
        assert ci.register(sha=sha, date=minute(0)).status_code == 200

    for sha in ("a", "b", "c"):
        assert ci.register(sha=sha, date=minute(0), environment="production").status_code == 400
    assert in_short(history(ci)) == "a b c[live]"


def test_calls_again_in_any_order_change_nothing(ci: World) -> None:
    post_history(ci, "a b a c b")
    before = history(ci)

    for number, sha in reversed(list(enumerate("abacb"))):
        assert ci.register(sha=sha, date=minute(number)).status_code == 200
        assert ci.register(sha=sha, date=minute(number), environment="production").status_code == 400
    assert history(ci) == before


def test_the_same_moment_in_another_zone_is_the_same_date(ci: World) -> None:
    post_history(ci, "a b")

    assert ci.register(sha="a", date="2024-05-01T14:00:00+02:00").status_code == 400
    assert ci.register(sha="a", date="2024-05-01 12:00:00").status_code == 400


def test_a_microsecond_makes_another_moment(ci: World) -> None:
    ci.register(sha="a", date="2024-05-01T12:00:00.000001Z")
    ci.register(sha="b", date="2024-05-01T12:00:00.000002Z")
    ci.register(sha="c", date="2024-05-01T12:00:00Z")

    assert in_short(history(ci)) == "c a b[live]"


@pytest.mark.parametrize("again", ["a", "b"])
def test_without_a_date_only_the_live_sha_is_a_duplicate(ci: World, again: str) -> None:
    """Whatever the clocks of earlier callers said."""
    with travel(START, tick=False):
        ci.register(sha="a", date=minute(60))
        ci.register(sha="b", date=minute(60))
        status = ci.register(sha=again).status_code

    assert (status, in_short(history(ci))) == (
        (200, "a b[rolled back] a[rollback, live]") if again == "a" else (400, "a b[live]")
    )
