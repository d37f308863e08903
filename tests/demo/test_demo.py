"""``manage.py demo``: what ``make run`` shows a newcomer, and the command line it ends with."""

import io
import json
import re
import shutil
import stat
import subprocess
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import Settings
from time_machine import travel

from deployments.demo.story import make_history
from deployments.impacts.queries import open_incidents
from deployments.live.queries import LiveFilters, read_live
from deployments.models import (
    Call,
    Deploy,
    Deployment,
    ImpactSource,
    Incident,
    ManualChange,
    MetricValue,
    Target,
)
from deployments.models.call import Outcome
from deployments.models.deploy import Status
from orgs.models import Organization, User
from orgs.roles import Role
from orgs.services import add_member
from tests.calls import bearer, count_rows
from tests.conftest import World
from tests.factories import make_organization
from tests.shared import shared_fixture
from tokens.models import AccessToken
from tokens.services import revoke_token


@pytest.fixture
def var_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.VAR_DIR = tmp_path
    return tmp_path


@shared_fixture
def access() -> bytes:
    """The access to a demo with little history, for tests that do not need more."""
    with TemporaryDirectory() as folder, override_settings(VAR_DIR=Path(folder)):
        run("--days=3")
        return (Path(folder) / "demo.json").read_bytes()


@pytest.fixture
def demo(access: bytes, var_dir: Path) -> Path:
    path = var_dir / "demo.json"
    path.write_bytes(access)
    return path


def run(*options: str) -> list[str]:
    stdout = io.StringIO()
    call_command("demo", *options, stdout=stdout)
    return stdout.getvalue().splitlines()


def arguments(line: str, shell: str) -> list[str]:
    """What ``shell`` makes of the line, word by word."""
    assert line.startswith("curl ")
    script = "curl() { for word; do printf '%s\\n' \"$word\"; done; }\n" + line
    return subprocess.run([shell, "-c", script], check=True, capture_output=True, text=True).stdout.splitlines()


def paste(line: str) -> Any:
    """Send what the printed curl would send."""
    _, _, url, _, header, *pairs = arguments(line, "sh")
    return Client().post(
        urlsplit(url).path,
        "&".join(pair for pair in pairs if pair != "-d"),
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": header.partition(": ")[2]},
    )


def test_the_history_is_believable(db: None, var_dir: Path) -> None:
    run()
    deploys = Deploy.objects.all()
    now = timezone.now()
    assert 300 < deploys.count() < 700
    assert deploys.filter(deployed_at__lt=now - timedelta(days=50)).exists()
    assert deploys.filter(deployed_at__gt=now - timedelta(days=4)).exists()
    assert not deploys.filter(deployed_at__gt=now).exists()
    assert deploys.filter(restores__isnull=False).exists()
    assert deploys.filter(rolled_back_by__isnull=False).exists()
    assert deploys.filter(tags__name="hotfix").exists()
    assert deploys.filter(lead_time__gt=0, commits__isnull=False, files__isnull=False).exists()
    assert deploys.filter(pull_requests__merged_at__isnull=False).exists()
    assert Deployment.objects.count() == 5
    changes = ManualChange.objects.all()
    assert 4 < changes.count() < 10
    assert changes.filter(
        changed_at__gt=now - timedelta(days=1), registered_by__email="mira.castell@example.com"
    ).exists()
    assert not changes.filter(changed_at__gt=now).exists()
    # Every deployment runs somewhere, and what runs is the newest there.
    for target in Target.objects.all():
        assert target.live_deploy == target.deploys.filter(status=Status.SUCCEEDED).first()
    for deploy in deploys.filter(
        target__environment__slug="production", target__deployment__slug="storefront", restores=None
    ).exclude(tags__name="hotfix"):
        staged = Deploy.objects.get(sha=deploy.sha, target__environment__slug="staging")
        assert staged.deployed_at < deploy.deployed_at


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_each_state_is_shown_once(db: None, var_dir: Path, hour: int) -> None:
    with travel(timezone.now().replace(hour=hour, minute=1), tick=False):
        run("--days=50")
        live = read_live(Organization.objects.get().pk, LiveFilters(), now=timezone.now())
        client = Client()
        client.force_login(User.objects.get(email="demo@example.com"))
        page = client.get("/acme").content.decode()
        timeline = client.get("/acme/timeline").content.decode()
        tokens = client.get("/acme/tokens").content.decode()

    # What was rolled back is behind staging, too.
    assert live.counts == {"behind": 2, "differs": 1, "rolled-back": 1, "stale": 1}
    for words in ("2 are behind", "1 differs from the environment before", "1 is rolled back", "1 is stale"):
        assert words in page
    assert "1 incident is open" in page
    assert timeline.count('class="status failed"') == 1
    assert timeline.count('class="status started"') == 1
    assert tokens.count("Expires in") == 1
    newest = Call.objects.filter(deployment__slug="storefront").latest("id")
    assert (newest.outcome, newest.answer) == (
        Outcome.REJECTED,
        "No environment 'live' in project shop: it has staging, production.",
    )


