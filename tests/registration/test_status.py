"""How far a deploy got: only one that succeeded is live, a duplicate or a rollback, and one that started moves on."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from time_machine import travel

from deployments.errors import InvalidField
from deployments.models import Commit, Deploy, Link, Status, Tag
from deployments.registration.statuses import MEANINGS, STATUS_FIELDS, read_status
from deployments.request_log.replay import replay_call
from orgs.models import User
from tests.conftest import World
from tests.factories import make_token
from tests.imports.histories import START, history, in_short, minute, post_history
from tests.registration.requests import log, url
from tokens.scopes import Scope

OR_WHAT = ", or what your CI system calls it."
SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"
KEY = {"Idempotency-Key": "build-1"}


def told(world: World, environment: str = "production") -> str:
    """The history with the status of each deploy: ``a:failed b[live]``."""
    deploys = Deploy.objects.filter(deployment=world.deployment, environment__slug=environment)
    statuses = [deploy.status for deploy in deploys.order_by("deployed_at", "id")]
    events = [
        event._replace(sha=event.sha if status == Status.SUCCEEDED else f"{event.sha}:{status}")
        for event, status in zip(history(world, environment), statuses, strict=True)
    ]
    return in_short(events)


# --- The words ---


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("status", "failed", "failed"),
        ("result", "FAILURE", "failed"),
        ("state", "failure", "failed"),
        ("phase", "Failed", "failed"),
        ("success", "false", "failed"),
        ("success", False, "failed"),
        ("success", "0", "failed"),
        ("success", True, "succeeded"),
        ("success", "yes", "succeeded"),
        # GitHub
        ("conclusion", "timed_out", "failed"),
        ("conclusion", "startup_failure", "failed"),
        ("conclusion", "cancelled", "cancelled"),
        ("conclusion", "skipped", "cancelled"),
        ("conclusion", "neutral", "succeeded"),
        ("state", "in_progress", "started"),
        ("state", "error", "failed"),
        # GitLab
        ("status", "canceled", "cancelled"),
        ("status", "running", "started"),
        ("status", "success", "succeeded"),
        # Jenkins
        ("result", "ABORTED", "cancelled"),
        ("result", "UNSTABLE", "succeeded"),
        ("result", "NOT_BUILT", "cancelled"),
        # Azure
        ("status", "SucceededWithIssues", "succeeded"),
        ("result", "partiallySucceeded", "succeeded"),
        ("status", "inProgress", "started"),
        # Bitbucket
        ("state", "SUCCESSFUL", "succeeded"),
        ("state", "STOPPED", "cancelled"),
        ("state", "INPROGRESS", "started"),
        # CircleCI
        ("status", "infrastructure_fail", "failed"),
        ("status", "not_run", "cancelled"),
        ("status", "on_hold", "started"),
        # Argo CD, Flux, Flagger
        ("phase", "Error", "failed"),
        ("phase", "Terminating", "cancelled"),
        ("phase", "Succeeded", "succeeded"),
        ("status", "ReconciliationFailed", "failed"),
        ("phase", "WaitingPromotion", "started"),
        # Tekton
        ("status", "False", "failed"),
        ("status", "PipelineRunTimeout", "failed"),
        ("status", "Completed", "succeeded"),
        # Harness
        ("status", "IGNORE_FAILED", "succeeded"),
        ("status", "ApprovalRejected", "cancelled"),
        ("status", "AsyncWaiting", "started"),
        # Absent
        ("status", "", "succeeded"),
        ("result", None, "succeeded"),
        ("status", "  Failed \n", "failed"),
    ],
)
def test_a_status_is_read_in_the_words_of_each_system(ci: World, field: str, value: Any, status: str) -> None:
    response = ci.register(sha="a", **{field: value})

    assert (response.status_code, response.content) == (200, b"Success")
    deploy = Deploy.objects.get()
    assert deploy.status == status
    assert (deploy.target.live_deploy_id == deploy.pk) == (status == "succeeded")


@pytest.mark.parametrize("form", ["sha=a&status=failed", "sha=a&success=false", "sha=a&result=FAILURE"])
def test_a_form_and_a_query_string_have_one_as_well(ci: World, form: str) -> None:
    headers = {"Authorization": f"Bearer {ci.secret}"}
    Client().post(ci.path, form, content_type="application/x-www-form-urlencoded", headers=headers)
    Client().post(f"{ci.path}?{form}&environment=staging", headers=headers)

    assert [deploy.status for deploy in Deploy.objects.all()] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"status": "fish"},
            "status must be started, succeeded, failed or cancelled, or what your CI system calls it.",
        ),
        (
            {"status": "production", "state": "production"},
            "status must be started, succeeded, failed or cancelled, or what your CI system calls it.",
        ),
        ({"success": "fish"}, "success must be true or false, or what your CI system calls it."),
        ({"success": 1}, "success must be true or false."),
        ({"result": {"a": 1}}, "result must be text."),
        ({"status": "success", "result": "failed"}, "status says succeeded and result says failed: send one of them."),
        ({"id": {"a": 1}}, "id must be text or a whole number."),
        ({"id": "a" * 256}, "id is 256 characters long: at most 255 are accepted."),
        ({"id": -1}, "id must be at least 0."),
    ],
)
def test_what_cannot_be_read_is_rejected_and_nothing_is_stored(
    ci: World, fields: dict[str, Any], sentence: str
) -> None:
    response = ci.register(sha="a", **fields)

    assert (response.status_code, response.content.decode()) == (400, sentence)
    assert not Deploy.objects.exists()


@pytest.mark.parametrize("field", ["state", "result", "phase", "conclusion"])
@pytest.mark.parametrize("word", ["production", "1", "$STATE"])
def test_what_may_be_about_something_else_is_left_out(ci: World, field: str, word: str) -> None:
    sentence = f"{field} left out: must be started, succeeded, failed or cancelled{OR_WHAT.removesuffix('.')}"
    sweetr = {"app": "storefront", "environment": "staging", "version": "1", "repositoryFullName": "acme/storefront"}

    answers = [
        ci.register(sha="a", **{field: word}),
        ci.register(sha="b", status="failed", **{field: word}),
        ci.register(path="/v1/deployments", commitHash="c", **(sweetr | {field: word})),
    ]

    assert [answer.headers["X-Dropped"] for answer in answers] == [sentence] * 3
    assert [deploy.status for deploy in Deploy.objects.order_by("id")] == ["succeeded", "failed", "succeeded"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "completed", "conclusion": "failure"}, "failed"),
        ({"phase": "FINALIZED", "result": "SUCCESS"}, "succeeded"),
        ({"status": "completed", "conclusion": None}, "succeeded"),
        ({"state": "error", "success": False}, "failed"),
    ],
)
def test_that_something_ended_does_not_say_how(ci: World, fields: dict[str, Any], status: str) -> None:
    assert ci.register(sha="a", **fields).status_code == 200
    assert Deploy.objects.get().status == status


@given(
    word=st.sampled_from(sorted(MEANINGS)),
    field=st.sampled_from(STATUS_FIELDS),
    spell=st.sampled_from([str.upper, str.title, lambda text: "_".join(text), lambda text: f"{text[:3]} {text[3:]}"]),
)
def test_words_are_known_in_any_case_and_with_any_separator(word: str, field: str, spell: Any) -> None:
    assert read_status({field: spell(word)}) == MEANINGS[word]


@given(text=st.text(max_size=100))
def test_any_text_is_a_status_or_rejected(text: str) -> None:
    with suppress(InvalidField):
        assert read_status({"status": text}) in Status


def test_sweetr_has_none_but_is_told_of_failures_as_well(ci: World) -> None:
    _, secret = make_token(ci.organization, name="sweetr")
    body = {
        "repositoryFullName": "acme/shop",
        "environment": "production",
        "app": "storefront",
        "version": "v1",
        "commitHash": "abc",
    }

    failed = ci.register(path="/v1/deployments", secret=secret, **body, status="failure")
    wrong = ci.register(path="/v1/deployments", secret=secret, **body, status="fish")

    assert (failed.status_code, failed.json()) == (202, {"status": 202})
    assert Deploy.objects.get().status == "failed"
    assert wrong.status_code == 422
    assert list(wrong.json()["validationErrors"]) == ["status"]


# --- What is live ---


@pytest.mark.parametrize("status", ["failed", "cancelled", "started"])
def test_a_deploy_that_did_not_succeed_is_history_only(ci: World, status: str) -> None:
    post_history(ci, "a b")

    assert ci.register(sha="c", status=status).status_code == 200
    assert told(ci) == f"a b[live] c:{status}"
    # It is no duplicate, and nothing was live there that a rollback could restore.
    assert ci.register(sha="b").status_code == 400
    assert ci.register(sha="c").status_code == 200
    assert told(ci) == f"a b c:{status} c[live]"


@pytest.mark.parametrize("status", ["failed", "cancelled", "started"])
def test_the_sha_that_is_live_may_fail_and_an_earlier_one_is_not_rolled_back_to(ci: World, status: str) -> None:
    post_history(ci, "a b")

    assert ci.register(sha="b", status=status).status_code == 200
    assert ci.register(sha="a", status=status).status_code == 200

    assert told(ci) == f"a b[live] b:{status} a:{status}"


def test_a_failed_deploy_between_two_does_not_make_a_rollback(ci: World) -> None:
    ci.register(sha="a", date=minute(0))
    ci.register(sha="b", date=minute(1), status="failed")

    assert ci.register(sha="a", date=minute(2)).status_code == 400, "a is live all the time"
    assert told(ci) == "a[live] b:failed"


def test_a_rollback_does_not_undo_what_failed(ci: World) -> None:
    ci.register(sha="a", date=minute(0))
    ci.register(sha="b", date=minute(1), status="failed")
    ci.register(sha="c", date=minute(2))
    ci.register(sha="a", date=minute(3))

    assert told(ci) == "a b:failed c[rolled back] a[rollback, live]"


def test_late_calls_take_their_places_whatever_failed_there(ci: World) -> None:
    ci.register(sha="d", date=minute(4), status="failed")
    ci.register(sha="a", date=minute(0))
    ci.register(sha="b", date=minute(3))
    ci.register(sha="x", date=minute(2), status="cancelled")
    ci.register(sha="a", date=minute(6))
    ci.register(sha="c", date=minute(5), status="failed")

    assert told(ci) == "a x:cancelled b[rolled back] d:failed c:failed a[rollback, live]"


def test_the_same_moment_may_have_a_failure_and_a_success(ci: World) -> None:
    ci.register(sha="a", date=minute(5))
    ci.register(sha="b", date=minute(1), status="failed")

    assert ci.register(sha="b", date=minute(1)).status_code == 200
    assert told(ci) == "b:failed b a[live]"


def test_a_failed_call_after_a_succeeded_one_leaves_it_live(ci: World) -> None:
    ci.register(sha="a", id="7")

    assert ci.register(sha="a", id="7", status="failed").status_code == 200
    assert told(ci) == "a[live] a:failed"


def test_deleting_and_restoring_never_makes_it_live(ci: World, page: Client) -> None:
    post_history(ci, "a")
    failed = ci.register(sha="b", status="failed").headers["X-Deploy-Id"]
    live = Deploy.objects.get(sha="a").pk

    page.post(url("delete-deploy", deploy=live))
    assert told(ci) == "b:failed"
    page.post(url("restore-deploy", deploy=live))
    page.post(url("delete-deploy", deploy=failed))
    page.post(url("restore-deploy", deploy=failed))

    assert told(ci) == "a[live] b:failed"


# --- Calls again ---


def test_without_an_id_each_failed_call_is_an_attempt_unless_its_date_is_the_same(ci: World) -> None:
    assert [ci.register(sha="a", status="failed").status_code for _ in range(2)] == [200, 200]
    assert Deploy.objects.count() == 1, "a client sends the very same call again by itself"
    with travel(datetime.now(UTC) + timedelta(minutes=5)):
        assert ci.register(sha="a", status="failed").status_code == 200
    assert Deploy.objects.count() == 2

    dated = {"sha": "b", "status": "failed", "date": minute(0)}
    assert ci.register(**dated).status_code == 200
    again = ci.register(**dated)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    other = ci.register(**dated, tags="#other")
    assert (other.status_code, other.content.decode()) == (
        400,
        "b was already deployed here on 2024-05-01 at 12:00:00 UTC: send ignore_if_duplicate=true if that is intended.",
    )
    assert ci.register(**dated, ignore_if_duplicate=True).status_code == 200
    assert ci.register(**{**dated, "status": "cancelled"}).status_code == 200
    assert Deploy.objects.filter(sha="b").count() == 2


@pytest.mark.parametrize("status", ["started", "succeeded", "failed", "cancelled"])
def test_with_an_id_the_same_call_again_changes_nothing(ci: World, status: str) -> None:
    first = ci.register(sha="a", id=7, status=status)
    again = ci.register(sha="a", id="7", status=status)

    assert (again.status_code, again.content) == (200, b"Success")
    assert again.headers["X-Deploy-Id"] == first.headers["X-Deploy-Id"]
    assert Deploy.objects.count() == 1
    assert [call.outcome for call in log()] == ["accepted", "duplicate"]


def test_a_job_that_runs_again_with_its_id_is_a_rollback(ci: World) -> None:
    """GitLab's rollback button and GitHub's re-run keep the id of the pipeline."""
    for sha, id_ in (("a", 1), ("b", 2), ("a", 1)):
        assert ci.register(sha=sha, id=id_).status_code == 200

    assert told(ci) == "a b[rolled back] a[rollback, live]"


def test_a_job_that_failed_and_runs_again_with_its_id_is_live(ci: World) -> None:
    for status in ("started", "failed", "succeeded"):
        assert ci.register(sha="a", id=1, status=status).status_code == 200

    assert told(ci) == "a:failed a[live]"


# --- A deploy that started ---


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
@pytest.mark.parametrize("by", ["id", "key"])
def test_a_later_call_moves_a_started_deploy_on(ci: World, end: str, by: str) -> None:
    post_history(ci, "a")
    names: dict[str, Any] = {"id": "run-7"} if by == "id" else {"headers": KEY}

    started = ci.register(sha="b", status="started", **names)
    assert told(ci) == "a[live] b:started"
    ended = ci.register(sha="b", status=end, **names)
    again = ci.register(sha="b", status=end, **names)

    assert [started.status_code, ended.status_code, again.status_code] == [200, 200, 200]
    ids = {response.headers["X-Deploy-Id"] for response in (started, ended, again)}
    assert ids == {str(Deploy.objects.get(sha="b").pk)}
    assert told(ci) == ("a b[live]" if end == "succeeded" else f"a[live] b:{end}")


@pytest.mark.parametrize("by", ["id", "key"])
def test_its_end_may_arrive_first(ci: World, by: str) -> None:
    names: dict[str, Any] = {"id": "run-7"} if by == "id" else {"headers": KEY}
    ended = ci.register(sha="b", date=minute(1), **names)

    started = ci.register(sha="b", status="started", date=minute(0), **names)
    again = ci.register(sha="b", date=minute(1), **names)

    assert (started.status_code, started.content, again.status_code) == (200, b"Success", 200)
    assert started.headers["X-Deploy-Id"] == ended.headers["X-Deploy-Id"]
    assert told(ci) == "b[live]"


def test_another_call_is_another_deploy(ci: World) -> None:
    ci.register(sha="b", status="started", id=7)

    others: list[dict[str, Any]] = [
        {"sha": "c", "id": 7},
        {"sha": "b", "id": 8},
        {"sha": "b", "environment": "staging", "id": 7},
    ]
    for other in others:
        assert ci.register(**other).status_code == 200

    assert told(ci) == "b:started c b[live]"
    assert told(ci, "staging") == "b[live]"


def test_a_key_with_another_body_is_otherwise_rejected(ci: World) -> None:
    ci.register(sha="b", status="started", headers=KEY)

    others: list[dict[str, Any]] = [
        {"sha": "c"},
        {"sha": "b", "environment": "staging"},
        {"sha": "b", "status": "started", "branch": "main"},
    ]
    for body in others:
        response = ci.register(**body, headers=KEY)
        assert response.status_code == 422, body
        assert response.content.decode().startswith("This Idempotency-Key came before with another body"), body
    assert ci.register(sha="b", status="failed", headers=KEY).status_code == 200
    for status in ("succeeded", "cancelled"):
        assert ci.register(sha="b", status=status, headers=KEY).status_code == 422, "it has ended"
    assert told(ci) == "b:failed"


def test_a_key_of_another_token_moves_nothing(ci: World) -> None:
    _, secret = make_token(ci.organization, name="other")
    ci.register(sha="b", status="started", headers=KEY)

    assert ci.register(sha="b", headers=KEY, secret=secret).status_code == 200
    assert told(ci) == "b:started b[live]"


def test_moving_on_brings_details_and_keeps_what_it_does_not_name(ci: World) -> None:
    commit = {"revision": "b", "message": "First", "date": minute(-60), "files": ["Dockerfile"]}
    with travel(START, tick=False):
        ci.register(
            sha="b", status="started", id=7, branch="main", commits=[commit], links={"build": "https://ci.test/1"}
        )
    with travel(minute(5), tick=False):
        ci.register(sha="b", id=7, tags="#late")

    deploy = Deploy.objects.get()
    assert (deploy.title, deploy.branch, deploy.commit_count, deploy.file_count) == ("First", "main", 1, 1)
    assert deploy.lead_time == 65 * 60
    assert [tag.name for tag in Tag.objects.all()] == ["late"]
    assert (Commit.objects.count(), Link.objects.count()) == (1, 1)

    ci.register(sha="c", status="started", id=8, commits=[commit])
    ci.register(sha="c", id=8, commits=[{"revision": "c", "message": "Other"}, {"revision": "d"}])
    moved = Deploy.objects.get(sha="c")
    assert (moved.title, moved.commit_count, moved.file_count, moved.first_commit_at) == ("Other", 2, 0, None)
    assert Commit.objects.filter(deploy=moved).count() == 2


def test_its_lead_time_begins_with_the_pull_request_that_its_start_brought(ci: World) -> None:
    commit = {"revision": "b", "message": "First", "date": minute(-60)}
    pulls = [{"number": 1, "created_at": minute(-14_580)}, {"number": 2, "created_at": minute(-5)}]
    ci.register(sha="b", status="started", id=7, date=minute(0), commits=[commit], pull_requests=pulls)
    ci.register(sha="b", id=7, date=minute(0))
    ci.register(sha="c", status="started", id=8, date=minute(0), commits=[commit])
    ci.register(sha="c", id=8, date=minute(1), pull_requests=pulls)

    assert [deploy.lead_time for deploy in Deploy.objects.order_by("id")] == [874_800, 874_860]


def test_its_end_sent_twice_is_no_rollback_though_another_came_between(ci: World) -> None:
    end: dict[str, Any] = {"sha": "a", "id": "run-7", "ignore_if_duplicate": True}
    with travel(START, tick=False) as traveller:
        ci.register(sha="a", id="run-7", status="started")
        traveller.shift(600)
        ended = ci.register(**end)
        ci.register(sha="b")
        traveller.shift(50)
        again = ci.register(**end)
        assert (again.status_code, again.headers["X-Deploy-Id"]) == (200, ended.headers["X-Deploy-Id"])
        assert told(ci) == "a b[live]"

        traveller.shift(20)
        assert ci.register(**end).status_code == 200
    assert told(ci) == "a b[rolled back] a[rollback, live]", "a job that ran again"


def test_the_live_sha_may_be_deployed_again_by_one_that_started(ci: World) -> None:
    post_history(ci, "a")
    ci.register(sha="a", status="started", id=7)

    assert ci.register(sha="a", id=7).status_code == 200
    assert told(ci) == "a a[live]"


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (minute(10), "a b c[live]"),
        (minute(0.5), "a c b[live]"),
        (None, "a b c[live]"),
    ],
)
def test_it_takes_the_place_of_its_end(ci: World, date: str | None, expected: str) -> None:
    ci.register(sha="a", date=minute(0))
    ci.register(sha="c", status="started", id=7, date=minute(0.2))
    ci.register(sha="b", date=minute(1))

    ci.register(sha="c", id=7, date=date)

    assert told(ci) == expected


def test_a_started_rollback_undoes_when_it_succeeds(ci: World) -> None:
    post_history(ci, "a b")
    ci.register(sha="a", status="started", id=7)
    assert told(ci) == "a b[live] a:started"

    ci.register(sha="a", id=7)

    assert told(ci) == "a b[rolled back] a[rollback, live]"


# --- What tells of it ---


def test_a_dry_run_says_what_would_move(ci: World) -> None:
    def tried(**body: Any) -> tuple[str, str, bool, bool, int]:
        answer = ci.register(path=f"{ci.path}?dry_run=1", **body).json()
        said = (answer["result"], answer["status"], answer["live"], answer["moves_on"])
        return (*said, answer["would_answer"]["status"])

    ci.register(sha="b", status="started", id=7)
    ci.register(sha="c", status="started", headers=KEY)

    assert tried(sha="b", status="failed", id=8) == ("deploy", "failed", False, False, 200)
    assert tried(sha="b", id=7) == ("deploy", "succeeded", True, True, 200)
    assert tried(sha="b", id=7, status="started") == ("duplicate", "started", False, False, 200)
    assert tried(sha="c", headers=KEY) == ("deploy", "succeeded", True, True, 200)
    assert ci.register(path=f"{ci.path}?dry_run=1", sha="d", headers=KEY).status_code == 422
    assert told(ci) == "b:started c:started"


def test_the_representation_and_the_lists_have_it(ci: World) -> None:
    _, reader = make_token(ci.organization, Scope.READ, name="reader")
    ci.register(sha="a", id="run-1")
    ci.register(sha="b", status="failed")
    ci.register(sha="c", status="started", id="run-2")
    ci.record(name="Raised a limit")

    def read(path: str) -> Any:
        return Client().get(f"/api/1/organizations/acme/{path}", headers={"Authorization": f"Bearer {reader}"})

    facts = [(row["sha"], row["status"], row["external_id"], row["live"]) for row in read("deploys").json()]
    assert facts == [
        ("c", "started", "run-2", False),
        ("b", "failed", None, False),
        ("a", "succeeded", "run-1", True),
    ]
    assert [row["change_type"] for row in read("deploys").json()] == [None, None, "forward"]
    assert [row["sha"] for row in read("deploys?status=failed").json()] == ["b"]
    assert [row["sha"] for row in read("deploys?status=succeeded").json()] == ["a"]
    wrong = read("deploys?status=fish")
    assert (wrong.status_code, wrong.content.decode()) == (
        400,
        "status: Write started, succeeded, failed, cancelled or nothing.",
    )
    exported = read("timeline?format=csv&status=failed").getvalue().decode().splitlines()
    assert [line.split(",")[5] for line in exported] == ["sha", "b"]
    assert "status" in exported[0].split(",")


def test_where_a_commit_is_does_not_count_what_failed(ci: World) -> None:
    _, reader = make_token(ci.organization, Scope.READ, name="reader")
    sha = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"

    def where() -> Any:
        path = f"/api/1/organizations/acme/commits/{sha}"
        return Client().get(path, headers={"Authorization": f"Bearer {reader}"})

    ci.register(sha=sha, status="failed")
    assert where().status_code == 404
    ci.register(sha=sha, environment="staging")
    assert [place["environment"] for place in where().json()["environments"]] == ["staging"]


def test_a_failed_deploy_puts_no_environment_behind(ci: World, page: Client) -> None:
    ci.register(sha="a", environment="staging")
    ci.register(sha="a")
    ci.register(sha="b", environment="staging", status="failed")

    assert "behind</span>" not in page.get("/acme").content.decode()
    ci.register(sha="b", environment="staging")
    assert "1 deploy behind" in page.get("/acme").content.decode()


@pytest.mark.parametrize("status", ["started", "failed", "cancelled"])
def test_pages_show_it(ci: World, page: Client, status: str) -> None:
    deploy = ci.register(sha="abc", status=status, id="run-7").headers["X-Deploy-Id"]

    timeline = page.get(url("timeline")).content.decode()
    assert f'<span class="status {status}">{status.capitalize()}</span>' in timeline
    shown = page.get(url("deploy-page", deploy=deploy)).content.decode()
    assert f"{status.capitalize()} here; it was never live" in shown
    assert "run-7" in shown
    assert "Lead time" not in shown
    filtered = page.get(url("timeline") + f"?status={status}").content.decode()
    assert "abc" in filtered
    assert "abc" not in page.get(url("timeline") + "?status=succeeded").content.decode()


def test_a_filter_by_status_leaves_manual_changes_out(ci: World, page: Client) -> None:
    ci.record(name="Raised a limit")
    ci.register(sha="abc")

    shown = page.get(url("timeline") + "?status=succeeded").content.decode()

    assert "abc" in shown
    assert "Raised a limit" not in shown


def test_a_replay_keeps_the_status_and_stores_nothing_twice(ci: World, admin: User) -> None:
    ci.register(sha="a", status="failed")
    ci.register(sha="b", status="started", id=7)
    ci.register(sha="b", id=7)
    before = told(ci)

    answers = [replay_call(call=call, member=admin).outcome for call in log()]

    assert answers == ["duplicate", "duplicate", "duplicate"]
    assert told(ci) == before == "a:failed b[live]"


@pytest.mark.parametrize(("first", "second"), [("5f0c7a1", SHA), (SHA, "5f0c7a1"), (SHA.upper(), SHA)])
def test_it_is_the_same_commit_by_a_short_sha(ci: World, first: str, second: str) -> None:
    ci.register(sha=first, status="started", id=7)

    assert ci.register(sha=second, id=7).status_code == 200
    assert told(ci) == f"{SHA}[live]"
