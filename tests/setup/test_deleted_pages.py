"""Deleting projects, environments and deployments from pages, and bringing them back."""

import re
from typing import Any

import pytest
from django.test import Client

from deployments.models import Deployment
from deployments.setup import deletion
from orgs import deletion as org_deletion
from orgs.models import Environment, Project, User
from tests.conftest import World
from tests.factories import make_deployment, make_project, signed_in


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
