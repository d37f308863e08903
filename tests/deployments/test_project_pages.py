"""Projects, environments and deployments, run from pages."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deployments import deletion
from deployments.models import Deployment, Target
from orgs import deletion as org_deletion
from orgs.models import AuditEvent, Environment, Project, User
from orgs.services import NewEnvironment, create_environment, set_default_environment
from tests.conftest import World
from tests.factories import make_deployment, make_project

LOOK = ["projects", "projects/shop", "deployments/storefront/setup", "deployments/storefront/setup/first-call"]
MANAGE = [
    "new-project",
    "projects/shop/settings",
    "projects/shop/new-environment",
    "projects/shop/environments/staging/settings",
    "new-deployment",
    "deployments/storefront/settings",
    "deployments/storefront/move",
    "deleted",
]
ACT = [
    "projects/shop/delete",
    "projects/shop/environments/order",
    "projects/shop/environments/staging/default",
    "projects/shop/environments/staging/delete",
    "deployments/storefront/delete",
]


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def page(admin: User) -> Client:
    return sign_in(admin)


def form_of(response: Any) -> Any:
    return response.context["form"]


# --- Who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LOOK)
def test_every_member_may_look(ci: World, observer: User, stranger: User, path: str) -> None:
    assert sign_in(observer).get(f"/acme/{path}").status_code == 200
    assert sign_in(stranger).get(f"/acme/{path}").status_code == 404
    assert Client().get(f"/acme/{path}").status_code == 302


@pytest.mark.parametrize("path", MANAGE)
def test_admins_change_and_others_are_told_why_not(
    ci: World, admin: User, developer: User, observer: User, stranger: User, path: str
) -> None:
    assert sign_in(admin).get(f"/acme/{path}").status_code == 200
    for user in (developer, observer):
        response = sign_in(user).get(f"/acme/{path}")
        assert response.status_code == 403
        assert "manage projects, environments and deployments" in response.content.decode()
    assert sign_in(stranger).get(f"/acme/{path}").status_code == 404


@pytest.mark.parametrize("path", ACT)
def test_acts_are_posts_of_admins(
    ci: World, admin: User, developer: User, observer: User, stranger: User, path: str
) -> None:
    before = AuditEvent.objects.count()
    for user, status in ((developer, 403), (observer, 403), (stranger, 404)):
        assert sign_in(user).post(f"/acme/{path}").status_code == status
    assert sign_in(admin).get(f"/acme/{path}").status_code == 405
    assert Client(enforce_csrf_checks=True).post(f"/acme/{path}").status_code == 403
    assert AuditEvent.objects.count() == before
    assert sign_in(admin).post(f"/acme/{path}").status_code == 302


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

    assert sign_in(developer).post(f"/acme/deleted/{kind}/{deleted.pk}/restore").status_code == 403
    assert sign_in(stranger).post(f"/acme/deleted/{kind}/{deleted.pk}/restore").status_code == 404
    assert sign_in(stranger).post(f"/globex/deleted/{kind}/{deleted.pk}/restore").status_code == 404
    assert sign_in(admin).post(f"/acme/deleted/{kind}/{deleted.pk}/restore").status_code == 302
    deleted.refresh_from_db()
    assert deleted.deleted_at is None


def test_observers_see_no_buttons_they_may_not_press(ci: World, observer: User, page: Client) -> None:
    for path in LOOK[:3]:
        content = sign_in(observer).get(f"/acme/{path}").content.decode()
        assert "Settings" not in content
        assert "New " not in content
        assert "Settings" in page.get(f"/acme/{path}").content.decode() or path == "projects"


@pytest.mark.parametrize(
    "path", ["projects/%00", "projects/nope", "deployments/nope/setup", "projects/shop/environments/nope/settings"]
)
def test_what_is_not_there_is_not_found(ci: World, page: Client, path: str) -> None:
    assert page.get(f"/acme/{path}").status_code == 404


def test_nothing_of_another_organization_is_found(ci: World, other: World, page: Client) -> None:
    make_deployment(other.project, name="Theirs")
    make_project(other.organization, name="Theirs")
    assert page.get("/acme/projects/theirs").status_code == 404
    assert page.get("/acme/deployments/theirs/settings").status_code == 404


# --- Projects ------------------------------------------------------------------------------------


def test_a_project_is_created_with_its_environments(ci: World, page: Client) -> None:
    response = page.post("/acme/new-project", {"name": "Web  shop", "environments": "Dev, Staging,Production"})

    assert response.headers["Location"] == "/acme/projects/web-shop"
    environments = Project.objects.get(slug="web-shop").environments.order_by("position")
    assert [(e.slug, e.is_default) for e in environments] == [("dev", False), ("staging", False), ("production", True)]
    assert AuditEvent.objects.filter(action="project.created", actor_label__startswith="person").count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"slug": "Not a slug"}, "slug"),
        ({"slug": "shop"}, "slug"),
        ({"environments": " , "}, "environments"),
        ({"environments": "a\0b"}, "environments"),
        ({"environments": "Live, live"}, "environments"),
        ({"environments": ",".join(map(str, range(21)))}, "environments"),
        ({"environments": "x" * 101}, "environments"),
    ],
)
def test_mistakes_are_told_beside_the_field(ci: World, page: Client, fields: dict[str, str], field: str) -> None:
    response = page.post("/acme/new-project", {"name": "New", "environments": "Production", **fields})

    assert response.status_code == 200
    assert list(form_of(response).errors) == [field]
    assert Project.objects.filter(organization=ci.organization).count() == 1


def test_a_renamed_project_keeps_its_slug(ci: World, page: Client) -> None:
    assert page.post("/acme/projects/shop/settings", {"name": "Store"}).status_code == 302
    ci.project.refresh_from_db()
    assert (ci.project.name, ci.project.slug) == ("Store", "shop")
    assert AuditEvent.objects.get(action="project.changed").changes == {"name": ["Shop", "Store"]}


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
    assert "its slug storefront is another deployment&#x27;s now" in response.content.decode()


def test_the_deleted_list_has_what_can_come_back(ci: World, page: Client) -> None:
    org_deletion.delete_environment(environment=ci.project.environments.get(slug="staging"))
    other = make_project(ci.organization, name="Other")
    make_deployment(other, name="Taken along")
    deletion.delete_project(project=other)

    assert "with 1 deployment" in page.get("/acme/deleted").content.decode()
    assert "Staging" in page.get("/acme/deleted?kind=environments").content.decode()
    assert "Taken along" not in page.get("/acme/deleted?kind=deployments").content.decode()
    Environment.everything.filter(slug="staging", project=ci.project).update(deleted_at="2020-01-01T00:00:00Z")
    assert "Nothing here" in page.get("/acme/deleted?kind=environments").content.decode()


# --- Environments --------------------------------------------------------------------------------


def order(world: World) -> list[str]:
    return list(world.project.environments.order_by("position", "id").values_list("slug", flat=True))


@pytest.fixture
def four(ci: World) -> World:
    for name in ("Canary", "Demo"):
        create_environment(project=ci.project, new=NewEnvironment(name=name))
    assert order(ci) == ["staging", "production", "canary", "demo"]
    return ci


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"up": "production"}, ["production", "staging", "canary", "demo"]),
        ({"down": "production"}, ["staging", "canary", "production", "demo"]),
        ({"up": "staging"}, ["staging", "production", "canary", "demo"]),
        ({"down": "demo"}, ["staging", "production", "canary", "demo"]),
        ({"environment": ["demo", "canary", "production", "staging"]}, ["demo", "canary", "production", "staging"]),
        ({"environment": ["demo", "demo", "nope", "\0"]}, ["staging", "production", "canary", "demo"]),
        ({"environment": ["demo", "staging"]}, ["demo", "production", "canary", "staging"]),
        ({}, ["staging", "production", "canary", "demo"]),
    ],
)
def test_environments_are_ordered(four: World, page: Client, data: dict[str, Any], expected: list[str]) -> None:
    assert page.post("/acme/projects/shop/environments/order", data).status_code == 302
    assert order(four) == expected


def test_an_order_by_script_is_answered_with_the_list(four: World, page: Client) -> None:
    response = page.post("/acme/projects/shop/environments/order", {"up": "demo"}, headers={"HX-Request": "true"})

    content = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in content
    assert content.index('id="up-demo"') < content.index('id="up-canary"')


def test_an_environment_is_created_last_and_changed(ci: World, page: Client) -> None:
    fields = {"name": "Canary", "description": "One in a hundred", "colour": "#BE185D", "is_default": "on"}
    assert page.post("/acme/projects/shop/new-environment", fields).status_code == 302
    canary = ci.project.environments.get(slug="canary")
    assert (canary.position, canary.colour, canary.is_default) == (2, "#be185d", True)

    changed = {"name": "Small canary", "description": "", "colour": "#112233"}
    assert page.post("/acme/projects/shop/environments/canary/settings", changed).status_code == 302
    canary.refresh_from_db()
    assert (canary.name, canary.slug, canary.colour, canary.description) == ("Small canary", "canary", "#112233", "")
    assert AuditEvent.objects.get(action="environment.changed").changes["name"] == ["Canary", "Small canary"]

    for wrong in ({"colour": "red"}, {"colour": "#12345\n"}, {"name": ""}, {"description": "x" * 501}, {"name": "\0"}):
        refused = page.post("/acme/projects/shop/environments/canary/settings", changed | wrong)
        assert list(form_of(refused).errors) == list(wrong)


def test_a_taken_slug_of_an_environment_is_told(ci: World, page: Client) -> None:
    fields = {"name": "Other", "slug": "staging", "colour": "#112233"}
    response = page.post("/acme/projects/shop/new-environment", fields)
    assert form_of(response).errors == {"slug": ["The slug staging is taken: choose another."]}


def test_the_default_environment_cannot_be_deleted_and_its_page_says_so(ci: World, page: Client) -> None:
    settings = page.get("/acme/projects/shop/environments/production/settings").content.decode()
    assert "The default environment cannot be deleted" in settings
    assert "environments/production/delete" not in settings

    refused = page.post("/acme/projects/shop/environments/production/delete", follow=True)
    assert "make another one the default first" in refused.content.decode()

    page.post("/acme/projects/shop/environments/staging/default")
    assert page.post("/acme/projects/shop/environments/production/delete").status_code == 302
    assert order(ci) == ["staging"]


# --- Deployments ---------------------------------------------------------------------------------


def test_a_new_deployment_leads_to_its_set_up(ci: World, page: Client) -> None:
    fields = {
        "project": "shop",
        "name": "Check out",
        "repository_provider": "github",
        "repository_url": "https://github.com/acme/shop",
        "path_includes": "services/checkout/**\r\n\r\n  libs/**  \r\n",
    }
    response = page.post("/acme/new-deployment", fields)

    assert response.headers["Location"] == "/acme/deployments/check-out/setup"
    deployment = Deployment.objects.get(slug="check-out")
    assert deployment.path_includes == ["services/checkout/**", "libs/**"]
    assert deployment.path_excludes == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project": "nope"}, "project"),
        ({"project": "theirs"}, "project"),
        ({"name": ""}, "name"),
        ({"slug": "storefront"}, "slug"),
        ({"repository_provider": "svn"}, "repository_provider"),
        ({"repository_url": "no address"}, "repository_url"),
        ({"repository_url": f"https://example.com/{'x' * 500}"}, "repository_url"),
        ({"path_includes": "a\0b"}, "path_includes"),
        ({"path_excludes": "x" * 501}, "path_excludes"),
        ({"path_excludes": "x\n" * 101}, "path_excludes"),
    ],
)
def test_mistakes_in_a_deployment_are_told(
    ci: World, other: World, page: Client, fields: dict[str, str], field: str
) -> None:
    make_project(other.organization, name="Theirs")
    right = {"project": "shop", "name": "New", "repository_provider": "custom"}
    response = page.post("/acme/new-deployment", right | fields)

    assert list(form_of(response).errors) == [field]
    assert Deployment.objects.filter(organization=ci.organization).count() == 1


def settings_of(world: World, **branches: tuple[str, str]) -> dict[str, str]:
    data = {"name": "Store front", "repository_provider": "gitlab"}
    for environment in world.project.environments.all():
        match, branch = branches.get(environment.slug, ("any", ""))
        data |= {f"environment-{environment.pk}-match": match, f"environment-{environment.pk}-branch": branch}
    return data


def test_fields_and_branches_are_saved_together(ci: World, page: Client) -> None:
    data = settings_of(ci, staging=("prefix", "release/"), production=("exact", "main"))
    assert page.post("/acme/deployments/storefront/settings", data).status_code == 302

    ci.deployment.refresh_from_db()
    assert (ci.deployment.name, ci.deployment.slug) == ("Store front", "storefront")
    assert ci.register(sha="a", environment="staging", branch="feature").status_code == 400
    assert ci.register(sha="a", environment="staging", branch="release/1").status_code == 200
    assert ci.register(sha="a", branch="other").status_code == 400
    content = page.get("/acme/deployments/storefront/settings").content.decode()
    assert "Takes branches that begin with release/;" in content
    assert "Takes the branch main," in content

    page.post("/acme/deployments/storefront/settings", settings_of(ci, staging=("any", "left over")))
    assert set(Target.objects.values_list("branch_match", "branch")) == {("any", "")}


@pytest.mark.parametrize(
    "branch", [("exact", ""), ("prefix", ""), ("exact", "a*"), ("exact", "a b"), ("what", "x"), ("exact", "a\0")]
)
def test_mistakes_in_a_branch_are_told_and_nothing_is_saved(ci: World, page: Client, branch: tuple[str, str]) -> None:
    response = page.post("/acme/deployments/storefront/settings", settings_of(ci, staging=branch))

    assert response.status_code == 200
    assert any(form.errors for form in response.context["branches"])
    ci.deployment.refresh_from_db()
    assert ci.deployment.name == "Storefront"
    assert not Target.objects.exists()


def test_a_deployment_is_moved_after_saying_what_happens(ci: World, page: Client) -> None:
    platform = make_project(ci.organization, name="Platform", environments=[NewEnvironment(name="Live")])
    ci.token.environments.set(ci.project.environments.all())
    ci.token.limited_to_environments = True
    ci.token.save()
    ci.register(sha="a", environment="staging")

    plan = page.get("/acme/deployments/storefront/move?project=platform").content.decode()
    assert "new in Platform" in plan
    assert "go to Live afterwards, not to Production" in plan
    assert "1 access token limited to environments of Shop" in plan
    ci.deployment.refresh_from_db()
    assert ci.deployment.project == ci.project

    assert page.post("/acme/deployments/storefront/move", {"project": "platform"}).status_code == 302
    ci.deployment.refresh_from_db()
    assert ci.deployment.project == platform
    assert "There is no other project" not in plan


@pytest.mark.parametrize("project", ["", "shop", "nope", "theirs"])
def test_a_deployment_is_not_moved_where_it_cannot_go(ci: World, other: World, page: Client, project: str) -> None:
    make_project(other.organization, name="Theirs")
    make_project(ci.organization, name="Platform")
    response = page.post("/acme/deployments/storefront/move", {"project": project})
    assert list(form_of(response).errors) == ["project"]


# --- Many ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["projects", "projects/shop", "deleted", "deleted?kind=deployments", "deleted?kind=environments"]
)
def test_queries_do_not_grow_with_rows(ci: World, page: Client, path: str) -> None:
    def add(number: int) -> None:
        make_deployment(make_project(ci.organization, name=f"Project {number}"), name=f"Service {number}")
        make_deployment(ci.project, name=f"Here {number}")
        deletion.delete_deployment(deployment=make_deployment(ci.project, name=f"Gone {number}"))
        deletion.delete_project(project=make_project(ci.organization, name=f"Gone {number}"))
        gone = create_environment(project=ci.project, new=NewEnvironment(name=f"Gone {number}"))
        org_deletion.delete_environment(environment=gone)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(f"/acme/{path}").status_code == 200
        return len(captured)

    add(1)
    queries()  # The session remembers the organization once.
    with_one = queries()
    add(2)
    add(3)
    assert queries() == with_one


def test_a_long_list_has_pages_and_a_search(ci: World, page: Client) -> None:
    for number in range(51):
        make_deployment(ci.project, name=f"Service {number:02}")
    first = page.get("/acme/projects/shop")
    following = first.context["page"].following
    second = page.get(f"/acme/projects/shop?after={following}")

    names = [row.name for row in [*first.context["page"].rows, *second.context["page"].rows]]
    assert names == [*(f"Service {number:02}" for number in range(51)), "Storefront"]
    assert second.context["page"].following == ""
    found = page.get("/acme/projects/shop", {"q": "STORE\0"})
    assert [row.name for row in found.context["page"].rows] == ["Storefront"]
    for after in ("9" * 30, "nope", "\0", "-1"):
        assert len(page.get("/acme/projects/shop", {"after": after}).context["page"].rows) == 50


def test_set_default_on_the_default_changes_nothing(ci: World, page: Client) -> None:
    set_default_environment(environment=ci.project.environments.get(slug="production"))
    assert list(ci.project.environments.filter(is_default=True).values_list("slug", flat=True)) == ["production"]
