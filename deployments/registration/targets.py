"""Which deployment, project and environment a call means, and whether this token and branch may go there."""

from collections.abc import Sequence
from itertools import chain
from typing import TypeVar

from deployments.errors import BranchMismatch, NoSlug, UnknownDeployment, UnknownEnvironment, UnknownProject
from deployments.models import BranchMatch, Deployment
from deployments.registration.statements import TargetRow, find_targets
from deployments.token_limits import check_allowed
from orgs.models import Environment, Project
from orgs.slugs import is_slug
from orgs.text import shortened
from tokens.statements import TokenRow

Choice = TypeVar("Choice")


def find_deployment(*, token: TokenRow, slug: str) -> list[TargetRow]:
    """The targets of a deployment of the token's organization.

    Raises NoSlug, OutsideTokenLimits (for a limited token, whether or not such a deployment exists) and
    UnknownDeployment.
    """
    folded = slug.lower()
    if not is_slug(folded):
        # A Go library probes the deployment "-" and demands this text.
        raise NoSlug(f"Deployment {shortened(slug, 100)} Not Found")
    check_allowed(token, deployment=folded)
    targets = find_targets(token.organization_id, folded)
    if not targets:
        raise UnknownDeployment(folded)
    return targets


def find_project(*, token: TokenRow, slug: str) -> Project:
    """A project of the token's organization, with its organization.

    Raises OutsideTokenLimits (whether or not there is such a project) and UnknownProject.
    """
    check_allowed(token, shared="a manual change")
    folded = slug.lower()
    projects = Project.objects.filter(organization=token.organization_id).select_related("organization")
    project: Project | None = projects.filter(slug=folded).first() if is_slug(folded) else None
    if project is None:
        raise UnknownProject(explain_unknown_project(token.organization_id, folded))
    return project


def explain_unknown_project(organization_id: int, slug: str) -> str:
    deployments = Deployment.objects.filter(organization=organization_id).select_related("project")
    deployment: Deployment | None = deployments.filter(slug=slug).first() if is_slug(slug) else None
    if deployment:
        return f"'{slug}' is a deployment: write the slug of its project, '{deployment.project.slug}', in its place."
    return f"There is no project '{shortened(slug, 100)}' in this organization."


def choose_target(targets: Sequence[TargetRow], *, environment: str) -> TargetRow:
    """The target whose environment has this slug, else this name, in any case. Empty means the default environment.

    Raises UnknownEnvironment.
    """
    choices = [(item.environment_slug, item.environment_name, item.is_default, item) for item in targets]
    return choose(choices, environment, project_slug=targets[0].project_slug)


def choose_environment(environments: Sequence[Environment], *, environment: str, project: Project) -> Environment:
    """The same among a project's environments."""
    choices = [(item.slug, item.name, item.is_default, item) for item in environments]
    return choose(choices, environment, project_slug=project.slug)


def choose(choices: Sequence[tuple[str, str, bool, Choice]], wanted: str, *, project_slug: str) -> Choice:
    folded = wanted.casefold()
    by_slug = (item for slug, _, _, item in choices if slug == folded)
    by_name = (item for _, name, _, item in choices if name.casefold() == folded)
    default = (item for _, _, is_default, item in choices if is_default)
    found = next(chain(by_slug, by_name) if wanted else chain(default, [choices[0][-1]]), None)
    if found is None:
        slugs = ", ".join(slug for slug, *_ in choices)
        raise UnknownEnvironment(f"No environment '{wanted}' in project {project_slug}: it has {slugs}.")
    return found


def branch_mismatch(target: TargetRow, branch: str | None) -> BranchMismatch | None:
    """None if the target takes this branch, or if ``branch`` is None because the client cannot name one."""
    if branch is None:
        return None
    mapping = target.branch or ""
    where = f"{target.environment_slug} of {target.deployment_slug}"
    if target.branch_match == BranchMatch.EXACT and branch not in ("", mapping):
        return BranchMismatch(f"Branch '{branch}' does not match: {where} takes branch '{mapping}'.")
    if target.branch_match == BranchMatch.PREFIX:
        takes = f"{where} takes branches that begin with '{mapping}'."
        if not branch:
            return BranchMismatch(f"branch is required: {takes}")
        if not branch.startswith(mapping):
            return BranchMismatch(f"Branch '{branch}' does not match: {takes}")
    return None
