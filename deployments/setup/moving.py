"""Moving a deployment, with its history, to another project of its organization."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from deployments.models import Deploy, Deployment, Target
from deployments.token_limits import tokens_limited_within
from orgs import audit
from orgs.aliases import free_aliases
from orgs.models import Environment, Project
from orgs.rows import lock_active
from orgs.services import NewEnvironment, create_environment
from tokens.models import AccessToken

# The deployment's CI waits during the move. This many deploys take 4 s on SQLite and 15 s on PostgreSQL, on two busy
# cores.
MAX_DEPLOYS = 200_000


@dataclass(frozen=True, slots=True)
class TargetMove:
    """The environment that a target moves to: the one with the same slug, else the one with that alias if no other
    target moves to it, or None for a new one.

    A target in a deleted environment moves to a new environment, which is deleted, too.
    """

    target: Target
    environment: Environment | None


@dataclass(frozen=True, slots=True)
class MovePlan:
    targets: Sequence[TargetMove]
    deploy_count: int
    default_before: Environment
    default_after: Environment
    limited_tokens: Sequence[AccessToken]

    @property
    def changes_default(self) -> bool:
        return self.default_before.slug != self.default_after.slug


def plan_move(*, deployment: Deployment, project: Project) -> MovePlan:
    targets = (
        Target.objects.filter(deployment=deployment)
        .select_related("environment")
        .order_by("environment__position", "environment_id")
    )
    environments = project.environments.prefetch_related("alias_rows")
    by_slug = {environment.slug: environment for environment in environments}
    by_alias = {alias: environment for environment in environments for alias in environment.aliases}
    active = [target.environment.slug for target in targets if not target.environment.deleted_at]
    found = {slug: by_slug[slug] for slug in active if slug in by_slug}
    for slug in active:
        if slug not in found and slug in by_alias and by_alias[slug] not in found.values():
            found[slug] = by_alias[slug]
    moves = [
        TargetMove(target, None if target.environment.deleted_at else found.get(target.environment.slug))
        for target in targets
    ]
    return MovePlan(
        targets=moves,
        deploy_count=Deploy.all_objects.filter(deployment=deployment)[: MAX_DEPLOYS + 1].count(),
        default_before=deployment.project.environments.get(is_default=True),
        default_after=project.environments.get(is_default=True),
        limited_tokens=tokens_limited_within(deployment.project),
    )


@transaction.atomic
def move_deployment(*, deployment: Deployment, project: Project) -> None:
    """Takes time in proportion to the number of deploys. Registrations of the deployment wait until it is done.

    Raises ValidationError if there are too many deploys, if the project is another organization's, or if the project or
    the deployment is deleted.
    """
    if project.organization_id != deployment.organization_id:
        raise ValidationError(f"{project} belongs to another organization.")
    for row in sorted((deployment.project, project), key=lambda row: row.pk):
        lock_active(row)
    # Calls that create a target wait for this lock. Other calls wait for the lock of their target below.
    deployment = lock_active(deployment)
    if deployment.project_id == project.pk:
        return
    before = deployment.project
    list(Target.objects.select_for_update().filter(deployment=deployment).order_by("pk"))
    plan = plan_move(deployment=deployment, project=project)
    if plan.deploy_count > MAX_DEPLOYS:
        raise ValidationError(
            f"{deployment} has more than {MAX_DEPLOYS:,} deploys, too many to move while its CI waits: "
            f"create a new deployment in {project}."
        )
    if connection.vendor == "postgresql":
        # Targets move before their deploys, which refer to them by what changes.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS deploy_in_target, deploy_in_project DEFERRED")
    for move in plan.targets:
        environment = move.environment or copy_environment(move.target.environment, project)
        Target.objects.filter(pk=move.target.pk).update(environment=environment)
        Deploy.all_objects.filter(target=move.target).update(project=project, environment=environment)
    deployment.project = project
    deployment.save(update_fields=["project", "updated_at"])
    audit.record("deployment.moved", deployment, changes={"project": [before.name, project.name]})


def copy_environment(environment: Environment, project: Project) -> Environment:
    """With its aliases, except those that another environment of the project is called by."""
    deleted_at = environment.deleted_at
    # An active environment may have the slug of a deleted one. The copy gets the slug only when it is deleted.
    new = NewEnvironment(
        name=environment.name,
        slug="" if deleted_at else environment.slug,
        description=environment.description,
        colour=environment.colour,
        aliases=[] if deleted_at else free_aliases(environment, project),
        ends_at=environment.ends_at,
    )
    copy = create_environment(project=project, new=new)
    if deleted_at:
        Environment.all_objects.filter(pk=copy.pk).update(slug=environment.slug, deleted_at=deleted_at)
    return copy
