"""Every page and list of the API takes the queries that are written here, for one of everything and for three.

A page that is new in the tenancy test fails until its number is written down.
"""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from deployments.impacts.incidents import IncidentReport, record_incident
from deployments.impacts.sources import record_metric_value
from deployments.imports.drafts import keep_draft
from deployments.models import Call, Deploy, ImpactKind, ImpactSource, IncidentEventType, ManualChange
from deployments.models.call import Outcome
from deployments.request_log.writer import request_log
from deployments.setup.deletion import delete_deployment, delete_project
from deployments.setup.services import map_branch
from orgs.deletion import delete_environment
from orgs.invitations import invite
from orgs.models import Invitation, Membership
from orgs.roles import Role
from orgs.services import NewEnvironment, add_member, create_environment
from tests import test_tenancy as tenancy
from tests.conftest import World
from tests.factories import (
    make_deployment,
    make_impact_source,
    make_member,
    make_organization,
    make_project,
    make_token,
    signed_in,
)
from tests.imports.importing import post_file
from tests.test_tenancy import routes
from tokens.scopes import Scope
from tokens.services import limit_token, rotate_token

# What each page of the owner asks the database; a pair is for SQLite and for PostgreSQL.
PAGES: dict[str, int | tuple[int, int]] = {
    "home": 23,
    "timeline": 20,
    "project-timeline": 19,
    "environment-timeline": 17,
    "deployment": 20,
    "deploy-page": 22,
    "new-manual-change": 11,
    "manual-change-page": 11,
    "edit-manual-change": 11,
    "requests": 11,
    "request": 13,
    "tokens": 13,
    "new-token": 11,
    "token": 17,
    "revoke-token": 10,
    "rotate-token": 10,
    "projects": 12,
    "new-project": 9,
    "project": 15,
    "project-settings": 11,
    "deleted": 10,
    "deleted?kind=deploys": 10,
    "audited": 24,
    "new-environment": 11,
    "environment-settings": 11,
    "impact-sources": 12,
    "impact-source": 14,
    "new-impact-source": 12,
    "impact-source-settings": 11,
    "new-deployment": 10,
    "deployment-settings": 12,
    "move-deployment": 11,
    "imports": 14,
    "import-draft": 16,
    "deployment-setup": 16,
    "deployment-first-call": 13,
    "api-docs": 12,
    "members": 12,
    "invite-member": 10,
    "leave-organization": 9,
    "member": 11,
    "remove-member": 11,
    "revoke-invitation": 11,
    "organization-settings": 11,
    "audit-log": 12,
    "start": 26,
    "timeline?q=fix": 22,
    "timeline?tag=t&author=ann&kind=rollback": 17,
    "timeline?environment=production": 23,
    "timeline?sha=abcd": 16,
    "timeline?before=9999999999999999-1": 18,
    "timeline?after=0-0": 21,
    "deployment?environment=production": 22,
    "home?state=behind": 19,
    "home?q=s": 23,
    "deploy-page?tab=files": 21,
    "deleted?kind=environments": 10,
    "deleted?kind=deployments": 10,
    "tokens?state=revoked": 10,
    "requests?outcome=all-rejected": 11,
    "requests?deployment=storefront": 12,
    "audit-log?person=system": 12,
    "audit-log?format=csv": 10,
}
# The same of an API list: with a token that may read everything, and with one that is limited to a deployment.
API: dict[str, tuple[int, int]] = {
    "live": (10, 11),
    "live?format=csv": (10, 11),
    "deploy": (12, 12),
    "deploy-commits": (10, 10),
    "deploy-files": (10, 10),
    "deploy-pull-requests": (10, 10),
    "export-timeline": (11, 11),
    "organizations-list": (7, 7),
    "projects-list": (7, 7),
    "environments-list": (8, 8),
    "deployments-list": (7, 7),
    "deploys-list": (11, 13),
    "manual-changes-list": (8, 8),
    "manual-changes-list?tag=t": (9, 8),
    "incidents-list": (8, 8),
    "incidents-list?state=open": (8, 8),
}


