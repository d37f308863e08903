"""Short-lived environments: calls create them where a pattern of the project allows."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from deployments.lookup import by_slug_or_name
from deployments.registration.applications import Creation, check_not_deleted, rejection_of
from deployments.registration.statements import TargetRow, find_targets
from deployments.registration.targets import choose_target
from deployments.token_limits import check_allowed
from orgs.models import Environment, Project
from orgs.rows import lock_row
from orgs.services import NewEnvironment, create_environment
from orgs.short_lived import allows, end_of, without_ended
from tokens.statements import TokenRow


def may_create(project_id: int, name: str) -> bool:
    project = Project.objects.filter(pk=project_id).only("short_lived_patterns").first()
    return project is not None and allows(project, name)


def create_target_in(
    targets: Sequence[TargetRow], *, token: TokenRow, environment: str
) -> tuple[TargetRow, list[Creation]]:
    """The target of the deployment that has ``targets``, and what was created for it: its environment, unless another
    call did. Raises as :func:`find_or_create`."""
    found, created = find_or_create(token=token, project=Project(pk=targets[0].project_id), name=environment)
    fresh = find_targets(token.organization_id, targets[0].deployment_slug)
    target = choose_target(fresh or targets, environment=found.slug)
    return target, [Creation("environment", found.slug, found.name)] if created else []


@transaction.atomic
def find_or_create(*, token: TokenRow, project: Project, name: str) -> tuple[Environment, bool]:
    """And whether it was created. If several calls come at once, the first creates and the others find.

    Raises OutsideTokenLimits, InvalidField, and InvalidFields if there are too many or if a person deleted it.
    """
    check_allowed(token, new=f"the environment '{name}'")
    project = lock_row(project)
    if found := by_slug_or_name(project.environments.all(), name).first():
        return found, False
    check_not_deleted("environment", without_ended(Environment.all_objects.filter(project=project)), name)
    new = NewEnvironment(name=name, ends_at=end_of(project, timezone.now()))
    try:
        return create_environment(project=project, new=new), True
    except ValidationError as error:
        raise rejection_of(error, "environment") from None
