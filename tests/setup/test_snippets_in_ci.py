"""Each snippet of the set-up page, run as its CI would, registers one deploy and fails no pipeline."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from deployments.models import Deploy, IdempotencyKey, Target
from orgs.models import User
from tests.conftest import World
from tests.setup.showing import SITE, snippet

SHA, NEXT_SHA, THIRD_SHA, FOURTH_SHA = (f"{number}123456789abcdef0123456789abcdef01234567" for number in range(4))


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.SITE_URL = SITE


def from_github(text: str) -> str:
    (step,) = yaml.safe_load(text)
    assert step["continue-on-error"] is True
    assert step["env"]["GUMSHOE_TOKEN"] == "${{ secrets.GUMSHOE_TOKEN }}"
    assert step["env"]["BRANCH"] == "${{ github.ref_type == 'branch' && github.ref_name || '' }}"
    return str(step["run"])


def from_gitlab(text: str) -> str:
    job = yaml.safe_load(text)["register-deploy"]
    assert job["allow_failure"] is True
    (script,) = job["script"]
    return str(script)


def from_jenkins(text: str) -> str:
    script = re.search(r"'''(.*)'''", text, re.DOTALL)
    assert script
    assert text.count("{") == text.count("}")
    # Groovy's own escapes come before the shell's.
    return script[1].replace("\\\n", "").replace("\\n", "\n")


def from_circleci(text: str) -> str:
    (step,) = yaml.safe_load(text)
    return str(step["run"]["command"])


def from_bitbucket(text: str) -> str:
    (item,) = yaml.safe_load(text)
    (script,) = item["step"]["script"]
    return str(script)


def from_azure(text: str) -> str:
    (step,) = yaml.safe_load(text)
    assert step["continueOnError"] is True
    assert step["env"] == {"GUMSHOE_TOKEN": "$(GUMSHOE_TOKEN)"}
    return str(step["bash"])


def from_buildkite(text: str) -> str:
    (step,) = yaml.safe_load(text)["steps"]
    assert step["secrets"] == ["GUMSHOE_TOKEN"]
    assert not re.search(r"(?<!\$)\$(?!\$)", step["command"]), "would be filled in at upload"
    return str(step["command"].replace("$$", "$"))


# Of a run's variables, RUN stands for what is another in each run.
RUN = "4711"
SHELL_TOOLS: list[tuple[str, Callable[[str], str], dict[str, str]]] = [
    (
        "github-actions",
        from_github,
        {
            "GITHUB_SHA": SHA,
            "BRANCH": "main",
            "GITHUB_RUN_ID": RUN,
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_JOB": "deploy",
        },
    ),
    (
        "gitlab-ci",
        from_gitlab,
        {"CI_COMMIT_SHA": SHA, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_ID": "1", "CI_JOB_ID": RUN},
    ),
    (
        "jenkins",
        from_jenkins,
        {"GIT_COMMIT": SHA, "GIT_BRANCH": "origin/main", "BUILD_URL": f"https://ci.example.com/job/shop/{RUN}/"},
    ),
    (
        "circleci",
        from_circleci,
        {"CIRCLE_SHA1": SHA, "CIRCLE_BRANCH": "main", "CIRCLE_WORKFLOW_ID": "b1a2", "CIRCLE_BUILD_NUM": RUN},
    ),
    (
        "bitbucket-pipelines",
        from_bitbucket,
        {
            "BITBUCKET_COMMIT": SHA,
            "BITBUCKET_BRANCH": "main",
            "BITBUCKET_BUILD_NUMBER": RUN,
            "BITBUCKET_STEP_RUN_NUMBER": "1",
            "BITBUCKET_STEP_UUID": "{8ba7}",
        },
    ),
    (
        "azure-pipelines",
        from_azure,
        {
            "BUILD_SOURCEVERSION": SHA,
            "BUILD_SOURCEBRANCH": "refs/heads/main",
            "BUILD_BUILDID": RUN,
            "SYSTEM_JOBATTEMPT": "1",
            "SYSTEM_JOBID": "12f1",
        },
    ),
    (
        "buildkite",
        from_buildkite,
        {
            "BUILDKITE_COMMIT": SHA,
            "BUILDKITE_BRANCH": "main",
            "BUILDKITE_BUILD_ID": RUN,
            "BUILDKITE_RETRY_COUNT": "0",
            "BUILDKITE_JOB_ID": "b-1",
        },
    ),
]
each_shell_tool = pytest.mark.parametrize(
    ("tool", "script_of", "variables"), SHELL_TOOLS, ids=[tool for tool, *_ in SHELL_TOOLS]
)


BASH = ("bash", "-euo", "pipefail")


def run(
    script: str, variables: dict[str, str], shell: Sequence[str] = BASH, **options: Any
) -> subprocess.CompletedProcess[str]:
    assert shutil.which("curl"), "curl runs the snippets"
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        [*shell, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        **options,
    )


@pytest.mark.django_db(transaction=True)
@each_shell_tool
def test_what_a_ci_runs_registers_a_deploy_once(
    ci: World,
    developer: User,
    live_server: LiveServer,
    settings: Settings,
    tool: str,
    script_of: Callable[[str], str],
    variables: dict[str, str],
) -> None:
    settings.SITE_URL = live_server.url
    script = script_of(snippet(ci, developer, tool))
    before = timezone.now().replace(microsecond=0)
    token = {"GUMSHOE_TOKEN": ci.secret}

    def run_as(run_id: str, sha: str) -> str:
        said = {name: value.replace(RUN, run_id).replace(SHA, sha) for name, value in variables.items()}
        done = run(script, token | said)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert run_as("1", SHA) == "Success (200)\n"
    deploy = Deploy.objects.get()
    assert (deploy.sha, deploy.branch, deploy.environment.slug) == (SHA, "main", "staging")
    assert before <= deploy.deployed_at <= deploy.created_at
    key = IdempotencyKey.objects.get().key
    assert "1" in key
    assert key.isascii()
    # The answer to the first run is lost, another run deploys, and the first one sends its call again.
    assert run_as("2", NEXT_SHA) == "Success (200)\n"
    assert run_as("1", SHA) == "Success (200)\n"
    assert Target.objects.get(environment__slug="staging", deployment=ci.deployment).live_deploy == Deploy.objects.get(
        sha=NEXT_SHA
    )
    assert Deploy.objects.count() == 2
    # Without the variables of the run, its calls still are calls of their own, and without a sha there is none.
    names_of_sha = {name for name, value in variables.items() if value == SHA}
    assert run(script, token | dict.fromkeys(names_of_sha, THIRD_SHA)).stdout == "Success (200)\n"
    assert run(script, token | dict.fromkeys(names_of_sha, FOURTH_SHA)).stdout == "Success (200)\n"
    for unset in (token, dict.fromkeys(variables, ""), {}):
        done = run(script, unset)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"\(40[01]\)\n$", done.stdout)
    assert set(Deploy.objects.values_list("sha", flat=True)) == {SHA, NEXT_SHA, THIRD_SHA, FOURTH_SHA}


@pytest.mark.django_db(transaction=True)
def test_the_curl_call_names_the_checked_out_commit(
    ci: World, developer: User, live_server: LiveServer, settings: Settings, tmp_path: Any
) -> None:
    settings.SITE_URL = live_server.url
    make = "git init -qb main . && git -c user.name=a -c user.email=a@b.de commit -qm x --allow-empty"
    assert run(make, {}, cwd=tmp_path).returncode == 0
    head = run("git rev-parse HEAD", {}, cwd=tmp_path).stdout.strip()

    done = run(snippet(ci, developer, "curl"), {"GUMSHOE_TOKEN": ci.secret}, cwd=tmp_path)

    assert done.stdout == "Success (200)\n"
    assert (Deploy.objects.get().sha, Deploy.objects.get().branch) == (head, "main")
    assert IdempotencyKey.objects.get().key.endswith(head)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("origin", ["git@github.com:acme/shop.git", "https://github.com/acme/shop"])
def test_the_call_of_sweetr_names_commit_version_and_repository(
    ci: World, developer: User, live_server: LiveServer, settings: Settings, tmp_path: Any, origin: str
) -> None:
    settings.SITE_URL = live_server.url
    make = "git init -qb main . && git -c user.name=a -c user.email=a@b.de commit -qm x --allow-empty && git tag v1.2"
    assert run(f"{make} && git remote add origin {origin}", {}, cwd=tmp_path).returncode == 0
    head = run("git rev-parse HEAD", {}, cwd=tmp_path).stdout.strip()
    script = snippet(ci, developer, "sweetr")

    done = run(script, {"GUMSHOE_TOKEN": ci.secret}, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ('{"status": 202} (202)\n', "")
    deploy = Deploy.objects.get()
    assert (deploy.deployment, deploy.sha, deploy.version) == (ci.deployment, head, "v1.2")
    assert deploy.environment.slug == "staging"
    assert IdempotencyKey.objects.get().key.endswith(head)
    assert deploy.deployed_at.microsecond == 0

    other = script.replace("storefront", "new")
    assert run(other, {"GUMSHOE_TOKEN": ci.secret}, cwd=tmp_path).returncode == 0
    assert Deploy.objects.latest("id").deployment.repository_url == "https://github.com/acme/shop"


@pytest.mark.parametrize("tool", ["curl", "sweetr", "github-actions", "jenkins", "buildkite"])
@pytest.mark.parametrize("shell", [["bash", "-euo", "pipefail"], ["dash", "-eu"]], ids=["bash", "dash"])
def test_a_pipeline_passes_when_nobody_answers(
    ci: World, developer: User, settings: Settings, tmp_path: Path, tool: str, shell: list[str]
) -> None:
    """Nor does it fail outside of a checkout."""
    settings.SITE_URL = "http://127.0.0.1:9"
    readers = {name: script_of for name, script_of, _ in SHELL_TOOLS}
    script = readers.get(tool, str)(snippet(ci, developer, tool))
    assert "--retry 3" in script

    # Of three attempts more the last two would take six seconds.
    script = f"{script.replace('--retry 3', '--retry 0')}\necho 'and goes on'"
    done = run(script, {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}, shell=shell, cwd=tmp_path)

    assert (done.returncode, done.stdout.strip().splitlines()[-2:]) == (
        0,
        ["The deploy was not registered: no answer.", "and goes on"],
    )


def test_the_sleuth_cli_that_cannot_be_fetched_fails_no_pipeline(ci: World, developer: User, tmp_path: Path) -> None:
    script = snippet(ci, developer, "sleuth-cli").replace("https://github.com", "http://127.0.0.1:9")
    script = f"{script.replace('--retry 3', '--retry 0')}\necho 'and goes on'".replace("sleep", "true")

    done = run(script, {}, cwd=tmp_path)

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "and goes on")


# What Argo CD knows after a sync of one source, and of several.
ONE_SOURCE = {"revision": SHA}
SEVERAL_SOURCES = {"revision": "", "revisions": [SHA, NEXT_SHA]}


@pytest.mark.parametrize(
    ("result", "chosen", "sha"), [(ONE_SOURCE, 0, SHA), (SEVERAL_SOURCES, 0, SHA), (SEVERAL_SOURCES, 1, NEXT_SHA)]
)
def test_argo_cd_sends_what_is_accepted(
    ci: World, developer: User, result: dict[str, Any], chosen: int, sha: str
) -> None:
    text = snippet(ci, developer, "argo-cd").replace("revisions 0", f"revisions {chosen}")
    config, application = yaml.safe_load_all(text)
    service = yaml.safe_load(config["data"]["service.webhook.gumshoe"])
    template = yaml.safe_load(config["data"]["template.gumshoe-deploy"])["webhook"]["gumshoe"]
    (trigger,) = yaml.safe_load(config["data"]["trigger.gumshoe-deployed"])
    assert trigger["send"] == ["gumshoe-deploy"]
    for name in ("finishedAt", "syncResult?.revision,", "syncResult?.revisions"):
        assert name in trigger["oncePer"]
    assert application["metadata"]["annotations"] == {
        "notifications.argoproj.io/subscribe.gumshoe-deployed.gumshoe": ""
    }
    headers = {header["name"]: header["value"].replace("$gumshoe-token", ci.secret) for header in service["headers"]}
    content_type = headers.pop("Content-Type")
    path = service["url"].removeprefix(SITE)

    def send(operation: dict[str, Any]) -> int:
        body = json.loads(filled_in(template["body"], {"app": {"status": {"operationState": operation}}}))
        return int(ci.client.post(path, body, content_type=content_type, headers=headers).status_code)

    first = {"syncResult": result, "finishedAt": "2026-11-01T10:00:00Z"}
    assert (template["method"], send(first)) == ("POST", 200)
    deploy = Deploy.objects.get()
    assert (deploy.sha, deploy.environment.slug) == (sha, "staging")
    assert deploy.deployed_at.isoformat() == "2026-11-01T10:00:00+00:00"
    second = {"syncResult": {"revision": THIRD_SHA}, "finishedAt": "2026-11-01T11:00:00Z"}
    assert [send(second), send(first)] == [200, 200]
    assert Target.objects.get(environment__slug="staging", deployment=ci.deployment).live_deploy == Deploy.objects.get(
        sha=THIRD_SHA
    )
    assert not Deploy.objects.filter(restores__isnull=False).exists()


def filled_in(template: str, context: dict[str, Any]) -> str:
    """What Go's text/template makes of the little that our template has: paths, index, if and else."""

    def find(path: str) -> Any:
        found: Any = context
        for name in path.strip(".").split("."):
            found = found.get(name, "")
        return found

    def choose(match: re.Match[str]) -> str:
        condition, if_so, if_not = match.groups()
        return if_so if find(condition) else if_not

    def fill(match: re.Match[str]) -> str:
        match match[1].split():
            case ["index", path, position]:
                return str(find(path)[int(position)])
            case [path]:
                return str(find(path))
        raise AssertionError(match[0])

    chosen = re.sub(r"{{if (\S+?)}}(.*?){{else}}(.*?){{end}}", choose, template)
    return re.sub(r"{{(.+?)}}", fill, chosen)
