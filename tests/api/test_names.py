"""Shas and names that name nothing, in every place that takes them, and those that only look so."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.api.names import NO_BRANCH, NO_COMMIT, NO_NAME, find_nameless, plain_branch
from deployments.models import Deploy, Deployment
from orgs.models import Environment
from orgs.services import NewEnvironment, create_environment
from tests.calls import assert_sentence, bearer, call, count_rows
from tests.conftest import World
from tests.imports.importing import post_file, rows

VARIABLES = [
    *("$CI_COMMIT_SHA", "$GIT_COMMIT", "${GIT_COMMIT}", "${GIT_COMMIT:-}", "${env.GIT_COMMIT}", "$sha"),
    *("${{ github.sha }}", "$(Build.SourceVersion)", "$[variables.sha]", "$(params.revision)", "$env:GITHUB_SHA"),
    *("%BUILD_SOURCEVERSION%", "%build.vcs.number%", "%GIT_COMMIT%", "%H", "$Format:%H$", "%!s(<nil>)", "{{sha}}"),
    *("{{ .Values.sha }}", "<no value>", "<SHA>", "<nil>", "<+codebase.commitSha>", "<%= sha %>", "#{Octopus.Release}"),
    *("((version))", "v1-$CI_COMMIT_SHORT_SHA", "__SHA__", "@GIT_SHA@", "!{sha}", "@{u}"),
    # Their names alone
    *("CI_COMMIT_SHA", "CI_COMMIT_SHORT_SHA", "GITHUB_SHA", "GIT_COMMIT", "BITBUCKET_COMMIT", "CIRCLE_SHA1"),
    *("TRAVIS_COMMIT", "BUILD_SOURCEVERSION", "Build.SourceVersion", "github.sha", "DRONE_COMMIT_SHA", "COMMIT_SHA"),
    *("BUILDKITE_COMMIT", "CODEBUILD_RESOLVED_SOURCE_VERSION", "VERCEL_GIT_COMMIT_SHA", "COMMIT_REF", "CF_REVISION"),
    *("RENDER_GIT_COMMIT", "APPVEYOR_REPO_COMMIT", "SEMAPHORE_GIT_SHA", "BUILD_VCS_NUMBER", "HEROKU_SLUG_COMMIT"),
    *("ARGOCD_APP_REVISION", "SHORT_SHA", "SOURCE_COMMIT", "CIRRUS_CHANGE_IN_REPO", "env.GIT_COMMIT"),
    *("bamboo.planRepository.revision", "bamboo_planRepository_revision", "steps.vars.outputs.sha"),
]  # fmt: skip
COMMANDS = ["$(git rev-parse HEAD)", "`git rev-parse HEAD`", "git rev-parse HEAD", "$(git log -1 --format=%H)"]
NOTHING = ["null", "NULL", "undefined", "None", "nil", "NaN", "n/a", "-", "--", "(null)", "[object Object]"]
NO_SHAS = [
    *("HEAD", "HEAD~1", "HEAD^", "HEAD@{1}", "origin/HEAD", "FETCH_HEAD", "(HEAD detached at 5f0c7a1)", "unknown"),
    *("0" * 40, "0" * 64, "0000000", "refs/heads/main", "refs/pull/1/merge", "refs/remotes/origin/main"),
    *("fatal: not a git repository (or any of the parent directories): .git", "bash: git: command not found"),
    *("fatal: ambiguous argument 'HEAD': unknown revision", "sh: 1: git: not found", "error: pathspec", "usage: git"),
    *("'git' is not recognized as an internal or external command", "1.23E+10", "1,23E+10", "#NAME?", "########"),
]  # fmt: skip
SHAS = [
    *("5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80", "c0ffee1", "1234567e12", "20241201", "0000001", "0"),
    *("v1.2.3", "1.0", "1", "v1.0-rc.1+build.5", "refs/tags/v1", "release/1.0", "RELEASE_1_2_3", "BUILD_123"),
    *("latest", "main-2024", "sha-5f0c7a1", "app@sha256:5f0c7a1", "registry.example.com/git:v2", "@scope/app@1.0.0"),
    *("head-fix", "HEADLESS", "none-such", "nullable", "error-page-2", "100%-sure", "run-CKuwsxMGgMd6W7Ui", "n/a-1"),
    *("OPENSSL_1_1_1", "REL_16_1", "Release 5", "-v1", "commit-5f0c7a1", "undefined-behaviour"),
]  # fmt: skip


def refused(world: World, path: str = "", **fields: Any) -> str:
    before = count_rows()
    answer = world.register(path=path or None, **fields)
    assert answer.status_code == 400, fields
    assert count_rows() == before
    return assert_sentence(answer)


def test_the_mistake_is_named(ci: World) -> None:
    said = {
        "$CI_COMMIT_SHA": "is the name of a variable: send its value",
        "$(git rev-parse HEAD)": "is a command: send what it prints",
        "null": "names nothing: send the sha of a commit or a tag",
        "HEAD": "git calls whatever is checked out: send the sha of a commit or a tag",
        "0" * 40: "is git's word for no commit: send the sha of a commit or a tag",
        "refs/heads/main": "names a branch: send the sha of a commit or a tag",
        "fatal: not a git repository": "is the message of an error: send the sha of a commit or a tag",
        "#NAME?": "is an error of a spreadsheet: send the sha of a commit or a tag",
        "1.23E+10": "looks like a number that a spreadsheet rounded: send the sha of a commit or a tag",
    }

    for sha, rest in said.items():
        assert refused(ci, sha=f" {sha} ") == f"sha is '{sha}', which {rest}."


def test_a_sha_that_is_none(ci: World, subtests: pytest.Subtests) -> None:
    for sha in [*VARIABLES, *COMMANDS, *NOTHING, *NO_SHAS]:
        with subtests.test(sha=sha):
            assert refused(ci, sha=sha, ignore_if_duplicate=True).startswith(f"sha is '{sha}', which ")


def test_shas_and_tags_that_are_some(ci: World, subtests: pytest.Subtests) -> None:
    for sha in SHAS:
        with subtests.test(sha=sha):
            assert ci.register(sha=sha).content == b"Success"
            assert Deploy.objects.latest("id").sha == sha


@pytest.mark.parametrize("field", ["environment", "branch"])
def test_names_that_are_none(ci: World, field: str, subtests: pytest.Subtests) -> None:
    for text in [*VARIABLES, *COMMANDS, *NOTHING]:
        with subtests.test(text=text):
            assert refused(ci, sha="v1", **{field: text}).startswith(f"{field} is '{text}', which ")
    assert ci.register(sha="v1", environment="production", branch="feature/HEADER-100%").status_code == 200


@pytest.mark.parametrize("name", ["git server", "echo service", "cat pictures"])
def test_an_environment_may_be_called_like_a_program(ci: World, name: str) -> None:
    create_environment(project=ci.project, new=NewEnvironment(name=name))

    assert ci.register(sha="a", environment=name).status_code == 200
    assert ci.register(sha=name).status_code == 400
    assert "which is a command" in ci.register(sha="b", environment="git rev-parse HEAD").content.decode()
    assert Deploy.objects.get().environment.name == name


def test_a_branch_that_is_checked_out_detached(ci: World) -> None:
    for branch in ("HEAD", "origin/HEAD", "(no branch)", "(HEAD detached at 5f0c7a1)"):
        assert refused(ci, sha="v1", branch=branch).endswith("send the name of the branch, or leave it out.")


def test_an_environment_of_a_manual_change(ci: World) -> None:
    assert refused(ci, ci.manual_path, name="Scaled", environment="$ENVIRONMENT") == (
        "environment is '$ENVIRONMENT', which is the name of a variable: send its value."
    )


def test_a_sha_in_the_address_of_a_webhook(ci: World) -> None:
    notifications = [{"trigger": "run:completed", "run_updated_at": "2024-05-01T12:00:00Z"}]

    said = refused(ci, f"{ci.path}?sha=%24GIT_COMMIT", payload_version=1, notifications=notifications)

    assert said == "sha is '$GIT_COMMIT', which is the name of a variable: send its value."


def test_nothing_is_created_for_a_name_that_is_none(ci: World) -> None:
    fields = {
        "repositoryFullName": "acme/backend",
        "environment": "production",
        "app": "backend",
        "version": "v1",
        "commitHash": "5f0c7a1",
    }
    before = count_rows()
    for text in ("$NAME", "${{ vars.NAME }}", "<no value>", "undefined", "null"):
        for field in fields:
            answer = ci.register(path="/v1/deployments", **fields | {field: text})
            assert answer.status_code == 422
            assert list(answer.json()["validationErrors"]) == [field]
            assert text in answer.json()["validationErrors"][field]
    assert count_rows() == before

    assert ci.register(path="/v1/deployments", **fields | {"version": "-"}).status_code == 202
    assert (Deployment.objects.count(), Environment.objects.count()) == (2, 2)


def test_a_dry_run_names_the_mistake(ci: World) -> None:
    answer = call(f"{ci.path}?dry_run=1", '{"sha": "$GIT_COMMIT"}', headers=bearer(ci.secret))

    assert "sha is '$GIT_COMMIT', which is the name of a variable: send its value." in answer.content.decode()


def test_lines_of_a_file(ci: World) -> None:
    shas = ("$GIT_COMMIT", "5f0c7a1", "1.23E+10", "#NAME?")
    answer = post_file(ci, rows(*(f"{sha},2024-05-01" for sha in shas)))

    assert (answer.status_code, answer.content.decode()) == (
        400,
        "Nothing was imported: sha is '$GIT_COMMIT', which is the name of a variable: line 2; "
        "sha is '1.23E+10', which looks like a number that a spreadsheet rounded: line 4; "
        "sha is '#NAME?', which is an error of a spreadsheet: line 5.",
    )


def test_a_branch_of_a_file_that_is_none_is_left_out(ci: World) -> None:
    branches = ["$BRANCH", "HEAD", "null", "refs/heads/main", "refs/remotes/origin/main", "main"]
    lines = [f"v{n},2024-05-0{n}T12:00:00Z,{branch}" for n, branch in enumerate(branches, 1)]

    assert post_file(ci, "\n".join(["sha,date,branch", *lines])).status_code == 200

    assert [deploy.branch for deploy in Deploy.objects.order_by("id")] == ["", "", "", "main", "main", "main"]


HASHES = st.integers(1, 2**160 - 1).map(lambda number: f"{number:040x}")
TAGS = st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-(rc|beta|alpha)\.?[0-9]{1,2})?", fullmatch=True)
VARIABLE_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
WRITTEN = st.sampled_from(["${}", "${{{}}}", "${{{{ {} }}}}", "$({})", "%{}%", "{{{{{}}}}}", "{{{{ .{} }}}}", "<{}>"])


@given(sha=HASHES, length=st.integers(7, 40))
def test_no_hash_is_mistaken(sha: str, length: int) -> None:
    if sha[:length].strip("0"):
        assert not find_nameless(NO_COMMIT, sha[:length])


@given(tag=TAGS)
def test_no_version_is_mistaken(tag: str) -> None:
    assert bool(find_nameless(NO_COMMIT, tag)) == (len(tag) >= 7 and not tag.strip("0"))


@given(name=VARIABLE_NAMES, written=WRITTEN)
def test_any_variable_is_found(name: str, written: str) -> None:
    for kind in (NO_NAME, NO_BRANCH, NO_COMMIT):
        assert find_nameless(kind, written.format(name))


@given(text=st.text(alphabet=st.sampled_from("refs/headsorigin-1"), max_size=40))
def test_a_branch_keeps_its_name(text: str) -> None:
    assert plain_branch(f"refs/heads/{text}") == text
