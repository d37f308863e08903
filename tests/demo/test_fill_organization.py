"""``manage.py fill_organization``: rows as registrations would have left them, and as many as asked for."""

import io
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from time_machine import travel

from deployments.demo import company
from deployments.demo.company import Habits
from deployments.demo.filling import fill_organization
from deployments.models import Call, ChangedFile, Commit, Deploy, Deployment, PullRequest, Tag, Target
from deployments.models.call import Outcome
from deployments.registration.history import rollbacks_of
from orgs.models import AuditEvent, Environment, Organization, Project, User
from orgs.roles import Role
from tests.calls import count_rows
from tests.conftest import World
from tests.factories import make_member, make_organization, signed_in
from tokens.models import AccessToken

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
FEW = {"deployments": 6, "environments": 3, "deploys": 1_000}


def fill(slug: str = "large", **options: Any) -> str:
    output = io.StringIO()
    with travel(NOW, tick=False):
        call_command("fill_organization", slug, **FEW | options, stdout=output)
    return output.getvalue()


def histories() -> dict[int, list[Deploy]]:
    """The deploys of each target, the oldest first."""
    found: dict[int, list[Deploy]] = {target.pk: [] for target in Target.objects.all()}
    for deploy in Deploy.objects.order_by("deployed_at", "id"):
        found[deploy.target_id].append(deploy)
    return found


@pytest.mark.django_db
def test_there_is_as_much_as_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "DEPLOYS_AT_ONCE", 90)
    fill()

    assert Deploy.objects.count() == 1_000
    assert Deployment.objects.count() == 6
    assert [*Project.objects.get().environments.values_list("slug", flat=True)] == ["testing", "staging", "production"]
    assert Project.objects.get().environments.get(is_default=True).slug == "production"
    assert all(histories().values())
    for model in (Commit, ChangedFile, PullRequest, Tag, Call):
        assert model._default_manager.exists()
    latest = Deploy.objects.latest("deployed_at").deployed_at
    assert NOW - timedelta(days=4) < latest < NOW


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("deployments", "environments", "deploys"), [(1, 1, 1), (1, 8, 5), (3, 5, 15), (3, 5, 17), (120, 2, 30), (7, 1, 60)]
)
def test_any_numbers(deployments: int, environments: int, deploys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "DEPLOYS_AT_ONCE", 4)
    fill(deployments=deployments, environments=environments, deploys=deploys)

    assert Deploy.objects.count() == deploys
    assert Deployment.objects.count() == deployments
    assert Project.objects.count() == -(-deployments // 50)
    assert Environment.objects.count() == Project.objects.count() * environments
    reached = sum(bool(history) for history in histories().values())
    assert reached == min(deploys, deployments * environments) or deploys < deployments * environments


@pytest.mark.django_db
def test_histories_are_as_registering_would_have_left_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "DEPLOYS_AT_ONCE", 70)
    often_failing = Habits(share_failed=0.3)
    fill_organization(
        slug="large", **FEW, owner=None, now=NOW, report_progress=lambda before, stored: None, habits=often_failing
    )

    rollbacks = 0
    for target in Target.objects.all():
        history = list(Deploy.objects.filter(target=target).order_by("deployed_at", "id"))
        assert [deploy.id for deploy in history] == sorted(deploy.id for deploy in history)
        assert target.live_deploy == history[-1]
        shas = [deploy.sha for deploy in history]
        assert not any(sha == following for sha, following in pairwise(shas))
        place = {deploy.id: index for index, deploy in enumerate(history)}
        restores = {place[deploy.id]: place[deploy.restores_id] for deploy in history if deploy.restores_id}
        undone = {place[deploy.id]: place[deploy.rolled_back_by_id] for deploy in history if deploy.rolled_back_by_id}
        assert (restores, undone) == rollbacks_of(shas)
        rollbacks += len(restores)
    assert rollbacks > 20


@pytest.mark.django_db
def test_deploys_have_what_registered_ones_have() -> None:
    fill()

    organization, token = Organization.objects.get(), AccessToken.objects.get()
    for deploy in Deploy.objects.select_related("target__deployment", "target__environment"):
        assert deploy.organization_id == organization.pk
        assert deploy.project_id == deploy.target.deployment.project_id == deploy.target.environment.project_id
        assert (deploy.deployment_id, deploy.environment_id) == (
            deploy.target.deployment_id,
            deploy.target.environment_id,
        )
        assert deploy.token_id == token.pk
        assert deploy.created_at == deploy.updated_at == deploy.deployed_at
        assert deploy.author_email.endswith("@example.com")
        commits = list(deploy.commits.all())
        assert deploy.commit_count == len(commits)
        assert deploy.file_count == deploy.files.count()
        assert deploy.pull_request_count == deploy.pull_requests.count()
        if commits:
            first = min(commit.committed_at for commit in commits if commit.committed_at)
            assert deploy.first_commit_at == first
            assert deploy.lead_time == int((deploy.deployed_at - first).total_seconds())
            assert deploy.title == commits[-1].message.splitlines()[0]


