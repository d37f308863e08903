"""Which deployment and environment a call means, and whether this token and branch may go there."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

from deployments.errors import BranchMismatch, NoSlug, UnknownDeployment, UnknownEnvironment
from deployments.models import BranchMatch
from deployments.registration.statements import TargetRow, find_targets
from deployments.token_limits import check_allowed
from orgs.aliases import environment_of_alias
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


def choose_target(targets: Sequence[TargetRow], *, environment: str) -> TargetRow:
    """The target whose environment has this slug or, failing that, this name or this alias, in any case. Without a
    name, the default one.

    Raises UnknownEnvironment.
    """
    choices = [(item.environment_slug, item.environment_name, item.is_default, item) for item in targets]

    def aliased(name: str) -> TargetRow | None:
        environment_id = environment_of_alias(targets[0].project_id, name)
        return next((target for target in targets if target.environment_id == environment_id), None)

    return choose(choices, environment, project_slug=targets[0].project_slug, aliased=aliased)


def choose(
    choices: Sequence[tuple[str, str, bool, Choice]],
    wanted: str,
    *,
    project_slug: str,
    aliased: Callable[[str], Choice | None],
) -> Choice:
    """``aliased`` finds one by an alias, which is looked up only if no slug and no name is the same."""
    folded = wanted.casefold()
    by_slug = (item for slug, _, _, item in choices if slug == folded)
    by_name = (item for _, name, _, item in choices if name.casefold() == folded)
    default = (item for _, _, is_default, item in choices if is_default)
    found = next(chain(by_slug, by_name) if wanted else chain(default, [choices[0][-1]]), None)
    if found is None:
        found = aliased(wanted)
    if found is None:
        slugs = ", ".join(slug for slug, *_ in choices)
        raise UnknownEnvironment(f"No environment '{wanted}' in project {project_slug}: it has {slugs}.")
    return found


# Jenkins and git put the remote's name before a branch.
REMOTE = "origin/"


def branch_taken(target: TargetRow, branch: str) -> str:
    """``branch``, without the remote before it where the target takes only that."""
    local = branch.removeprefix(REMOTE)
    is_remote = local != branch and mismatch_of(target, branch) and not mismatch_of(target, local)
    return local if is_remote else branch


def branch_mismatch(target: TargetRow, branch: str | None) -> BranchMismatch | None:
    """Why the target rejects this branch, or None. A client that cannot name a branch (None) may go anywhere."""
    return None if branch is None else mismatch_of(target, branch_taken(target, branch))


def mismatch_of(target: TargetRow, branch: str) -> BranchMismatch | None:
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
