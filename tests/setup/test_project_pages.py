"""Projects, run from pages; and who may open the pages of projects, environments and deployments."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deployments.setup import deletion
from orgs import deletion as org_deletion
from orgs.models import AuditEvent, Project, User
from orgs.services import NewEnvironment, create_environment
from tests.conftest import World
from tests.factories import make_deployment, make_project, signed_in

LOOK = ["projects", "projects/shop", "deployments/storefront/setup", "deployments/storefront/setup/first-call"]
MANAGE = [
    "new-project",
    "projects/shop/settings",
    "projects/shop/new-environment",
    "projects/shop/environments/staging/settings",
    "new-deployment",
    "deployments/storefront/settings",
    "deployments/storefront/move",
]
ACT = [
    "projects/shop/delete",
    "projects/shop/environments/order",
    "projects/shop/environments/staging/default",
    "projects/shop/environments/staging/delete",
    "deployments/storefront/delete",
]


@pytest.mark.parametrize("path", LOOK)
def test_every_member_may_look(ci: World, observer: User, stranger: User, path: str) -> None:
    assert signed_in(observer).get(f"/acme/{path}").status_code == 200
    assert signed_in(stranger).get(f"/acme/{path}").status_code == 404
    assert Client().get(f"/acme/{path}").status_code == 302


@pytest.mark.parametrize("path", MANAGE)
def test_admins_change_and_others_are_told_why_not(
    ci: World, admin: User, developer: User, observer: User, stranger: User, path: str
) -> None:
    assert signed_in(admin).get(f"/acme/{path}").status_code == 200
    for user in (developer, observer):
        response = signed_in(user).get(f"/acme/{path}")
        assert response.status_code == 403
        assert "manage projects, environments and deployments" in response.content.decode()
    assert signed_in(stranger).get(f"/acme/{path}").status_code == 404


def test_developers_see_what_was_deleted_since_they_restore_deploys(
    ci: World, admin: User, developer: User, observer: User, stranger: User
) -> None:
    for user, status in ((admin, 200), (developer, 200), (observer, 403), (stranger, 404)):
        assert signed_in(user).get("/acme/deleted").status_code == status


@pytest.mark.parametrize("path", ACT)
def test_acts_are_posts_of_admins(
    ci: World, admin: User, developer: User, observer: User, stranger: User, path: str
) -> None:
    before = AuditEvent.objects.count()
    for user, status in ((developer, 403), (observer, 403), (stranger, 404)):
        assert signed_in(user).post(f"/acme/{path}").status_code == status
    assert signed_in(admin).get(f"/acme/{path}").status_code == 405
    assert Client(enforce_csrf_checks=True).post(f"/acme/{path}").status_code == 403
    assert AuditEvent.objects.count() == before
    assert signed_in(admin).post(f"/acme/{path}").status_code == 302


def test_observers_see_no_buttons_they_may_not_press(ci: World, observer: User, page: Client) -> None:
    for path in LOOK[:3]:
        content = signed_in(observer).get(f"/acme/{path}").content.decode()
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
        ({"name": "\u200b\ufe0f"}, "name"),
        ({"slug": "Not a slug"}, "slug"),
        ({"slug": "shop"}, "slug"),
        ({"environments": " , "}, "environments"),
        ({"environments": "a\0b"}, "environments"),
        ({"environments": "Live, \u2060"}, "environments"),
        ({"environments": "Live, live"}, "environments"),
        ({"environments": ",".join(map(str, range(21)))}, "environments"),
        ({"environments": "x" * 101}, "environments"),
    ],
)
def test_mistakes_are_told_beside_the_field(ci: World, page: Client, fields: dict[str, str], field: str) -> None:
    response = page.post("/acme/new-project", {"name": "New", "environments": "Production", **fields})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert Project.objects.filter(organization=ci.organization).count() == 1


def test_a_renamed_project_keeps_its_slug(ci: World, page: Client) -> None:
    assert page.post("/acme/projects/shop/settings", {"name": "Store"}).status_code == 302
    ci.project.refresh_from_db()
    assert (ci.project.name, ci.project.slug) == ("Store", "shop")
    assert AuditEvent.objects.get(action="project.changed").changes == {"name": ["Shop", "Store"]}


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
