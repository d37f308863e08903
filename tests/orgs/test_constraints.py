"""What must never be stored is refused by the database itself, under a name that says why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from deployments.models import (
    BranchMatch,
    Deploy,
    Deployment,
    DraftChunk,
    HistoryImport,
    IdempotencyKey,
    ImpactKind,
    ImpactSource,
    ImportDraft,
    Incident,
    IncidentEvent,
    ManualChange,
    Tag,
    Target,
)
from deployments.setup.services import create_deployment
from orgs.models import Environment, EnvironmentAlias, Invitation, Membership, Organization, Project, User
from orgs.roles import Role
from tests.conftest import World
from tests.factories import make_member, make_project
from tests.imports.histories import START
from tokens.models import AccessToken

Insert = Callable[[World], Any]


def production(world: World) -> Environment:
    return world.project.environments.get(slug="production")


def make_alias(world: World, *, name: str = "prod") -> EnvironmentAlias:
    return EnvironmentAlias.objects.create(project=world.project, environment=production(world), name=name)


def make_target(world: World, **fields: Any) -> Target:
    return Target.objects.create(deployment=world.deployment, environment=production(world), **fields)


def make_deploy(world: World, **fields: Any) -> Deploy:
    target, _ = Target.objects.get_or_create(deployment=world.deployment, environment=production(world))
    values: dict[str, Any] = {
        "organization": world.organization,
        "project": world.project,
        "deployment": world.deployment,
        "environment": target.environment,
        "sha": "a",
        "deployed_at": START,
    }
    return Deploy.objects.create(target=target, **values | fields)


def twice(insert: Insert) -> Insert:
    def run(world: World) -> None:
        insert(world)
        insert(world)

    return run


def make_membership(world: World, role: str) -> Membership:
    user, _ = User.objects.get_or_create(email="ann@example.com")
    return Membership.objects.create(organization=world.organization, user=user, role=role)


def make_invitation(world: World, **fields: Any) -> Invitation:
    values = {"email": "ann@example.com", "digest": f"{Invitation.objects.count()}", "expires_at": START, **fields}
    return Invitation.objects.create(organization=world.organization, **values)


def make_raw_token(world: World, **fields: Any) -> AccessToken:
    digest = f"{AccessToken.objects.count()}"
    return AccessToken.objects.create(**{"organization": world.organization, "name": "t", "digest": digest, **fields})


def make_key(world: World, **fields: Any) -> IdempotencyKey:
    return IdempotencyKey.objects.create(
        **{"token": world.token, "called": "register_deploy 1", "key": "k", "fingerprint": "", **fields}
    )


def make_change(world: World, **fields: Any) -> ManualChange:
    values = {"name": "Scaled up", "changed_at": START, **fields}
    return ManualChange.objects.create(
        organization=world.organization, project=world.project, environment=production(world), **values
    )


def make_import(world: World, *, first: int, last: int) -> HistoryImport:
    target, _ = Target.objects.get_or_create(deployment=world.deployment, environment=production(world))
    counts = dict.fromkeys(("deploy_count", "duplicate_count", "replaced_count"), 0)
    return HistoryImport.objects.create(
        organization=world.organization,
        target=target,
        first_deploy_id=first,
        last_deploy_id=last,
        created_at=START,
        **counts,
    )


def make_draft(world: World) -> ImportDraft:
    user = make_member(world.organization, Role.ADMIN)
    return ImportDraft.objects.create(
        deployment=world.deployment, environment=production(world), user=user, byte_count=1
    )


def make_source(world: World, **fields: Any) -> ImpactSource:
    values = {"name": "Alerts", "slug": "alerts", "kind": ImpactKind.INCIDENT, **fields}
    return ImpactSource.objects.create(
        organization=world.organization, project=world.project, environment=production(world), **values
    )


def make_incident(world: World, source: ImpactSource | None = None, **fields: Any) -> Incident:
    values = {"key": "k", "started_at": START, **fields}
    return Incident.objects.create(
        organization=world.organization,
        project=world.project,
        environment=production(world),
        source=source or make_source(world),
        **values,
    )


# Inserts that each constraint refuses, and the nearest ones that it lets through.
REFUSED: dict[str, list[Insert]] = {
    "project_slug_unique_in_organization": [
        lambda w: Project.objects.create(organization=w.organization, name="x", slug="shop"),
    ],
    "environment_slug_unique_in_project": [
        lambda w: Environment.objects.create(project=w.project, name="x", slug="production"),
    ],
    "environment_one_default_in_a_project": [
        lambda w: Environment.objects.create(project=w.project, name="x", slug="x", is_default=True),
        lambda w: w.project.environments.update(is_default=True),
    ],
    "membership_once_in_an_organization": [
        lambda w: [make_membership(w, Role.ADMIN), make_membership(w, Role.OBSERVER)],
    ],
    "membership_role_is_known": [
        lambda w: make_membership(w, "king"),
        lambda w: make_membership(w, ""),
    ],
    "invitation_open_once_in_an_organization": [
        lambda w: [make_invitation(w), make_invitation(w)],
    ],
    "invitation_role_is_known": [lambda w: make_invitation(w, role="king")],
    "user_email_unique_in_any_case": [
        lambda w: [User.objects.create(email="ann@example.com"), User.objects.create(email="Ann@Example.com")],
    ],
    "token_name_unique_among_unrevoked": [
        twice(lambda w: make_raw_token(w)),
        lambda w: make_raw_token(w, name="ci"),
    ],
    "deployment_slug_unique_in_organization": [
        lambda w: Deployment.objects.create(
            organization=w.organization, project=make_project(w.organization, "Other"), name="x", slug="storefront"
        ),
    ],
    "deployment_provider_is_known": [
        lambda w: Deployment.objects.filter(pk=w.deployment.pk).update(repository_provider="svn"),
        lambda w: Deployment.objects.filter(pk=w.deployment.pk).update(repository_provider=""),
    ],
    "target_once_a_deployment_environment": [twice(make_target)],
    "target_branch_fits_its_match": [
        lambda w: make_target(w, branch_match=BranchMatch.ANY, branch="main"),
        lambda w: make_target(w, branch_match=BranchMatch.EXACT, branch=""),
        lambda w: make_target(w, branch_match=BranchMatch.PREFIX, branch=""),
        lambda w: make_target(w, branch_match="regex", branch="main"),
    ],
    "project_short_lived_days_in_range": [
        lambda w: Project.objects.update(short_lived_days=0),
        lambda w: Project.objects.update(short_lived_days=91),
    ],
    "environment_default_has_no_end": [
        lambda w: w.project.environments.filter(is_default=True).update(ends_at=START),
    ],
    "deploy_has_a_sha": [lambda w: make_deploy(w, sha="")],
    "deploy_status_is_known": [lambda w: make_deploy(w, status="done")],
    "alias_has_a_name": [lambda w: make_alias(w, name="")],
    "alias_once_in_a_project": [twice(lambda w: make_alias(w))],
    "deploy_lead_time_not_negative": [lambda w: make_deploy(w, lead_time=-1)],
    "tag_once_on_a_deploy": [
        lambda w: Tag.objects.bulk_create([Tag(deploy=make_deploy(w), name="a")] * 2),
    ],
    "idempotency_key_unique_in_token_and_call": [twice(make_key)],
    "deploy_health_is_known_with_who_and_when": [
        lambda w: make_deploy(w, health_set="healthy"),
        lambda w: make_deploy(w, health_set="fine", health_set_by="ann@example.com", health_set_at=START),
    ],
    "manual_change_has_a_name": [lambda w: make_change(w, name="")],
    "manual_change_by_token_or_member": [
        lambda w: make_change(w, token=w.token, registered_by=make_member(w.organization, Role.ADMIN)),
    ],
    "import_brought_a_deploy": [lambda w: make_import(w, first=2, last=1)],
    "chunk_once_in_a_draft": [
        lambda w: DraftChunk.objects.bulk_create([DraftChunk(draft=make_draft(w), number=1, data=b"a")] * 2),
    ],
    "impact_source_slug_unique_in_environment": [twice(make_source)],
    "impact_source_kind_is_known": [lambda w: make_source(w, kind="alarm")],
    "incident_open_once_in_source": [
        lambda w: [make_incident(w, source) for source in [make_source(w)] * 2],
    ],
    "incident_ends_after_its_start": [lambda w: make_incident(w, ended_at=START - timedelta(seconds=1))],
    "incident_event_type_is_known": [
        lambda w: IncidentEvent.objects.create(source=make_source(w), type="ended", occurred_at=START),
    ],
}
ACCEPTED: dict[str, Insert] = {
    "a slug of another organization": lambda w: Project.objects.create(
        organization=Organization.objects.create(name="x", slug="x"), name="Shop", slug="shop"
    ),
    "the environments of another project": lambda w: make_project(w.organization, "Other"),
    "an invitation after one that was revoked, and one that was accepted": lambda w: [
        make_invitation(w, revoked_at=START),
        make_invitation(w, accepted_at=START),
        make_invitation(w),
    ],
    "a person in two organizations": lambda w: Membership.objects.create(
        user=make_member(w.organization, Role.ADMIN),
        organization=Organization.objects.create(name="x", slug="x"),
        role=Role.OWNER,
    ),
    "the name of a token that was revoked": twice(lambda w: make_raw_token(w, name="old", revoked_at=START)),
    "a target that takes one branch": lambda w: make_target(w, branch_match=BranchMatch.EXACT, branch="main"),
    "a lead time of nothing": lambda w: make_deploy(w, lead_time=0),
    "two deploys of a sha at a moment": twice(make_deploy),
    "a tag on two deploys": twice(lambda w: Tag.objects.create(deploy=make_deploy(w), name="a")),
    "a health with who and when": lambda w: make_deploy(
        w, health_set="ailing", health_set_by="ann@example.com", health_set_at=START
    ),
    "a manual change of nobody who is known": make_change,
    "an import of one deploy": lambda w: make_import(w, first=1, last=1),
    "the slug of an impact source that was deleted": lambda w: [make_source(w, deleted_at=START), make_source(w)],
    "an incident after one that ended at once": lambda w: [
        make_incident(w, source, ended_at=ended_at) for source in [make_source(w)] for ended_at in (START, None)
    ],
    "a key of two tokens and of two calls": lambda w: [
        make_key(w),
        make_key(w, called="register_deploy 2"),
        make_key(w, token=make_raw_token(w, name="second")),
    ],
}


@pytest.mark.parametrize(
    ("name", "insert"), [(name, insert) for name, inserts in REFUSED.items() for insert in inserts]
)
def test_a_row_that_breaks_a_constraint_is_refused(ci: World, name: str, insert: Insert) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        insert(ci)

    # SQLite names the columns of a unique constraint, and its name only where an expression or check is in it.
    if connection.vendor == "postgresql":
        assert f'"{name}"' in str(refused.value)


@pytest.mark.parametrize("insert", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_row_beside_it_is_not(ci: World, insert: Insert) -> None:
    insert(ci)


def test_every_constraint_of_ours_is_tested() -> None:
    constraints = {
        constraint.name
        for app in ("orgs", "tokens", "deployments")
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
        # With the id in it, a constraint is only there to be referred to.
        or (isinstance(constraint, models.UniqueConstraint) and "id" not in constraint.fields)
    }

    assert constraints == REFUSED.keys()


def test_a_digest_is_unique_since_a_token_is_found_by_it(ci: World) -> None:
    with pytest.raises(IntegrityError):
        make_raw_token(ci, name="another", digest=ci.token.digest)


def others_in_the_same_project(ci: World) -> dict[str, Any]:
    return {
        "deployment": create_deployment(project=ci.project, name="Another"),
        "environment": ci.project.environments.exclude(slug="production").first(),
    }


def commit_deploy(ci: World, **fields: Any) -> None:
    with transaction.atomic():
        make_deploy(ci, **fields)
        # Foreign keys are checked at the end of the transaction, and a test has none that ends.
        connection.check_constraints()


@pytest.mark.parametrize("column", ["organization", "project", "deployment", "environment"])
def test_a_deploy_belongs_to_what_its_target_belongs_to(ci: World, other: World, column: str) -> None:
    another = {"organization": other.organization, "project": other.project, **others_in_the_same_project(ci)}[column]
    commit_deploy(ci)

    with pytest.raises(IntegrityError) as rejected:
        commit_deploy(ci, **{column: another})

    if connection.vendor == "postgresql":
        assert '"deploy_in_target"' in str(rejected.value) or '"deploy_in_project"' in str(rejected.value)
