"""An organization with something of everything, and with names that are as long as they may be."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from django.utils import timezone

from deployments.demo.build import ensure_demo, find_demo
from deployments.imports import drafts as import_drafts
from deployments.models import Call, Deploy, Deployment, ImpactSource, ManualChange
from deployments.request_log.writer import request_log
from deployments.setup import deletion
from orgs.invitations import invite
from orgs.models import Organization, User
from orgs.roles import Role
from orgs.services import add_member
from orgs.slugs import MAX_SLUG_LENGTH
from tests.conftest import World
from tests.factories import make_deployment, make_member, make_token
from tokens.models import AccessToken
from tokens.services import limit_token, revoke_token, rotate_token

LONG_NAME = "Reconciliation of incoming payments with invoices of the previous fiscal years"
LONG_WORD = "feature/" + "reconciliation-of-payments-" * 8
SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"


def fill(owner: User) -> dict[str, Any]:
    """Makes the demo organization, more of it, and ``owner`` its owner. Gives what addresses are made of."""
    ensure_demo(now=timezone.now(), days=4)
    organization = find_demo()
    assert organization is not None
    membership = add_member(organization=organization, user=owner, role=Role.OWNER)
    project = organization.projects.get(slug="shop")
    deployment = make_deployment(project, LONG_NAME, slug="x" * MAX_SLUG_LENGTH)
    token, secret = make_tokens(organization, deployment)
    make_calls(World(organization, project, deployment, token, secret))
    member = make_member(organization, Role.DEVELOPER)
    address = f"{'a' * 60}@{'long-' * 8}example.com"
    invitation, _ = invite(organization=organization, email=address, role=Role.ADMIN, by=membership)
    deletion.delete_deployment(deployment=make_deployment(project, "Retired"))
    history = "sha,date\n" + "".join(f"{LONG_WORD}{n},2024-05-0{n}\n" for n in range(1, 9)) + "x,soon\n"
    draft = import_drafts.keep_draft(
        deployment=deployment,
        environment=project.environments.get(slug="staging"),
        replaces=True,
        user=owner,
        file_name=f"{LONG_NAME}.csv",
        file=BytesIO(history.encode()),
    )
    return {
        "organization": organization.slug,
        "project": project.slug,
        "environment": "staging",
        "deployment": deployment.slug,
        "deploy": Deploy.objects.filter(sha=SHA).earliest("id").pk,
        "call_id": Call.objects.filter(organization=organization).latest("id").pk,
        "tokens/pk": token.pk,
        "members/pk": organization.memberships.get(user=member).pk,
        "invitations/pk": invitation.pk,
        "change": ManualChange.objects.filter(organization=organization).latest("id").pk,
        "sources/pk": ImpactSource.objects.filter(project=project).earliest("id").pk,
        "drafts/pk": draft.pk,
    }


def make_tokens(organization: Organization, deployment: Deployment) -> tuple[AccessToken, str]:
    """One in each state; the last is as full as one gets."""
    revoked, _ = make_token(organization, name="Laptop of somebody who left")
    revoke_token(token=revoked)
    make_token(organization, name="Ends soon", expires_at=timezone.now() + timedelta(days=3))
    token, _ = make_token(organization, name=LONG_NAME)
    limit_token(token=token, deployments=[deployment])
    return token, rotate_token(token=token, grace=timedelta(days=7))


def make_calls(world: World) -> None:
    """A deploy that says all that can be said, and calls that were turned away."""
    now = timezone.now()
    commit = {
        "revision": SHA,
        "message": f"{LONG_NAME}\n\nWith a body.",
        "author": {"name": LONG_NAME, "email": "ann@example.com"},
        "date": (now - timedelta(days=2)).isoformat(),
        "files": ["a.py"],
        "url": "https://git.example.com/1",
    }
    pull_request = {
        "number": 7,
        "title": LONG_NAME,
        "url": "https://git.example.com/7",
        "branch": LONG_WORD,
        "author": "ann",
        "created_at": (now - timedelta(days=2)).isoformat(),
        "first_review_at": (now - timedelta(days=1)).isoformat(),
        "merged_at": (now - timedelta(hours=1)).isoformat(),
        "issue_keys": ["PAY-1", "PAY-2"],
    }
    register(
        world,
        200,
        sha=SHA,
        branch=LONG_WORD,
        email="ann@example.com",
        tags=["#hotfix", "#database-migration", "#a-tag-that-is-rather-long"],
        links={"Build": "https://ci.example.com/1", LONG_NAME: "https://ci.example.com/2"},
        commits=[commit, {"revision": "0" * 40, "message": "Second"}],
        files=[{"path": "src/" + LONG_WORD + "/a.py", "additions": 1200, "deletions": 31}],
        pull_requests=[pull_request],
    )
    register(world, 200, sha=LONG_WORD, environment="staging")
    register(world, 200, sha="1.2.3-" + "rc" * 60)
    register(world, 200, sha=SHA)
    register(world, 401, secret="wrong", sha="x")
    register(world, 400, sha="x", environment="nowhere")
    request_log.flush()


def register(world: World, status: int, **body: Any) -> None:
    response = world.register(**body)
    assert response.status_code == status, response.content