@pytest.mark.django_db
def test_no_constraint_is_violated() -> None:
    with connection.constraint_checks_disabled():
        fill()
    connection.check_constraints()


@pytest.mark.django_db
def test_the_next_registrations_get_ids_of_their_own(ci: World) -> None:
    ci.register(sha="before")
    fill()
    ci.register(sha="after")
    fill("larger")

    ids = Deploy.objects.order_by("id")
    assert ids.count() == 2_002
    before, after = ids.get(sha="before").id, ids.get(sha="after").id
    large, larger = (ids.filter(organization__slug=slug).values_list("id", flat=True) for slug in ("large", "larger"))
    assert before < large[0] <= large[999] < after < larger[0]
    assert large[999] - large[0] == 999


@pytest.mark.django_db
def test_a_filled_organization_takes_registrations() -> None:
    (secret,) = re.findall(r"gum_\w+", fill())
    live = Target.objects.exclude(live_deploy=None).select_related("deployment", "environment", "live_deploy")[0]
    assert live.live_deploy

    def register(sha: str) -> int:
        path = f"/api/1/deployments/large/{live.deployment.slug}/register_deploy?environment={live.environment.slug}"
        return Client().post(path, {"sha": sha}, headers={"Authorization": f"Bearer {secret}"}).status_code

    assert register(live.live_deploy.sha) == 400
    assert register("new") == 200
    live.refresh_from_db()
    assert live.live_deploy
    assert live.live_deploy.sha == "new"
    answer = Client().get("/api/1/organizations/large/live", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


@pytest.mark.django_db
def test_pages_open() -> None:
    User.objects.create_user("ada@example.com")
    fill(owner="Ada@example.com")
    assert Organization.objects.get().memberships.get().role == Role.OWNER
    client = signed_in(User.objects.get())
    deployment = Deployment.objects.all()[0]
    rollback = Deploy.objects.filter(restores__isnull=False)[0]
    for path in (
        "/large",
        "/large/timeline?kind=rollback",
        f"/large/deployments/{deployment.slug}",
        f"/large/deploys/{rollback.pk}",
        reverse("requests", kwargs={"organization": "large"}),
        "/large/audit",
    ):
        assert client.get(path).status_code == 200, path


@pytest.mark.django_db
def test_the_request_log_has_what_it_would_have(settings: Settings) -> None:
    settings.REQUEST_LOG_DAYS = 20
    settings.REQUEST_LOG_PER_DAY = 3
    fill()

    calls = Call.objects.select_related("deploy")
    accepted = calls.filter(outcome=Outcome.ACCEPTED)
    assert 20 < accepted.count() <= 60
    for call in accepted:
        assert call.deploy
        assert call.created_at == call.deploy.deployed_at > NOW - timedelta(days=20)
        assert call.deploy.sha in call.body
        assert call.deployment_id == call.deploy.deployment_id


@pytest.mark.django_db
def test_the_same_day_gives_the_same_deploys() -> None:
    def facts() -> list[Any]:
        columns = (
            "sha",
            "deployed_at",
            "deployment__slug",
            "environment__slug",
            "author_email",
            "title",
            "commit_count",
        )
        return list(Deploy.objects.order_by("id").values_list(*columns))

    with transaction.atomic():
        fill()
        first = facts()
        transaction.set_rollback(True)
    fill()
    assert facts() == first


@pytest.mark.django_db
def test_who_made_it_is_in_the_audit_log() -> None:
    fill()
    assert set(AuditEvent.objects.values_list("actor_label", flat=True)) == {"fill_organization"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["taken"], "There is an organization taken already: name a new one."),
        (["admin"], "This word is part of Gumshoe's own addresses"),
        (["No Slug"], "A slug has lower-case letters"),
        (["large", "--owner=nobody@example.com"], "There is no user nobody@example.com"),
        (["large", "--deploys=0"], "'0' is not a number from 1 to 100,000,000."),
        (["large", "--deployments=many"], "'many' is not a number from 1 to 100,000."),
        (["large", "--environments=9"], "'9' is not a number from 1 to 8."),
        (["large", "--deploys=" + "9" * 5000], "is not a number from 1 to 100,000,000."),
    ],
)
def test_arguments_that_make_no_sense_are_rejected_and_store_nothing(arguments: list[str], words: str) -> None:
    make_organization("taken")
    before = count_rows()

    with pytest.raises(CommandError, match=re.escape(words)):
        call_command("fill_organization", *arguments)

    assert count_rows() == before


@pytest.mark.django_db(transaction=True)
def test_a_failure_half_way_leaves_nothing(ci: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "DEPLOYS_AT_ONCE", 100)
    monkeypatch.setattr(company, "MINUTES_TO_ROLLBACK", (10**12, 10**12))
    before = count_rows()

    with pytest.raises(OverflowError):
        fill()

    assert count_rows() == before
    assert ci.register(sha="after").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_it_stores_outside_a_test_s_transaction_too(ci: World) -> None:
    fill()
    assert Deploy.objects.count() == 1_000
    with pytest.raises(IntegrityError):
        Tag.objects.create(deploy_id=10**9, name="x")
    make_member(ci.organization, Role.OBSERVER)
