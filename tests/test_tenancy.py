"""Every page, tried by everybody: anonymous, a stranger, and each role.

A new route fails this test until its line is written here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from deployments.imports.drafts import keep_draft
from deployments.models import Call, Deploy, HistoryImport, ImpactKind, ManualChange
from deployments.registration.formats import FORMATS
from deployments.request_log.writer import request_log
from orgs.invitations import invite
from orgs.models import Invitation, Membership, User
from orgs.roles import Permission, Role, role_allows
from tests.conftest import World
from tests.factories import make_impact_source, make_member, signed_in
from tests.imports.importing import dated, post_file
from tests.shared import shared_fixture

ROLES = (Role.OBSERVER, Role.DEVELOPER, Role.ADMIN, Role.OWNER)

# Where no organization is, or where a token and not a person is asked for: other tests hold these.
WITHOUT_A_DOOR = {
    *FORMATS,
    "start",
    "new-organization",
    "invitation",
    "register-incident",
    "register-incident-by-path",
    "register-metric",
    "import-deploys",
    "export-timeline",
    "live",
    "deploy",
    "register-manual-deploy",
    "manual-change",
    "deploy-commits",
    "deploy-files",
    "deploy-pull-requests",
    "deploys-list",
    "manual-changes-list",
    "incidents-list",
    "organizations-list",
    "projects-list",
    "environments-list",
    "deployments-list",
    "commit",
    "schema",
    "graphql",
    "openapi",
    "public-api-docs",
    None,
}


@dataclass(frozen=True)
class Page:
    """``permission`` is the least that a member needs; ``method`` what the page is asked with."""

    permission: Permission
    method: str = "get"


VIEW, REGISTER, REQUESTS = Permission.VIEW, Permission.REGISTER, Permission.VIEW_REQUESTS
TOKENS, PROJECTS, MEMBERS = Permission.MANAGE_TOKENS, Permission.MANAGE_PROJECTS, Permission.MANAGE_MEMBERS

PAGES = {
    "home": Page(VIEW),
    "timeline": Page(VIEW),
    "project-timeline": Page(VIEW),
    "environment-timeline": Page(VIEW),
    "deployment": Page(VIEW),
    "deploy-page": Page(VIEW),
    "delete-deploy": Page(REGISTER, "post"),
    "restore-deploy": Page(REGISTER, "post"),
    "new-manual-change": Page(REGISTER),
    "manual-change-page": Page(VIEW),
    "edit-manual-change": Page(REGISTER),
    "delete-manual-change": Page(REGISTER, "post"),
    "restore-manual-change": Page(REGISTER, "post"),
    "requests": Page(REQUESTS),
    "request": Page(REQUESTS),
    "replay-request": Page(REGISTER, "post"),
    "tokens": Page(TOKENS),
    "new-token": Page(TOKENS),
    "token": Page(TOKENS),
    "rename-token": Page(TOKENS, "post"),
    "revoke-token": Page(TOKENS),
    "rotate-token": Page(TOKENS),
    "projects": Page(VIEW),
    "new-project": Page(PROJECTS),
    "project": Page(VIEW),
    "project-settings": Page(PROJECTS),
    "delete-project": Page(PROJECTS, "post"),
    "restore-project": Page(PROJECTS, "post"),
    "deleted": Page(REGISTER),
    "new-environment": Page(PROJECTS),
    "order-environments": Page(PROJECTS, "post"),
    "environment-settings": Page(PROJECTS),
    "default-environment": Page(PROJECTS, "post"),
    "delete-environment": Page(PROJECTS, "post"),
    "restore-environment": Page(PROJECTS, "post"),
    "impact-sources": Page(VIEW),
    "impact-source": Page(VIEW),
    "new-impact-source": Page(PROJECTS),
    "impact-source-settings": Page(PROJECTS),
    "delete-impact-source": Page(PROJECTS, "post"),
    "restore-impact-source": Page(PROJECTS, "post"),
    "new-deployment": Page(PROJECTS),
    "deployment-settings": Page(PROJECTS),
    "move-deployment": Page(PROJECTS),
    "delete-deployment": Page(PROJECTS, "post"),
    "restore-deployment": Page(PROJECTS, "post"),
    "imports": Page(PROJECTS),
    "import-draft": Page(PROJECTS),
    "cancel-import": Page(PROJECTS, "post"),
    "undo-import": Page(PROJECTS, "post"),
    "deployment-setup": Page(VIEW),
    "deployment-first-call": Page(VIEW),
    "api-docs": Page(VIEW),
    "members": Page(VIEW),
    "invite-member": Page(MEMBERS),
    "leave-organization": Page(VIEW),
    "member": Page(MEMBERS),
    "remove-member": Page(MEMBERS),
    "resend-invitation": Page(MEMBERS, "post"),
    "revoke-invitation": Page(MEMBERS),
    "organization-settings": Page(Permission.MANAGE_ORGANIZATION),
    "audit-log": Page(Permission.VIEW_AUDIT_LOG),
    "audited": Page(Permission.VIEW_AUDIT_LOG),
}


REDIRECTS = {"audited"}


def routes(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif not str(pattern.pattern).startswith(("admin/", "accounts/")):
            yield from routes(pattern)


def test_every_route_has_its_line() -> None:
    assert {route.name for route in routes(get_resolver())} - WITHOUT_A_DOOR == set(PAGES)


def test_the_lines_say_what_the_doors_ask() -> None:
    asked = {
        route.name: route.callback.permission  # type: ignore[attr-defined]  # member_page sets it
        for route in routes(get_resolver())
        if route.name in PAGES
    }
    assert asked == {name: page.permission for name, page in PAGES.items()}


@shared_fixture
def addresses(ci: World) -> dict[str, dict[str, Any]]:
    """For each page the arguments of its address in Acme, which has one of everything."""
    ci.register(sha="abc", commits=[{"revision": "abc", "message": "First"}])
    ci.register(sha="def", environment="nowhere")
    ci.record(name="Scaled up")
    request_log.flush()
    owner = make_member(ci.organization, Role.OWNER)
    invite(organization=ci.organization, email="new@example.com", role=Role.DEVELOPER, by=owner.memberships.get())
    assert post_file(ci, dated("abc"), environment="staging").status_code == 200
    draft = keep_draft(
        deployment=ci.deployment,
        environment=ci.project.environments.get(slug="staging"),
        replaces=True,
        user=owner,
        file_name="deploys.csv",
        file=BytesIO(dated("abc").encode()),
    )
    project = {"project": ci.project.slug}
    environment = {**project, "environment": "staging"}
    deployment = {"deployment": ci.deployment.slug}
    deploy = {"deploy": Deploy.objects.earliest("id").pk}
    change = {"change": ManualChange.objects.get().pk}
    call = {"call_id": Call.objects.latest("id").pk}
    token = {"pk": ci.token.pk}
    source = {"pk": make_impact_source(ci.project, ImpactKind.INCIDENT).pk}
    invitation = {"pk": Invitation.objects.get().pk}
    member = {"pk": Membership.objects.get(user=make_member(ci.organization, Role.OBSERVER)).pk}
    arguments: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("project-timeline", "project", "project-settings", "delete-project"), project),
        **dict.fromkeys(("new-environment", "order-environments", "new-manual-change"), project),
        "audited": {"kind": "deployment", "pk": ci.deployment.pk},
        **dict.fromkeys(("manual-change-page", "edit-manual-change"), change),
        **dict.fromkeys(("delete-manual-change", "restore-manual-change"), change),
        **dict.fromkeys(("impact-sources", "new-impact-source"), project),
        **dict.fromkeys(("impact-source", "impact-source-settings", "delete-impact-source"), project | source),
        "restore-impact-source": source,
        **dict.fromkeys(("environment-timeline", "environment-settings"), environment),
        **dict.fromkeys(("default-environment", "delete-environment"), environment),
        **dict.fromkeys(("deployment", "deployment-settings", "deployment-setup", "deployment-first-call"), deployment),
        **dict.fromkeys(("move-deployment", "delete-deployment"), deployment),
        **dict.fromkeys(("deploy-page", "delete-deploy", "restore-deploy"), deploy),
        **dict.fromkeys(("request", "replay-request"), call),
        **dict.fromkeys(("token", "rename-token", "revoke-token", "rotate-token"), token),
        **dict.fromkeys(("member", "remove-member"), member),
        **dict.fromkeys(("resend-invitation", "revoke-invitation"), invitation),
        "restore-project": {"pk": ci.project.pk},
        "restore-environment": {"pk": ci.project.environments.get(slug="staging").pk},
        "restore-deployment": {"pk": ci.deployment.pk},
        "imports": deployment,
        "import-draft": {**deployment, "pk": draft.pk},
        "cancel-import": {**deployment, "pk": draft.pk},
        "undo-import": {**deployment, "pk": HistoryImport.objects.get().pk},
    }
    return {name: {"organization": ci.organization.slug, **arguments.get(name, {})} for name in PAGES}


@shared_fixture
def members(ci: World) -> dict[Role, Client]:
    """Somebody of each role, signed in."""
    return {role: signed_in(make_member(ci.organization, role)) for role in ROLES}


def ask(client: Client, name: str, arguments: dict[str, Any]) -> HttpResponse:
    return getattr(client, PAGES[name].method)(reverse(name, kwargs=arguments))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", PAGES)
def test_nobody_signed_in_is_sent_to_sign_in(name: str, addresses: dict[str, dict[str, Any]]) -> None:
    answer = ask(Client(), name, addresses[name])

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_finds_nothing(name: str, addresses: dict[str, dict[str, Any]], stranger: User) -> None:
    assert ask(signed_in(stranger), name, addresses[name]).status_code == 404


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", ROLES)
def test_a_member_may_what_the_role_allows(
    name: str, role: Role, addresses: dict[str, dict[str, Any]], members: dict[Role, Client]
) -> None:
    answer = ask(members[role], name, addresses[name])

    if role_allows(role, PAGES[name].permission):
        expected = (200, 302, 404) if PAGES[name].method == "post" else (302,) if name in REDIRECTS else (200,)
        assert answer.status_code in expected
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page.method == "get"])
def test_what_belongs_to_another_organization_is_not_found(
    name: str, addresses: dict[str, dict[str, Any]], other: World, stranger: User
) -> None:
    """An admin of Globex names Acme's rows under the address of Globex; slugs are the same there, ids are not."""
    numbers = [key for key in addresses[name] if key in ("pk", "deploy", "change", "call_id")]
    answer = ask(signed_in(stranger), name, {**addresses[name], "organization": other.organization.slug})

    assert answer.status_code == (404 if numbers else 200)
