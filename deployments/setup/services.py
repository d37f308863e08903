"""Writing code deployments and what belongs to their set-up. Deploys are written by ``deployments.registration``."""

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction

from deployments.models import BranchMatch, Deployment, Provider, Target
from orgs import audit
from orgs.models import Environment, Project
from orgs.rows import lock_active, save_with_slug
from orgs.services import save_changes

BRANCH_MAPPING = re.compile(r"[^*\x00-\x20\x7f]*\*?")


class DeploymentFields(TypedDict, total=False):
    name: str
    repository_provider: Provider
    repository_url: str
    path_includes: list[str]
    path_excludes: list[str]


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
) -> Deployment:
    lock_active(project)
    organization = project.organization
    deployment = Deployment(
        organization=organization,
        project=project,
        name=name,
        repository_provider=repository_provider,
        repository_url=repository_url,
        path_includes=list(path_includes),
        path_excludes=list(path_excludes),
    )
    save_with_slug(
        deployment,
        slug=slug,
        fallback="deployment",
        is_taken=lambda s: organization.deployments.filter(slug=s).exists(),
    )
    audit.record(
        "deployment.created",
        deployment,
        organization=organization,
        changes={"name": name, "slug": deployment.slug, "project": project.name, "repository_url": repository_url},
    )
    return deployment


@transaction.atomic
def update_deployment(*, deployment: Deployment, **fields: Unpack[DeploymentFields]) -> None:
    changes = save_changes(deployment, fields)
    audit.record_changes("deployment.changed", deployment, organization=deployment.organization, changes=changes)


def validate_branch_mapping(branch: str) -> None:
    if not BRANCH_MAPPING.fullmatch(branch):
        raise ValidationError("A branch has no white space, and a * only at its end.")


@transaction.atomic
def map_branch(*, deployment: Deployment, environment: Environment, branch: str) -> Target:
    """Say which branch goes to an environment: a name, a prefix where it ends in ``*``, or any where it is empty."""
    validate_branch_mapping(branch)
    if branch in ("", "*"):
        match, branch = BranchMatch.ANY, ""
    elif branch.endswith("*"):
        match, branch = BranchMatch.PREFIX, branch[:-1]
    else:
        match = BranchMatch.EXACT
    deployment = lock_active(deployment)
    if environment.project_id != deployment.project_id:
        raise ValidationError(f"{environment} is no environment of {deployment.project}, where {deployment} belongs.")
    target, _ = Target.objects.get_or_create(deployment=deployment, environment=environment)
    before = mapping_in_words(target)
    if save_changes(target, {"branch_match": match, "branch": branch}):
        changes = {f"branch of {environment.slug}": [before, mapping_in_words(target)]}
        audit.record_changes("deployment.changed", deployment, organization=deployment.organization, changes=changes)
    return target


@transaction.atomic
def change_deployment(*, deployment: Deployment, fields: DeploymentFields, branches: Mapping[Environment, str]) -> None:
    """Fields and branch mappings together; ``branches`` as :func:`map_branch` takes them."""
    update_deployment(deployment=deployment, **fields)
    mapped = set(deployment.targets.exclude(branch_match=BranchMatch.ANY).values_list("environment_id", flat=True))
    for environment, branch in branches.items():
        # Any branch needs no row.
        if branch or environment.pk in mapped:
            map_branch(deployment=deployment, environment=environment, branch=branch)


def mapping_in_words(target: Target) -> str:
    """The branch mapping as :func:`map_branch` takes it."""
    return target.branch if target.branch_match == BranchMatch.EXACT else f"{target.branch}*"