def test_the_impact_sources_saw_what_was_rolled_back(db: None, var_dir: Path) -> None:
    run("--days=20")
    [on_call, failed] = ImpactSource.objects.order_by("kind")
    now = timezone.now()
    assert not Incident.objects.filter(started_at__gt=now).exists()
    assert [incident.title for incident in open_incidents(on_call)] == ["Search answers slowly"]
    assert 4 <= on_call.incidents.count() <= 30
    values = MetricValue.objects.filter(source=failed)
    assert 20 * 24 - 2 < values.count() <= 20 * 24
    assert values.filter(value__gt=2).exists()
    for rollback in Deploy.objects.filter(environment=on_call.environment, restores__isnull=False):
        assert on_call.incidents.filter(started_at__lt=rollback.deployed_at, ended_at__gt=rollback.deployed_at).exists()


@pytest.mark.parametrize("hour", [0, 23])
def test_the_request_log_has_its_calls(db: None, var_dir: Path, hour: int) -> None:
    with travel(timezone.now().replace(hour=hour), tick=False):
        run("--days=10")
    assert not Deploy.objects.filter(calls=None).exists()
    rejected = Call.objects.filter(outcome=Outcome.REJECTED)
    assert len(rejected) == 4
    assert list(Call.objects.order_by("id")) == list(Call.objects.order_by("created_at", "id"))


def test_its_calls_are_answered_as_the_log_says(db: None, var_dir: Path) -> None:
    run("--days=10")
    secret = json.loads((var_dir / "demo.json").read_text())["token"]
    rows = count_rows()

    def repeat(call: Call) -> tuple[int, str]:
        answer = Client().post(call.path, call.body, content_type=call.content_type, headers=bearer(secret))
        return answer.status_code, answer.content.decode()

    for call in Call.objects.filter(outcome=Outcome.REJECTED):
        assert repeat(call) == (call.status, call.answer)
    newest = Call.objects.filter(outcome=Outcome.ACCEPTED, deploy__status=Status.SUCCEEDED).latest("id")
    assert f"{newest.deploy and newest.deploy.sha} was already deployed here" in repeat(newest)[1]
    assert count_rows() == rows


class TestDemo:
    def test_a_second_run_adds_nothing(self, demo: Path) -> None:
        rows, access = count_rows(), demo.read_text()
        assert "is there already" in run()[0]
        assert (count_rows(), demo.read_text()) == (rows, access)

    def test_show_changes_nothing(self, demo: Path) -> None:
        rows, access = count_rows(), demo.read_text()
        assert run("--show") == run("--show")
        assert (count_rows(), demo.read_text()) == (rows, access)

    def test_only_its_owner_reads_the_access(self, db: None, var_dir: Path) -> None:
        run("--days=1")
        assert stat.S_IMODE((var_dir / "demo.json").stat().st_mode) == 0o600

    def test_the_printed_login_opens_the_admin(self, demo: Path) -> None:
        access = json.loads(demo.read_text())
        line = run("--show")[0]
        assert line.startswith("Look around at http://127.0.0.1:8000 as demo@example.com")
        assert line.endswith(access["password"])
        client = Client()
        client.login(username="demo@example.com", password=access["password"])
        assert client.get("/admin/").status_code == 200

    def test_the_printed_line_registers_each_time_it_is_pasted(self, demo: Path) -> None:
        before = Deploy.objects.count()
        line = run("--show")[-1]
        for _ in range(3):
            answer = paste(line)
            assert (answer.status_code, answer.content) == (200, b"Success")
        assert Deploy.objects.count() == before + 3
        assert Target.objects.get(
            deployment__slug="storefront", environment__slug="production"
        ).live_deploy == Deploy.objects.latest("id")

    @pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
    def test_the_printed_line_is_the_same_to_every_shell(self, demo: Path, shell: str) -> None:
        if shutil.which(shell) is None:
            pytest.skip(f"no {shell} here")
        line = run("--show")[-1]
        first, second = arguments(line, shell), arguments(line, shell)
        [sha] = set(first) - set(second)
        assert re.fullmatch("sha=[0-9a-f]{40}", sha)
        assert len(first) == len(second) == 9


