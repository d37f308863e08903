"""Each snippet of the set-up page is valid where it goes, and the page shows what came in."""

import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from pytest_django import Settings

from deployments.models import Deploy
from deployments.pages import TOOLS
from deployments.request_log.writer import DailyBudget, request_log
from orgs.models import User
from tests.conftest import World
from tests.setup.showing import SITE, snippet

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.SITE_URL = SITE


def test_terraform_cloud_calls_the_address(ci: World, developer: User) -> None:
    address = snippet(ci, developer, "terraform-cloud").replace("$GUMSHOE_TOKEN", ci.secret)
    body = {"payload_version": 1, "notifications": [{"trigger": "run:completed"}], "run_id": "run-vnWnJSpBcUFUTaVJ"}

    answer = ci.client.post(address.removeprefix(SITE), body, content_type="application/json")

    assert answer.content == b"Success"
    assert Deploy.objects.get().environment.slug == "staging"


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
    for sent in ("'Idempotency-Key'", "date "):
        assert sent in script


@pytest.mark.parametrize("tool", [tool["slug"] for tool in TOOLS["deploy"]])
def test_every_tool_reads_the_token_from_a_secret_and_no_page_has_one(ci: World, developer: User, tool: str) -> None:
    text = snippet(ci, developer, tool)
    assert re.search(r"\$\$?GUMSHOE_TOKEN|\$env:GUMSHOE_TOKEN|\$gumshoe-token", text)
    assert "gum_" not in text


def test_the_readme_has_the_step_that_the_page_has(ci: World, developer: User) -> None:
    step = snippet(ci, developer, "github-actions", environment="production").rstrip()
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    assert textwrap.indent(step, "    ") + "\n" in readme


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
