"""Each snippet of the set-up page is valid where it goes, and what it runs registers a deploy."""

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from deployments.models import Deploy
from deployments.pages import TOOLS
from deployments.request_log.writer import DailyBudget, request_log
from orgs.models import User
from tests.conftest import World

SITE = "https://gumshoe.example.com"
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.SITE_URL = SITE


def snippet(world: World, user: User, tool: str, environment: str = "staging") -> str:
    world.client.force_login(user)
    page = world.client.get(f"/acme/deployments/storefront/setup?ci={tool}&environment={environment}")
    assert page.status_code == 200
    code = re.search(r'<code id="snippet">(.*?)</code>', page.content.decode(), re.DOTALL)
    assert code
    return html.unescape(code[1])


def from_github(text: str) -> str:
    (step,) = yaml.safe_load(text)
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
    assert step["env"] == {"GUMSHOE_TOKEN": "$(GUMSHOE_TOKEN)"}
    return str(step["bash"])


def from_buildkite(text: str) -> str:
    (step,) = yaml.safe_load(text)["steps"]
    assert step["secrets"] == ["GUMSHOE_TOKEN"]
    assert not re.search(r"(?<!\$)\$(?!\$)", step["command"]), "would be filled in at upload"
    return str(step["command"].replace("$$", "$"))


SHELL_TOOLS: list[tuple[str, Callable[[str], str], dict[str, str]]] = [
    ("github-actions", from_github, {"GITHUB_SHA": SHA, "BRANCH": "main"}),
    ("gitlab-ci", from_gitlab, {"CI_COMMIT_SHA": SHA, "CI_COMMIT_BRANCH": "main"}),
    ("jenkins", from_jenkins, {"GIT_COMMIT": SHA, "GIT_BRANCH": "origin/main"}),
    ("circleci", from_circleci, {"CIRCLE_SHA1": SHA, "CIRCLE_BRANCH": "main"}),
    ("bitbucket-pipelines", from_bitbucket, {"BITBUCKET_COMMIT": SHA, "BITBUCKET_BRANCH": "main"}),
    ("azure-pipelines", from_azure, {"BUILD_SOURCEVERSION": SHA, "BUILD_SOURCEBRANCH": "refs/heads/main"}),
    ("buildkite", from_buildkite, {"BUILDKITE_COMMIT": SHA, "BUILDKITE_BRANCH": "main"}),
]


