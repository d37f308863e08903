"""Writing code deployments and their branch mappings."""

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from deployments.api.names import plain_branch
from deployments.models import BranchMatch, Deployment, Provider, Target
from orgs import audit
from orgs.models import Environment, Organization, Project
from orgs.rows import lock_active, lock_row, save_with_slug
from orgs.services import check_room, save_changes

BRANCH_MAPPING = re.compile(r"[^*\x00-\x20\x7f]*\*?")


class DeploymentFields(TypedDict, total=False):
    name: str
    repository_provider: Provider
    repository_url: str
    path_includes: list[str]
    path_excludes: list[str]
    records_redeploys: bool


@transaction.atomic
def create_deployment(
    *,
    project: Project,
    name: str,
    slug: str = "",
    repository_provider: Provider = Provider.CUSTOM,
    repository_url: str = "",
    path_includes: Sequence[str] = (),
    path_excludes: Sequence[str] = (),
    records_redeploys: bool = False,
) -> Deployment:
    """Raises ValidationError, with the code of :func:`check_room` if the organization has as many as it may."""
    organization = lock_row(Organization(pk=project.organization_id))
    lock_active(project)
    check_room(organization.deployments.count(), settings.MAX_DEPLOYMENTS, f"{organization} has", "deployments")
    deployment = Deployment(
        organization=organization,
        project=project,
        name=name,
        repository_provider=repository_provider,
        repository_url=repository_url,
        path_includes=list(path_includes),
        path_excludes=list(path_excludes),
        records_redeploys=records_redeploys,
    )
    save_with_slug(deployment, slug=slug, among=organization.deployments.all())
    changes = {"name": name, "slug": deployment.slug, "project": project.name, "repository_url": repository_url}
    audit.record("deployment.created", deployment, changes=changes)
    return deployment


@transaction.atomic
def update_deployment(*, deployment: Deployment, **fields: Unpack[DeploymentFields]) -> None:
    audit.record_changes("deployment.changed", deployment, save_changes(deployment, fields))


def validate_branch_mapping(branch: str) -> None:
    if not BRANCH_MAPPING.fullmatch(branch):
        raise ValidationError("A branch must not contain white space, and may contain * only at its end.")


@transaction.atomic
def map_branch(*, deployment: Deployment, environment: Environment, branch: str) -> Target:
    """Sets which branch is deployed to an environment: a name, a prefix that ends in ``*``, or empty for any."""
    validate_branch_mapping(branch)
    branch = plain_branch(branch)
    if branch in ("", "*"):
        match, branch = BranchMatch.ANY, ""
    elif branch.endswith("*"):
        match, branch = BranchMatch.PREFIX, branch[:-1]
    else:
        match = BranchMatch.EXACT
    deployment = lock_active(deployment)
    if environment.project_id != deployment.project_id:
        raise ValidationError(f"{environment} is not an environment of {deployment.project}, which has {deployment}.")
    target, _ = Target.objects.get_or_create(deployment=deployment, environment=environment)
    before = branch_mapping(target)
    if save_changes(target, {"branch_match": match, "branch": branch}):
        changes = {f"branch of {environment.slug}": [before, branch_mapping(target)]}
        audit.record_changes("deployment.changed", deployment, changes)
    return target


@transaction.atomic
def change_deployment(*, deployment: Deployment, fields: DeploymentFields, branches: Mapping[Environment, str]) -> None:
    """Saves fields and branch mappings together. :func:`map_branch` says what a branch may be."""
    update_deployment(deployment=deployment, **fields)
    mapped = set(deployment.targets.exclude(branch_match=BranchMatch.ANY).values_list("environment_id", flat=True))
    for environment, branch in branches.items():
        # Without a target, any branch is accepted already.
        if branch or environment.pk in mapped:
            map_branch(deployment=deployment, environment=environment, branch=branch)


def branch_mapping(target: Target) -> str:
    """The target's branch in the form that :func:`map_branch` accepts."""
    return target.branch if target.branch_match == BranchMatch.EXACT else f"{target.branch}*"