@pytest.mark.parametrize("days", ["-5", "0", "3651", "99999999", "many"])
def test_days_that_make_no_history_are_rejected(db: None, var_dir: Path, days: str) -> None:
    before = count_rows()
    with pytest.raises(CommandError, match=f"'{days}' is not a number from 1 to 3,650\\."):
        run(f"--days={days}")
    assert count_rows() == before


class TestRemoving:
    def test_takes_the_organization_and_its_people_and_nothing_else(self, demo: Path) -> None:
        mine = make_organization("initech")
        me = User.objects.create_superuser("me@example.org", "a long unusual sentence")
        jonas = User.objects.get(email="jonas.falk@example.com")
        add_member(organization=mine, user=jonas, role=Role.DEVELOPER)
        for _ in range(2):
            assert run("--remove") == ["The demo organization and its people are gone."]
            assert list(Organization.objects.all()) == [mine]
            assert set(User.objects.all()) == {me, jonas}
            assert not Deploy.objects.exists()
            assert not demo.exists()

    def test_leaves_somebody_who_can_sign_in_to_the_operator_s_pages(self, demo: Path) -> None:
        rows = count_rows()
        with pytest.raises(CommandError, match="the demo's user is the only one"):
            run("--remove")
        assert count_rows() == rows

    def test_leaves_another_organization_of_that_name(self, var_dir: Path, ci: World) -> None:
        User.objects.create_superuser("me@example.org", "a long unusual sentence")
        rows = count_rows()
        run("--remove")
        assert count_rows() == rows


class TestAccess:
    def test_a_lost_file_gives_new_access(self, demo: Path) -> None:
        old = run("--show")[-1]
        demo.unlink()
        with pytest.raises(CommandError, match="There is no demo organization"):
            run("--show")
        run()
        assert paste(old).status_code == 401
        assert paste(run("--show")[-1]).status_code == 200
        password = json.loads(demo.read_text())["password"]
        assert User.objects.get(email="demo@example.com").check_password(password)

    def test_a_revoked_token_is_replaced(self, demo: Path) -> None:
        revoke_token(token=AccessToken.objects.get(name="demo"))
        run()
        assert paste(run("--show")[-1]).status_code == 200

    def test_a_password_set_by_hand_stays(self, demo: Path) -> None:
        user = User.objects.get(email="demo@example.com")
        user.set_password("my own")
        user.save()
        run()
        user.refresh_from_db()
        assert user.check_password("my own")

    def test_a_new_database_takes_a_file_of_an_old_one(self, db: None, var_dir: Path) -> None:
        (var_dir / "demo.json").write_text(json.dumps({"password": "of the old one", "token": "gum_old"}))
        run("--days=3")
        assert User.objects.get(email="demo@example.com").check_password("of the old one")
        assert paste(run("--show")[-1]).status_code == 200


class TestOtherPeoplesDatabases:
    def test_are_left_alone(self, var_dir: Path, ci: World) -> None:
        rows = count_rows()
        with pytest.raises(CommandError, match=r"organizations already \(acme\)"):
            run()
        with pytest.raises(CommandError, match="There is no demo organization"):
            run("--show")
        assert count_rows() == rows
        assert not (var_dir / "demo.json").exists()

    def test_the_demo_stays_where_others_joined_it(self, demo: Path) -> None:
        make_organization("globex")
        rows = count_rows()
        run()
        assert count_rows() == rows
        assert Organization.objects.count() == 2


def test_the_same_seed_gives_the_same_history() -> None:
    now = timezone.now()
    assert make_history(seed="a", now=now, days=20) == make_history(seed="a", now=now, days=20)
    assert make_history(seed="a", now=now, days=20) != make_history(seed="b", now=now, days=20)
