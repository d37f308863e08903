"""What the operator does in Django admin, and every mistake that its forms must answer in words."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deployments.models import (
    BranchMatch,
    ChangedFile,
    Deploy,
    Deployment,
    IdempotencyKey,
    ManualChange,
    Target,
)
from deployments.setup.services import map_branch
from orgs.admin.base import INLINE_ROWS
from orgs.models import Environment, Membership, Organization, Project, User
from orgs.roles import Role
from orgs.services import NewEnvironment, create_environment
from tests.conftest import World
from tests.factories import make_deployment, make_member, make_project, make_token
from tests.operator import OperatorClient, page, problems, saved, text_of
from tokens.models import AccessToken
from tokens.services import revoke_token

NO_MEMBERS = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
NO_TARGETS = {"targets-TOTAL_FORMS": 0, "targets-INITIAL_FORMS": 0}


def members(*rows: dict[str, Any], existing: int = 0) -> dict[str, Any]:
    fields: dict[str, Any] = {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": existing}
    for index, row in enumerate(rows):
        fields |= {f"memberships-{index}-{name}": value for name, value in row.items()}
    return fields


class TestOrganizations:
    def test_add_makes_the_slug(self, operator: OperatorClient) -> None:
        assert saved(operator.add(Organization, name="Société Générale", **NO_MEMBERS))
        assert Organization.objects.get().slug == "societe-generale"

    def test_add_with_members(self, operator: OperatorClient) -> None:
        user = User.objects.create_user("ada@example.com")
        assert saved(operator.add(Organization, name="Acme", **members({"user": user.pk, "role": "owner"})))
        assert Membership.objects.get().role == Role.OWNER

    def test_a_member_twice_is_rejected(self, operator: OperatorClient, ci: World, admin: User) -> None:
        again = {"user": admin.pk, "role": "owner"}
        answer = operator.change(ci.organization, name="Acme", **members(again))
        assert "already a member of this organization" in problems(answer)
        answer = operator.add(Organization, name="Acme", **members(again, again))
        assert "duplicate" in problems(answer)
        assert Membership.objects.get().role == Role.ADMIN
        answer = operator.add(Membership, organization=ci.organization.pk, user=admin.pk, role="owner")
        assert "already exists" in problems(answer)

    def test_an_unknown_role_is_rejected(self, operator: OperatorClient, ci: World, admin: User) -> None:
        assert "valid choice" in problems(operator.change(Membership.objects.get(), role="boss"))
        assert saved(operator.change(Membership.objects.get(), role="owner"))
        assert Membership.objects.get().role == Role.OWNER

    def test_the_last_owner_stays_one(self, operator: OperatorClient, ci: World) -> None:
        first, second = (make_member(ci.organization, Role.OWNER).memberships.get() for _ in range(2))

        def rows(*roles: str, **more: str) -> dict[str, Any]:
            both = zip((first, second), roles, strict=True)
            rows = [{"id": row.pk, "user": row.user_id, "role": role} for row, role in both]
            return {"name": "Acme", **members(*rows, existing=2), **more}

        assert "Acme needs an owner" in problems(operator.change(ci.organization, **rows("observer", "admin")))
        deleted = {"memberships-1-DELETE": "on"}
        answer = operator.change(ci.organization, **rows("observer", "owner", **deleted))
        assert "Acme needs an owner" in problems(answer)
        assert saved(operator.change(ci.organization, **rows("owner", "observer")))
        assert saved(operator.change(ci.organization, **rows("observer", "owner")))
        assert "is the last owner of Acme" in problems(operator.change(second, role="observer"))
        assert saved(operator.change(first, role="owner"))
        assert saved(operator.change(second, role="observer"))

    @pytest.mark.parametrize(
        ("slug", "problem"),
        [("acme", "in use"), ("admin", "in use"), ("Acme", "lower-case"), ("a\0", "Null"), ("a" * 101, "100")],
    )
    def test_a_bad_slug_is_rejected(self, operator: OperatorClient, ci: World, slug: str, problem: str) -> None:
        assert problem in problems(operator.add(Organization, name="Other", slug=slug, **NO_MEMBERS))
        assert Organization.objects.count() == 1

    def test_rename_keeps_the_slug(self, operator: OperatorClient, ci: World) -> None:
        assert saved(operator.change(ci.organization, name="Acme Ltd", slug="other", **NO_MEMBERS))
        ci.organization.refresh_from_db()
        assert (ci.organization.name, ci.organization.slug) == ("Acme Ltd", "acme")


class TestProjects:
    def test_add_brings_a_default_environment(self, operator: OperatorClient, ci: World) -> None:
        assert saved(operator.add(Project, organization=ci.organization.pk, name="Data Platform"))
        project = Project.objects.get(slug="data-platform")
        assert [(item.slug, item.is_default) for item in project.environments.all()] == [("production", True)]

    def test_a_slug_of_the_organization_is_rejected(self, operator: OperatorClient, ci: World, other: World) -> None:
        assert "another project with this slug" in problems(
            operator.add(Project, organization=ci.organization.pk, name="S", slug="shop")
        )
        Project.objects.filter(organization=other.organization).update(slug="elsewhere")
        assert saved(operator.add(Project, organization=other.organization.pk, name="S", slug="shop"))


class TestEnvironments:
    def test_add_is_the_last_one(self, operator: OperatorClient, ci: World) -> None:
        assert saved(operator.add(Environment, project=ci.project.pk, name="Canary", colour="#0f766e"))
        canary = Environment.objects.get(slug="canary")
        assert (canary.position, canary.is_default) == (2, False)

    def test_a_tick_moves_the_default(self, operator: OperatorClient, ci: World) -> None:
        staging = Environment.objects.get(slug="staging")
        fields = {"name": "Staging", "colour": "#0f766e", "position": 0}
        assert saved(operator.change(staging, **fields, is_default="on"))
        assert defaults(ci.project) == ["staging"]
        assert saved(operator.add(Environment, project=ci.project.pk, name="Canary", colour="#0f766e", is_default="on"))
        assert defaults(ci.project) == ["canary"]

    def test_one_with_manual_changes_is_not_deleted(self, operator: OperatorClient, ci: World) -> None:
        staging = Environment.objects.get(slug="staging")
        assert ci.record(name="Scaled up", environment="staging").status_code == 200
        for kept in (staging, ci.project, ci.organization):
            answer = operator.post(page("delete", kept), {"post": "yes"}, follow=True)
            assert "has manual changes: their history is kept" in text_of(answer)
        assert Environment.objects.filter(pk=staging.pk).exists()
        ci.organization.delete()
        assert not ManualChange.all_objects.exists()

    def test_a_short_lived_environment_cannot_become_the_default(self, operator: OperatorClient, ci: World) -> None:
        ends_at = timezone.now() + timedelta(days=1)
        review = create_environment(project=ci.project, new=NewEnvironment(name="review/1", ends_at=ends_at))
        fields = {"name": "review/1", "colour": "#0f766e", "position": review.position}

        assert "cannot be the default" in problems(operator.change(review, **fields, is_default="on"))
        assert saved(operator.change(review, **fields))

    def test_the_default_cannot_be_unticked(self, operator: OperatorClient, ci: World) -> None:
        production = Environment.objects.get(slug="production")
        answer = operator.change(production, name="Live", colour="#0f766e", position=1)
        assert "A project needs a default" in problems(answer)
        assert saved(operator.change(production, name="Live", colour="#0f766e", position=1, is_default="on"))
        assert defaults(ci.project) == ["production"]

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"slug": "production"}, "another environment with this slug"),
            ({"slug": "no slug"}, "lower-case"),
            ({"colour": "red"}, "hexadecimal"),
            ({"project": "99999999999999999999"}, "valid choice"),
            ({"name": "N\0"}, "Null"),
        ],
    )
    def test_mistakes_are_rejected(
        self, operator: OperatorClient, ci: World, fields: dict[str, str], problem: str
    ) -> None:
        sent = {"project": ci.project.pk, "name": "Canary", "colour": "#0f766e"} | fields
        assert problem in problems(operator.add(Environment, **sent))
        assert Environment.objects.count() == 2

    def test_a_position_that_no_database_stores_is_rejected(self, operator: OperatorClient, ci: World) -> None:
        staging = Environment.objects.get(slug="staging")
        answer = operator.change(staging, name="Staging", colour="#0f766e", position=10**20)
        assert "less than or equal" in problems(answer)


def defaults(project: Project) -> list[str]:
    return list(project.environments.filter(is_default=True).values_list("slug", flat=True))


class TestDeployments:
    def test_add_belongs_to_the_projects_organization(self, operator: OperatorClient, ci: World) -> None:
        sent = {
            "project": ci.project.pk,
            "name": "Check Out",
            "repository_provider": "github",
            "repository_url": "https://github.com/acme/shop",
            "path_includes": "checkout/**\r\n\r\n lib/** ",
        }
        assert saved(operator.add(Deployment, **sent, **NO_TARGETS))
        deployment = Deployment.objects.get(slug="check-out")
        assert deployment.organization == ci.organization
        assert (deployment.path_includes, deployment.path_excludes) == (["checkout/**", "lib/**"], [])
        assert "checkout/**" in text_of(operator.get(page("change", deployment)))

    def test_an_address_that_is_no_page_is_text(self, operator: OperatorClient, ci: World) -> None:
        sent = {"project": ci.project.pk, "name": "Api", "repository_provider": "custom", **NO_TARGETS}
        assert saved(operator.add(Deployment, **sent, repository_url="git@github.com:acme/api.git"))
        listed = operator.get(reverse("admin:deployments_deployment_changelist")).content.decode()
        form = operator.get(page("change", Deployment.objects.get(slug="api"))).content.decode()
        for shown in (listed, form):
            assert "git@github.com:acme/api.git" in shown
            assert 'href="git@' not in shown

    def test_mistakes_are_rejected(self, operator: OperatorClient, ci: World, other: World) -> None:
        sent = {"project": ci.project.pk, "name": "S", "repository_provider": "github"} | NO_TARGETS
        assert "another deployment with this slug" in problems(operator.add(Deployment, **sent, slug="storefront"))
        assert "valid choice" in problems(operator.add(Deployment, **sent | {"repository_provider": "cvs"}))
        for url in ("javascript:alert(1)", "file:///srv/git", "https://a:b@example.com/"):
            assert "Write " in problems(operator.add(Deployment, **sent, repository_url=url))
        assert "Null" in problems(operator.add(Deployment, **sent, path_includes="a\0"))
        assert Deployment.objects.count() == 2

    def test_change_keeps_project_and_slug(self, operator: OperatorClient, ci: World, other: World) -> None:
        sent = {"project": other.project.pk, "slug": "x", "name": "Front", "repository_provider": "custom"} | NO_TARGETS
        assert saved(operator.change(ci.deployment, **sent))
        ci.deployment.refresh_from_db()
        assert (ci.deployment.name, ci.deployment.slug, ci.deployment.project) == ("Front", "storefront", ci.project)


class TestTargets:
    @pytest.mark.parametrize(
        ("mapping", "match", "branch"),
        [
            ("main", BranchMatch.EXACT, "main"),
            ("release/*", BranchMatch.PREFIX, "release/"),
            ("*", BranchMatch.ANY, ""),
            ("", BranchMatch.ANY, ""),
        ],
    )
    def test_map_a_branch(
        self, operator: OperatorClient, ci: World, mapping: str, match: BranchMatch, branch: str
    ) -> None:
        staging = Environment.objects.get(slug="staging")
        added = operator.add(Target, deployment=ci.deployment.pk, environment=staging.pk, branch_mapping=mapping)
        assert saved(added)
        target = Target.objects.get()
        assert (target.branch_match, target.branch) == (match, branch)
        assert saved(operator.change(target, branch_mapping="develop"))
        target.refresh_from_db()
        assert (target.branch_match, target.branch) == (BranchMatch.EXACT, "develop")

    def test_the_deployment_lists_them(self, operator: OperatorClient, ci: World) -> None:
        production = Environment.objects.get(slug="production")
        for branch, words in (("release/*", "release/*"), ("*", "any")):
            map_branch(deployment=ci.deployment, environment=production, branch=branch)
            assert f"<p>{words}</p>" in operator.get(page("change", ci.deployment)).content.decode()

    def test_mistakes_are_rejected(self, operator: OperatorClient, ci: World, other: World) -> None:
        theirs = other.project.environments.get(slug="staging")
        ours = ci.project.environments.get(slug="staging")
        sent = {"deployment": ci.deployment.pk, "environment": ours.pk}
        assert "environment of Shop" in problems(operator.add(Target, **sent | {"environment": theirs.pk}))
        assert "only at its end" in problems(operator.add(Target, **sent, branch_mapping="a*b"))
        assert "255" in problems(operator.add(Target, **sent, branch_mapping="a" * 256))
        assert not Target.objects.exists()
        map_branch(deployment=ci.deployment, environment=ours, branch="main")
        assert "already exists" in problems(operator.add(Target, **sent))


class TestTokens:
    def test_revoke(self, operator: OperatorClient, ci: World) -> None:
        make_token(ci.organization, name="kept")
        assert ci.register(sha="a1").status_code == 200
        chosen = {"action": "revoke", "_selected_action": [ci.token.pk]}
        answer = operator.post(page("changelist", AccessToken), chosen, follow=True)
        assert "Revoked: 1." in text_of(answer)
        assert ci.register(sha="b2").status_code == 401
        assert list(AccessToken.objects.filter(revoked_at=None).values_list("name", flat=True)) == ["kept"]
        assert saved(operator.post(page("changelist", AccessToken), chosen))

    def test_none_is_added_or_deleted(self, operator: OperatorClient, ci: World) -> None:
        assert operator.add(AccessToken, name="mine").status_code == 403
        assert operator.delete_object(ci.token).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [ci.token.pk], "post": "yes"}
        operator.post(page("changelist", AccessToken), chosen)
        assert AccessToken.objects.count() == 1

    def test_a_name_of_another_unrevoked_token_is_rejected(self, operator: OperatorClient, ci: World) -> None:
        second, _ = make_token(ci.organization, name="second")
        assert "another unrevoked token" in problems(operator.change(second, name="ci"))
        revoke_token(token=ci.token)
        assert saved(operator.change(second, name="ci"))
        assert saved(operator.change(ci.token, name="ci"))

    def test_the_state_is_told_in_words(self, operator: OperatorClient, ci: World) -> None:
        now = timezone.now()
        for name, expires_at in (("soon", now + timedelta(days=6, hours=1)), ("over", now - timedelta(days=1))):
            make_token(ci.organization, name=name, expires_at=expires_at)
        AccessToken.objects.filter(pk=ci.token.pk).update(last_used_at=now - timedelta(days=100))
        revoked, _ = make_token(ci.organization, name="gone")
        revoke_token(token=revoked)
        listing = text_of(operator.get(page("changelist", AccessToken)))
        for words in ("unused for 100 days", "expires in 6 days", "expired", "revoked"):
            assert words in listing
        for state, name in (("active", "soon"), ("expired", "over"), ("revoked", "gone")):
            listing = text_of(operator.get(page("changelist", AccessToken) + f"?state={state}"))
            assert {word for word in ("soon", "over", "gone") if f" {word} " in listing} == {name}

    def test_its_limits_are_shown(self, operator: OperatorClient, ci: World) -> None:
        environment = ci.project.environments.get(slug="staging")
        token, _ = make_token(ci.organization, name="limited", environments=[environment], limited_to_deployments=True)
        text = text_of(operator.get(page("change", token)))
        assert "shop/staging" in text
        assert "Allowed deployments: none" in text


class TestDeploys:
    def test_are_facts(self, operator: OperatorClient, ci: World) -> None:
        ci.register(sha="a1")
        deploy = Deploy.objects.get()
        assert operator.change(deploy, sha="b2").status_code == 403
        assert operator.delete_object(deploy).status_code == 403
        assert Deploy.objects.get().sha == "a1"

    def test_kinds(self, operator: OperatorClient, ci: World) -> None:
        for sha in ("a1", "b2", "a1"):
            ci.register(sha=sha)
        for kind, sha in (("rollback", "a1"), ("rolled_back", "b2")):
            listing = operator.get(page("changelist", Deploy) + f"?kind={kind}").content.decode()
            assert [word for word in ("a1", "b2") if f">{word}</a>" in listing] == [sha]

    def test_a_large_change_shows_its_first_rows(
        self, operator: OperatorClient, ci: World, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        ci.register(sha="a1", files=[{"path": f"file{number:03}"} for number in range(INLINE_ROWS + 5)])
        deploy = Deploy.objects.get()
        with django_assert_max_num_queries(15):
            shown = text_of(operator.get(page("change", deploy)))
        assert f"file{INLINE_ROWS - 1:03}" in shown
        assert f"file{INLINE_ROWS:03}" not in shown
        files = page("changelist", ChangedFile) + f"?deploy__id__exact={deploy.pk}"
        assert files in operator.get(page("change", deploy)).content.decode()
        assert f"{INLINE_ROWS + 5} changed files" in text_of(operator.get(files))


class TestDeletion:
    def test_what_has_a_history_is_kept(self, operator: OperatorClient, ci: World) -> None:
        ci.register(sha="a1", environment="staging")
        staging = Environment.objects.get(slug="staging")
        for obj in (ci.organization, ci.project, staging, ci.deployment, Target.objects.get()):
            answer = operator.post(page("delete", obj), {"post": "yes"}, follow=True)
            assert "their history is kept" in text_of(answer)
            chosen = {"action": "delete_selected", "_selected_action": [obj.pk], "post": "yes"}
            operator.post(page("changelist", obj._meta.model), chosen)
            assert type(obj).objects.filter(pk=obj.pk).exists()
        assert Deploy.objects.count() == 1

    def test_the_default_environment_is_kept(self, operator: OperatorClient, ci: World) -> None:
        production = Environment.objects.get(slug="production")
        answer = operator.post(page("delete", production), {"post": "yes"}, follow=True)
        assert "is the default environment of Shop" in text_of(answer)
        assert saved(operator.delete_object(Environment.objects.get(slug="staging")))
        assert [item.slug for item in Environment.objects.all()] == ["production"]

    def test_what_has_none_goes_with_its_parts(self, operator: OperatorClient, ci: World, other: World) -> None:
        make_member(ci.organization, Role.OWNER)
        make_deployment(make_project(ci.organization, "Second"), "Second")
        IdempotencyKey.objects.create(token=ci.token, called="register_deploy 1", key="1", fingerprint="2")
        assert operator.get(page("delete", ci.organization)).status_code == 200
        assert saved(operator.delete_object(ci.organization))
        assert [item.slug for item in Organization.objects.all()] == ["globex"]
        assert AccessToken.objects.count() == 1