def run(script: str, variables: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    assert shutil.which("curl"), "curl runs the snippets"
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        **options,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("tool", "script_of", "variables"), SHELL_TOOLS, ids=[tool for tool, *_ in SHELL_TOOLS])
def test_what_a_ci_runs_registers_a_deploy(
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

    done = run(script, {"GUMSHOE_TOKEN": ci.secret, **variables})

    assert (done.returncode, done.stdout, done.stderr) == (0, "Success (200)\n", "")
    deploy = Deploy.objects.get()
    assert (deploy.sha, deploy.branch, deploy.environment.slug) == (SHA, "main", "staging")
    assert run(script, {"GUMSHOE_TOKEN": ci.secret, **variables}).stdout == "Success (200)\n"
    assert Deploy.objects.count() == 1


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

    other = script.replace("app=storefront", "app=new")
    assert run(other, {"GUMSHOE_TOKEN": ci.secret}, cwd=tmp_path).returncode == 0
    assert Deploy.objects.latest("id").deployment.repository_url == "https://github.com/acme/shop"


def test_terraform_cloud_calls_the_address(ci: World, developer: User) -> None:
    address = snippet(ci, developer, "terraform-cloud").replace("$GUMSHOE_TOKEN", ci.secret)
    body = {"payload_version": 1, "notifications": [{"trigger": "run:completed"}], "run_id": "run-vnWnJSpBcUFUTaVJ"}

    answer = ci.client.post(address.removeprefix(SITE), body, content_type="application/json")

    assert answer.content == b"Success"
    assert Deploy.objects.get().environment.slug == "staging"


def test_a_pipeline_passes_when_nobody_answers(ci: World, developer: User, settings: Settings) -> None:
    settings.SITE_URL = "http://127.0.0.1:9"

    script = from_github(snippet(ci, developer, "github-actions"))
    assert "--retry 3" in script

    # Of three attempts more the last two would take six seconds.
    done = run(script.replace("--retry 3", "--retry 1"), {"GUMSHOE_TOKEN": "x", "GITHUB_SHA": SHA, "BRANCH": ""})

    assert done.returncode == 0
    assert done.stdout.endswith("The deploy was not registered: no answer.\n")


def test_argo_cd_sends_what_is_accepted(ci: World, developer: User) -> None:
    config, application = yaml.safe_load_all(snippet(ci, developer, "argo-cd"))
    service = yaml.safe_load(config["data"]["service.webhook.gumshoe"])
    template = yaml.safe_load(config["data"]["template.gumshoe-deploy"])["webhook"]["gumshoe"]
    (trigger,) = yaml.safe_load(config["data"]["trigger.gumshoe-deployed"])
    assert trigger["send"] == ["gumshoe-deploy"]
    assert application["metadata"]["annotations"] == {
        "notifications.argoproj.io/subscribe.gumshoe-deployed.gumshoe": ""
    }
    headers = {header["name"]: header["value"].replace("$gumshoe-token", ci.secret) for header in service["headers"]}
    body = template["body"].replace("{{.app.status.operationState.syncResult.revision}}", SHA)

    response = ci.client.post(
        service["url"].removeprefix(SITE),
        json.loads(body),
        content_type=headers.pop("Content-Type"),
        headers=headers,
    )

    assert (template["method"], response.status_code) == ("POST", 200)
    assert (Deploy.objects.get().sha, Deploy.objects.get().environment.slug) == (SHA, "staging")


@pytest.mark.parametrize("tool", ["curl", "sleuth-cli"])
def test_scripts_are_valid_shell(ci: World, developer: User, tool: str) -> None:
    script = snippet(ci, developer, tool)
    assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0


def test_the_sleuth_cli_is_given_our_address_before_its_command(ci: World, developer: User) -> None:
    """``--baseurl`` is an option of the program, and hidden; there is no variable for it."""
    words = snippet(ci, developer, "sleuth-cli").split()
    assert words.index("--baseurl") < words.index("deploy")
    assert words[words.index("--baseurl") + 1] == SITE
    for option, value in (("organization", "acme"), ("deployment", "storefront"), ("environment", "staging")):
        assert words[words.index(f"--{option}") + 1] == value


def test_powershell_calls_our_address_with_the_environment(ci: World, developer: User) -> None:
    script = snippet(ci, developer, "powershell")
    assert "'https://gumshoe.example.com/api/1/deployments/acme/storefront/register_deploy'" in script
    assert re.search(r"environment +=\s'staging'", script)
    assert script.count("{") == script.count("}")
    assert script.count("(") == script.count(")")


@pytest.mark.parametrize("tool", [tool["slug"] for tool in TOOLS["deploy"]])
def test_every_tool_reads_the_token_from_a_secret_and_no_page_has_one(ci: World, developer: User, tool: str) -> None:
    text = snippet(ci, developer, tool)
    assert re.search(r"\$\$?GUMSHOE_TOKEN|\$env:GUMSHOE_TOKEN|\$gumshoe-token", text)
    assert "gum_" not in text


def test_unknown_tools_and_environments_fall_back(ci: World, developer: User) -> None:
    assert "environment=production" in snippet(ci, developer, "nonsense", environment="nonsense")


def test_the_page_waits_until_the_first_deploy_is_there(ci: World, observer: User) -> None:
    ci.client.force_login(observer)
    path = "/acme/deployments/storefront/setup/first-call?environment=staging"

    waiting = ci.client.get(path).content.decode()
    assert "Waiting" in waiting
    assert 'hx-trigger="every 3s"' in waiting

    ci.register(sha=SHA, environment="production")
    elsewhere = ci.client.get(path).content.decode()
    assert "The newest deploy went to Production" in elsewhere
    assert "hx-trigger" in elsewhere

    ci.register(sha=SHA, environment="staging")
    arrived = ci.client.get(path).content.decode()
    assert "Receiving calls" in arrived
    assert SHA[:7] in arrived
    assert "hx-trigger" not in arrived


def test_a_rejected_call_and_its_remedy_are_shown_until_one_is_accepted(
    ci: World, developer: User, observer: User
) -> None:
    request_log.waiting.clear()
    request_log.budget = DailyBudget()
    path = "/acme/deployments/storefront/setup/first-call?environment=staging"
    ci.register(sha=SHA, environment="stagign")
    request_log.flush()

    ci.client.force_login(developer)
    rejected = ci.client.get(path).content.decode()
    assert "No environment &#x27;stagign&#x27; in project shop: it has staging, production." in rejected
    assert "Answered 400" in rejected
    assert "hx-trigger" in rejected
    ci.client.force_login(observer)
    assert "stagign" not in ci.client.get(path).content.decode(), "the request log is not for observers"

    ci.client.force_login(developer)
    ci.register(sha=SHA, environment="staging")
    request_log.flush()
    assert "Receiving calls" in ci.client.get(path).content.decode()
    ci.register(sha=SHA, secret="gum_wrong")
    request_log.flush()
    assert "Unauthorized" in ci.client.get(path).content.decode()
