"""Deleting projects, environments and deployments from pages, and bringing them back."""

import re
from typing import Any

import pytest
from django.test import Client

from deployments.models import Deploy, Deployment, ImpactKind, ManualChange
from deployments.setup import deletion
from deployments.setup.audited import PAGES
from orgs import deletion as org_deletion
from orgs.models import AuditEvent, Environment, Project, User
from orgs.views.organization import LINKED
from tests.conftest import World
from tests.factories import make_deployment, make_impact_source, make_project, signed_in
from tests.imports.histories import minute as dated_at
from tests.imports.importing import dated, post_file

KINDS = ("deploys", "manual-changes")


@pytest.mark.parametrize(
    ("delete", "restored"),
    [
        ("projects/shop", "/acme/projects/shop"),
        ("deployments/storefront", "/acme/deployments/storefront/settings"),
        ("projects/shop/environments/staging", "/acme/projects/shop"),
    ],
)
def test_a_deletion_offers_its_undo_on_the_next_page(ci: World, page: Client, delete: str, restored: str) -> None:
    after = page.post(f"/acme/{delete}/delete", follow=True)
    form = re.search(
        r'<form method="post" action="([^"]+)"><input [^>]+><button class="button small">Undo', after.content.decode()
    )
    assert form
    assert page.get(form[1]).status_code == 405

    back = page.post(form[1])

    assert back.headers["Location"] == restored
    assert Project.objects.filter(pk=ci.project.pk).exists()
    assert Deployment.objects.filter(pk=ci.deployment.pk).exists()
    assert ci.project.environments.count() == 2
    assert page.post(form[1]).status_code == 404, "is not deleted any more"


def test_an_undo_that_comes_too_late_says_that_the_slug_is_taken(ci: World, page: Client) -> None:
    deletion.delete_deployment(deployment=ci.deployment)
    make_deployment(ci.project)

    response = page.post(f"/acme/deleted/deployments/{ci.deployment.pk}/restore", follow=True)

    assert response.redirect_chain == [("/acme/deleted?kind=deployments", 302)]
    assert "another deployment has its slug storefront now" in response.content.decode()


def test_the_deleted_list_has_what_can_come_back(ci: World, page: Client) -> None:
    org_deletion.delete_environment(environment=ci.project.environments.get(slug="staging"))
    other = make_project(ci.organization, name="Other")
    make_deployment(other, name="Taken along")
    deletion.delete_project(project=other)

    assert "with 1 deployment" in page.get("/acme/deleted").content.decode()
    assert "Staging" in page.get("/acme/deleted?kind=environments").content.decode()
    assert "Taken along" not in page.get("/acme/deleted?kind=deployments").content.decode()
    Environment.all_objects.filter(slug="staging", project=ci.project).update(deleted_at="2020-01-01T00:00:00Z")
    assert "Nothing to restore" in page.get("/acme/deleted?kind=environments").content.decode()


@pytest.mark.parametrize("kind", ["projects", "environments", "deployments"])
def test_restoring_is_for_admins_of_the_organization(
    ci: World, admin: User, developer: User, stranger: User, kind: str
) -> None:
    staging = ci.project.environments.get(slug="staging")
    deleted: Any = {"projects": ci.project, "environments": staging, "deployments": ci.deployment}[kind]
    if kind == "projects":
        deletion.delete_project(project=ci.project)
    elif kind == "environments":
        org_deletion.delete_environment(environment=staging)
    else:
        deletion.delete_deployment(deployment=ci.deployment)

    assert signed_in(developer).post(f"/acme/deleted/{kind}/{deleted.pk}/restore").status_code == 403
    assert signed_in(stranger).post(f"/acme/deleted/{kind}/{deleted.pk}/restore").status_code == 404
    assert signed_in(stranger).post(f"/globex/deleted/{kind}/{deleted.pk}/restore").status_code == 404
    assert signed_in(admin).post(f"/acme/deleted/{kind}/{deleted.pk}/restore").status_code == 302
    deleted.refresh_from_db()
    assert deleted.deleted_at is None


def test_deleted_deploys_and_manual_changes_are_listed_for_who_may_restore_them(
    ci: World, admin: User, developer: User, observer: User, stranger: User
) -> None:
    ci.register(sha="a1", date=dated_at(1))
    ci.register(sha="b2", date=dated_at(2))
    ci.record(name="Flag")
    assert post_file(ci, dated("c3")).status_code == 200, "two deploys make way for it"
    ci.register(sha="d4")
    deploy, change = Deploy.objects.get(sha="d4"), ManualChange.objects.get()
    client = signed_in(developer)
    client.post(f"/acme/deploys/{deploy.pk}/delete")
    client.post(f"/acme/manual-changes/{change.pk}/delete")

    deploys, changes = (client.get(f"/acme/deleted?kind={kind}").content.decode() for kind in KINDS)

    assert f'action="/acme/deploys/{deploy.pk}/restore"' in deploys
    assert f'href="/acme/deploys/{deploy.pk}">d4</a>' in deploys
    assert "a1" not in deploys, "it comes back by undoing the import"
    assert f'action="/acme/manual-changes/{change.pk}/restore"' in changes
    assert "?kind=projects" not in deploys
    assert "?kind=projects" in signed_in(admin).get("/acme/deleted?kind=deploys").content.decode()
    assert signed_in(observer).get("/acme/deleted").status_code == 403
    assert "d4" not in signed_in(stranger).get("/globex/deleted?kind=deploys").content.decode()
    assert 'href="/acme/deleted?kind=deploys"' in client.get("/acme/timeline").content.decode()
    assert "/acme/deleted" not in signed_in(observer).get("/acme/timeline").content.decode()

    client.post(f"/acme/deploys/{deploy.pk}/restore")
    assert "Nothing to restore" in client.get("/acme/deleted?kind=deploys").content.decode()


def test_the_audit_log_leads_to_what_was_deleted(ci: World, other: World, admin: User, developer: User) -> None:
    ci.register(sha="a1")
    other.register(sha="b2")
    deploy, foreign = Deploy.objects.get(sha="a1"), Deploy.objects.get(sha="b2")
    signed_in(developer).post(f"/acme/deploys/{deploy.pk}/delete")
    client = signed_in(admin)
    link = f"/acme/audit/deploy/{deploy.pk}"

    assert f'href="{link}"' in client.get("/acme/audit?action=deploy.deleted").content.decode()
    assert client.get(link).headers["Location"] == f"/acme/deploys/{deploy.pk}"
    assert signed_in(developer).get(link).status_code == 403
    assert client.get(f"/acme/audit/deploy/{foreign.pk}").status_code == 404
    assert client.get(f"/acme/audit/nonsense/{deploy.pk}").status_code == 404
    deployment = f"/acme/audit/deployment/{ci.deployment.pk}"
    assert client.get(deployment).headers["Location"] == "/acme/deployments/storefront"
    deletion.delete_deployment(deployment=ci.deployment)
    assert client.get(deployment).headers["Location"] == "/acme/deleted?kind=deployments"


def test_every_entry_of_the_audit_log_leads_somewhere(ci: World, page: Client, developer: User) -> None:
    make_impact_source(ci.project, ImpactKind.INCIDENT)
    kinds = set(AuditEvent.objects.values_list("subject_type", "subject_id"))
    assert {kind for kind, _ in kinds} >= {"organization", "user", "access token", "project", "environment"}

    for kind, pk in kinds:
        assert page.get(f"/acme/audit/{kind.replace(' ', '-')}/{pk}", follow=True).status_code == 200, kind


def test_what_is_linked_has_a_page() -> None:
    assert set(LINKED) == set(PAGES)
