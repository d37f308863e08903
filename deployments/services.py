"""Writing code deployments and what belongs to their set-up. Deploys are written by ``deployments.registration``."""

import re
from collections.abc import Collection, Sequence
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction

from deployments.models import BranchMatch, Deployment, Provider, Target
from orgs.models import Environment, Project
from orgs.services import save_changes, store
from orgs.slugs import slug_from_name
from tokens.models import AccessToken

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
    organization = project.organization
    deployment = Deployment(
        organization=organization,
        project=project,
        name=name,
        slug=slug
        or slug_from_name(
            name, fallback="deployment", is_taken=lambda s: organization.deployments.filter(slug=s).exists()
        ),
        repository_provider=repository_provider,
        repository_url=repository_url,
        path_includes=list(path_includes),
        path_excludes=list(path_excludes),
    )
    store(deployment)
    return deployment


@transaction.atomic
def update_deployment(*, deployment: Deployment, **fields: Unpack[DeploymentFields]) -> None:
    save_changes(deployment, fields)


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
    if environment.project_id != deployment.project_id:
        raise ValidationError(f"{environment} is no environment of {deployment.project}, where {deployment} belongs.")
    target, _ = Target.objects.get_or_create(deployment=deployment, environment=environment)
    save_changes(target, {"branch_match": match, "branch": branch})
    return target


@transaction.atomic
def limit_token(*, token: AccessToken, deployments: Collection[Deployment] | None) -> None:
    """Let ``token`` act on these deployments only; ``None`` lifts the limit."""
    save_changes(token, {"limited_to_deployments": deployments is not None})
    token.deployments.set(deployments or ())
