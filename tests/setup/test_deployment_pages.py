"""Deployments, run from pages: created, changed with their branches, moved."""

import pytest
from django.test import Client
from django.utils.html import escape

from deployments.models import Deployment, Target
from orgs.services import NewEnvironment
from tests.conftest import World
from tests.factories import make_project


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
    ("written", "stored"),
    [
        ("git@github.com:acme/shop.git", "git@github.com:acme/shop.git"),
        ("ssh://git@git.example.com/shop", "ssh://git@git.example.com/shop"),
        ("https://acme@dev.azure.com/acme/shop/_git/web", "https://acme@dev.azure.com/acme/shop/_git/web"),
        (" github.com/acme/shop ", "https://github.com/acme/shop"),
    ],
)
def test_addresses_of_repositories(ci: World, page: Client, written: str, stored: str) -> None:
    fields = {"project": "shop", "name": "New", "repository_provider": "custom", "repository_url": written}

    assert page.post("/acme/new-deployment", fields).status_code == 302
    assert Deployment.objects.get(slug="new").repository_url == stored


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project": "nope"}, "project"),
        ({"project": "theirs"}, "project"),
        ({"name": ""}, "name"),
        ({"slug": "storefront"}, "slug"),
        ({"repository_provider": "svn"}, "repository_provider"),
        ({"repository_url": "no address"}, "repository_url"),
        ({"repository_url": "file:///srv/git"}, "repository_url"),
        ({"repository_url": "https://me:secret@example.com/shop"}, "repository_url"),
        ({"repository_url": "https://ghp_FAKE@github.com/o/r.git"}, "repository_url"),
        ({"repository_url": "https://secret@dev.azure.com/acme/shop/_git/web"}, "repository_url"),
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

    assert list(response.context["form"].errors) == [field]
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
    assert "Accepts branches that begin with release/." in content
    assert "Accepts the branch main and" in content

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
    assert "go to Live, not to Production" in plan
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
    assert list(response.context["form"].errors) == ["project"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[z-a]", "Line 2 is no pattern: write one as in a .gitignore file, such as services/checkout/**."),
        ("!", "Line 2 is no pattern: write one as in a .gitignore file, such as services/checkout/**."),
        ("# docs", "Line 2 is empty or a comment: write the pattern of a path, or \\# for a #."),
        ("*a*b*c*d", "Line 2: write at most 3 * between two slashes, and at most 3 ** in all."),
        ("a/**/b/**/c/**/d/**", "Line 2: write at most 3 * between two slashes, and at most 3 ** in all."),
    ],
)
def test_patterns_of_paths_are_checked(ci: World, page: Client, line: str, sentence: str) -> None:
    fields = {"project": "shop", "name": "New", "repository_provider": "custom"}
    for name in ("path_includes", "path_excludes"):
        shown = page.post("/acme/new-deployment", {**fields, name: f"src/**/*.test.*\r\n{line}"}).content.decode()
        assert escape(sentence) in shown
    assert not Deployment.objects.filter(slug="new").exists()
