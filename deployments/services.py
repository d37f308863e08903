"""Writing code deployments and what belongs to their set-up. Deploys are written by ``deployments.registration``."""

from collections.abc import Collection, Sequence

from django.db import transaction

from deployments.models import BranchMatch, Deployment, Provider, Target
from orgs.models import Environment, Project
from orgs.slugs import slug_from_name
from tokens.models import AccessToken


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
    deployment.full_clean()
    deployment.save()
    return deployment


@transaction.atomic
def map_branch(*, deployment: Deployment, environment: Environment, branch: str) -> Target:
    """Say which branch goes to an environment: a name, a prefix where it ends in ``*``, or any where it is empty."""
    if branch in ("", "*"):
        match, branch = BranchMatch.ANY, ""
    elif branch.endswith("*"):
        match, branch = BranchMatch.PREFIX, branch[:-1]
    else:
        match = BranchMatch.EXACT
    target, _ = Target.objects.get_or_create(deployment=deployment, environment=environment)
    target.branch_match, target.branch = match, branch
    target.full_clean()
    target.save(update_fields=["branch_match", "branch", "updated_at"])
    return target


@transaction.atomic
def limit_token(*, token: AccessToken, deployments: Collection[Deployment]) -> None:
    """Let ``token`` act on these deployments only."""
    token.limited_to_deployments = True
    token.save(update_fields=["limited_to_deployments", "updated_at"])
    token.deployments.set(deployments)
