"""The Request tab of a deploy's page: the call that registered it, and how to repeat it."""

import html
import re
import shlex
import shutil
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.live_server_helper import LiveServer

from deployments.deploys.services import delete_deploy
from deployments.models import Call, Deploy
from deployments.models.call import MAX_BODY_BYTES_KEPT, Outcome
from deployments.request_log.writer import request_log
from orgs.models import User
from tests.calls import MULTIPART, bearer, call, multipart
from tests.conftest import World
from tests.factories import signed_in


def register(world: World, **body: Any) -> Deploy:
    answer = world.register(**{"sha": "abc", **body})
    assert answer.status_code == 200
    request_log.flush()
    return Deploy.objects.get(pk=answer["X-Deploy-Id"])


def tab(user: User, deploy: Deploy) -> str:
    return signed_in(user).get(f"/acme/deploys/{deploy.pk}?tab=request").content.decode()


def command(page: str) -> str:
    """What the page offers to copy."""
    found = re.search(r'<pre id="repeat"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_it_shows_the_call_its_token_and_how_to_repeat_it(ci: World, developer: User) -> None:
    deploy = register(ci, branch="it's main")

    page = tab(developer, deploy)

    assert 'href="?tab=request" aria-current="page"' in page
    assert f"POST {ci.path}" in page
    assert "<dt>Token</dt><dd>ci</dd>" in page
    assert ">Replay</button>" in page
    assert ci.secret not in page
    words = shlex.split(command(page))
    assert words[words.index("--data-binary") + 1] == '{"sha": "abc", "branch": "it\'s main"}'
    assert words[-1].endswith(ci.path)


def test_observers_see_no_request(ci: World, observer: User) -> None:
    deploy = register(ci)

    page = tab(observer, deploy)

    assert "tab=request" not in page
    assert "<dt>Token</dt>" not in page
    assert "No changes were sent" in page


@pytest.mark.django_db(transaction=True)
def test_the_command_repeats_the_call(ci: World, developer: User, live_server: LiveServer, settings: Settings) -> None:
    assert shutil.which("curl"), "curl runs the command"
    settings.SITE_URL = live_server.url
    commits = [{"revision": "a", "message": "$HOME `x`"}]
    deploy = register(ci, sha="it's", commits=commits, path=f"{ci.path}?api_key={ci.secret}&tags=%23a,%23b")
    line = command(tab(developer, deploy))
    delete_deploy(deploy=deploy)

    done = subprocess.run(
        ["sh", "-c", line], env={"PATH": "/usr/bin:/bin", "GUMSHOE_TOKEN": ci.secret}, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "Success")
    again = Deploy.objects.get()
    assert (again.sha, again.title) == ("it's", "$HOME `x`")
    assert [tag.name for tag in again.tags.order_by("name")] == ["a", "b"]


def test_parts_of_a_form_and_a_cut_body_are_no_command(ci: World, developer: User) -> None:
    call(ci.path, multipart(("sha", "abc")), content_type=MULTIPART, headers=bearer(ci.secret))
    request_log.flush()

    page = tab(developer, Deploy.objects.get())

    assert 'id="repeat"' not in page
    assert ">Replay</button>" in page
    Call.objects.update(body_bytes=MAX_BODY_BYTES_KEPT + 1)
    cut = tab(developer, Deploy.objects.get())
    assert "The log does not have the complete body" in cut
    assert ">Replay</button>" not in cut


def replay(user: User, deploy: Deploy) -> Any:
    path = f"/acme/requests/{Call.objects.get(outcome=Outcome.ACCEPTED, deploy=deploy).pk}/replay"
    return signed_in(user).post(path, follow=True)


@pytest.mark.parametrize("date", [{}, {"date": "2024-05-01T12:00:00Z"}])
def test_replaying_what_was_accepted_stores_nothing_twice(ci: World, developer: User, date: dict[str, str]) -> None:
    deploy = register(ci, **date)
    register(ci, sha="def")

    page = replay(developer, deploy).content.decode()

    assert "Replayed: abc was already deployed here" in page
    assert Deploy.objects.count() == 2


def test_replaying_the_call_of_a_deleted_deploy_registers_it_again(ci: World, developer: User) -> None:
    deploy = register(ci)
    delete_deploy(deploy=deploy)

    replay(developer, deploy)

    again = Deploy.objects.get()
    assert again.pk != deploy.pk
    assert (again.sha, again.deployed_at) == (deploy.sha, deploy.deployed_at)


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "latin-1", "utf-8"])
def test_a_call_in_another_charset_is_shown_repeated_and_replayed_as_it_was_read(
    ci: World, developer: User, charset: str
) -> None:
    body = '{"sha": "é"}'.encode(charset)
    call(ci.path, body, content_type=f"application/json; charset={charset}", headers=bearer(ci.secret))
    request_log.flush()
    deploy = Deploy.objects.get()

    line = command(tab(developer, deploy))
    delete_deploy(deploy=deploy)
    replay(developer, deploy)

    assert '{"sha": "é"}' in line
    assert ("charset" in line) == (charset == "utf-8")
    assert Deploy.objects.get().sha == "é"


def test_why_there_is_no_call_to_show(ci: World, developer: User) -> None:
    deploy = register(ci)
    Call.objects.all().delete()

    assert "The call is not in the request log" in tab(developer, deploy)
    Deploy.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert "The request log keeps calls for 30 days" in tab(developer, deploy)
    Deploy.objects.update(created_at=timezone.now(), token=None)
    assert "This deploy was not registered with an access token" in tab(developer, deploy)


def test_another_organization_s_call_is_never_shown(ci: World, stranger: User) -> None:
    deploy = register(ci)

    assert signed_in(stranger).get(f"/acme/deploys/{deploy.pk}?tab=request").status_code == 404
    assert signed_in(stranger).get(f"/globex/deploys/{deploy.pk}?tab=request").status_code == 404
    assert Client().get(f"/acme/deploys/{deploy.pk}?tab=request").status_code == 302


@pytest.mark.parametrize("count", [1, 3])
def test_a_fixed_number_of_queries(
    ci: World, developer: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    deploy = register(ci, sha="x0")
    for number in range(1, count):
        register(ci, sha=f"x{number}")
    client = signed_in(developer)
    client.get(f"/acme/deploys/{deploy.pk}")

    with django_assert_num_queries(15):
        client.get(f"/acme/deploys/{deploy.pk}?tab=request")