class Grown:
    """An organization that gets one more of everything by each ``grow``, and its owner who looks at it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner = make_member(world.organization, Role.OWNER)
        # One that is limited to deployments may record no manual change.
        _, self.unlimited = make_token(world.organization)
        self.size = 0

    def grow(self) -> None:
        self.size += 1
        self.grow_places()
        self.grow_people()
        self.grow_history()
        self.grow_beside_deploys()

    def grow_places(self) -> None:
        organization, project, number = self.world.organization, self.world.project, self.size
        environment = create_environment(project=project, new=NewEnvironment(name=f"Testing {number}"))
        map_branch(deployment=self.world.deployment, environment=environment, branch=f"b{number}/*")
        make_deployment(project, f"Api {number}")
        make_deployment(make_project(organization, f"Project {number}"), f"Web {number}")
        delete_deployment(deployment=make_deployment(project, f"Gone {number}"))
        delete_project(project=make_project(organization, f"Gone {number}"))
        gone = create_environment(project=project, new=NewEnvironment(name=f"Gone {number}"))
        delete_environment(environment=gone)
        for name in (f"limited {number}", ""):
            token, _ = make_token(organization, environments=[environment], name=name)
            limit_token(token=token, deployments=[self.world.deployment])
        limited = [*self.world.token.deployments.all(), make_deployment(project, f"Limited {number}")]
        limit_token(token=self.world.token, deployments=[*limited, self.world.deployment])
        rotate_token(token=self.world.token, grace=timedelta(days=1))
        self.world.secret = rotate_token(token=self.world.token, grace=timedelta(days=1))

    def grow_people(self) -> None:
        organization = self.world.organization
        make_member(organization, Role.OBSERVER)
        by = Membership.objects.get(user=self.owner, organization=organization)
        invite(organization=organization, email=f"new{self.size}@example.com", role=Role.DEVELOPER, by=by)
        add_member(organization=make_organization(), user=self.owner, role=Role.ADMIN)

    def grow_history(self) -> None:
        """In each target a, b, and a again: a rollback; with as many of each detail as it has grown."""
        many = range(self.size)
        for environment in ("production", *(f"testing-{number + 1}" for number in many)):
            for sha in ("a", "b", "a"):
                answer = self.world.register(
                    sha=f"{self.size}{sha}",
                    environment=environment,
                    branch=f"{environment.replace('testing-', 'b')}/x",
                    tags=[f"#t{n}" for n in many],
                    links={f"l{n}": "https://example.com" for n in many},
                    commits=[{"revision": f"{n}", "message": f"Fix {n}", "author": {"name": f"Ann {n}"}} for n in many],
                    files=[{"path": f"{n}.py"} for n in many],
                    pull_requests=[{"number": n} for n in many],
                )
                assert answer.status_code == 200, answer.content
        self.world.register(sha="x", environment="nowhere")
        request_log.flush()

    def grow_beside_deploys(self) -> None:
        change = {"name": f"Scaled up {self.size}", "tags": ["#t"]}
        assert self.world.record(secret=self.unlimited, **change).status_code == 200
        for kind in ImpactKind:
            source = make_impact_source(self.world.project, kind, f"{kind.label} {self.size}")
            for number in range(self.size):
                if kind == ImpactKind.INCIDENT:
                    report = IncidentReport(type=IncidentEventType.TRIGGERED, external_id=f"{number}")
                    record_incident(source=source, report=report, now=source.created_at)
                else:
                    at = source.created_at + timedelta(hours=number)
                    record_metric_value(source=source, value=number, measured_at=at, now=at)
        sheet = "".join(f"{row}\n" for row in ("sha,date", *(f"{n},2024-05-0{n + 1}" for n in range(self.size))))
        self.draft = keep_draft(
            deployment=self.world.deployment,
            environment=self.world.project.environments.get(slug="staging"),
            replaces=True,
            user=self.owner,
            file_name="deploys.csv",
            file=BytesIO(sheet.encode()),
        )
        assert post_file(self.world, sheet, environment="staging").status_code == 200

    def address(self, name: str) -> str:
        """Of the newest of what the page shows one of."""
        name, _, query = name.partition("?")
        arguments = {
            "organization": self.world.organization.slug,
            "project": self.world.project.slug,
            "environment": "production",
            "deployment": self.world.deployment.slug,
            "deploy": Deploy.objects.latest("id").pk,
            "deploy_id": Deploy.objects.latest("id").pk,
            "call_id": Call.objects.filter(outcome=Outcome.REJECTED).latest("id").pk,
            "pk": self.world.token.pk,
            "change": ManualChange.objects.latest("id").pk,
            "change_id": ManualChange.objects.latest("id").pk,
        }
        if name == "import-draft":
            arguments["pk"] = self.draft.pk
        if name == "audited":
            arguments |= {"kind": "deployment", "pk": self.world.deployment.pk}
        if "impact-source" in name:
            arguments["pk"] = ImpactSource.objects.latest("id").pk
        if "member" in name:
            arguments["pk"] = Membership.objects.filter(organization=self.world.organization).latest("id").pk
        if "invitation" in name:
            arguments["pk"] = Invitation.objects.latest("id").pk
        path = reverse(name, kwargs={key: arguments[key] for key in ARGUMENTS[name]})
        return f"{path}?{query}" if query else path


ARGUMENTS = {route.name: set(route.pattern.converters) for route in routes(get_resolver()) if route.name}


def queries_of(ask: Callable[[], Any]) -> list[str]:
    # The first visit starts a session, or notes the use of a token.
    ask()
    with CaptureQueriesContext(connection) as queries:
        answer = ask()
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == 200, content
    return [query["sql"] for query in queries]


def test_every_page_has_a_budget() -> None:
    asked = {name for name, page in tenancy.PAGES.items() if page.method == "get"}

    assert asked <= {*PAGES}


def test_each_page_takes_its_queries_and_no_more_for_more_rows(ci: World) -> None:
    grown = Grown(ci)
    client = signed_in(grown.owner)
    readers = [make_token(ci.organization, Scope.READ, name=name) for name in ("free", "limited")]
    limit_token(token=readers[1][0], deployments=[ci.deployment])
    headers = [{"Authorization": f"Bearer {secret}"} for _, secret in readers]
    on_postgresql = connection.vendor == "postgresql"

    for growth in (1, 2):
        for _ in range(growth):
            grown.grow()
        wrong = []
        for name, budget in PAGES.items():
            expected = budget if isinstance(budget, int) else budget[on_postgresql]
            queries = queries_of(lambda: client.get(grown.address(name), follow=True))  # noqa: B023
            wrong += difference(name, expected, queries)
        for name, budgets in API.items():
            for expected, header in zip(budgets, headers, strict=True):
                queries = queries_of(lambda: Client().get(grown.address(name), headers=header))  # noqa: B023
                wrong += difference(name, expected, queries)
        assert not wrong, "\n".join([f"with {grown.size} of everything:", *wrong])


def difference(name: str, expected: int, queries: list[str]) -> list[str]:
    if len(queries) == expected:
        return []
    return [f"{name} takes {len(queries)} queries, and {expected} are written here:", *queries]
