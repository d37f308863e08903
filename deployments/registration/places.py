"""Which deployment and environment a call means, and whether this token and branch may go there."""

from collections.abc import Sequence

from deployments.models import BranchMatch, Deployment
from deployments.registration.errors import (
    BranchMismatch,
    NoSlug,
    OutsideTokenLimits,
    UnknownDeployment,
    UnknownEnvironment,
)
from deployments.registration.statements import Place, find_places
from orgs.models import Environment
from orgs.slugs import is_slug
from orgs.text import shortened
from tokens.statements import TokenRow


def find_deployment(*, token: TokenRow, slug: str) -> list[Place]:
    """The places of a deployment of the token's organization.

    Raises NoSlug, OutsideTokenLimits (for a token with limits whether or not such a deployment exists) and
    UnknownDeployment.
    """
    folded = slug.lower()
    if not is_slug(folded):
        # A Go library probes the deployment "-" and demands this text.
        raise NoSlug(f"Deployment {shortened(slug, 100)} Not Found")
    check_deployment_allowed(token=token, slug=folded)
    places = find_places(token.organization_id, folded)
    if not places:
        raise UnknownDeployment(folded)
    return places


def check_deployment_allowed(*, token: TokenRow, slug: str) -> None:
    if not token.limited_to_deployments:
        return
    allowed = Deployment.objects.filter(tokens=token.id).values_list("slug", flat=True)
    if slug not in allowed:
        raise OutsideTokenLimits(f"This access token is limited to {listed(sorted(allowed)) or 'no deployment'}.")


def choose_place(places: Sequence[Place], *, environment: str) -> Place:
    """The place whose environment has this slug, else this name, in any case; the default one where it is empty."""
    if not environment:
        return next((place for place in places if place.is_default), places[0])
    wanted = environment.casefold()
    for place in places:
        if place.environment_slug == wanted:
            return place
    for place in places:
        if place.environment_name.casefold() == wanted:
            return place
    raise UnknownEnvironment(
        f"No environment '{environment}' in project {places[0].project_slug}: "
        f"it has {listed([place.environment_slug for place in places])}."
    )


def check_environment_allowed(*, token: TokenRow, place: Place) -> None:
    if not token.limited_to_environments:
        return
    if not Environment.objects.filter(tokens=token.id, pk=place.environment_id).exists():
        raise OutsideTokenLimits(f"This access token is limited to {allowed_environments(token)}.")


def allowed_environments(token: TokenRow) -> str:
    """Of a token that is limited to some, for a sentence."""
    slugs = sorted({environment.slug for environment in Environment.objects.filter(tokens=token.id)})
    return f"the environments {listed(slugs)}" if slugs else "no environment"


def check_branch(place: Place, branch: str) -> None:
    where = f"{place.environment_slug} of {place.deployment_slug}"
    if place.branch_match == BranchMatch.EXACT and branch and branch != place.branch:
        raise BranchMismatch(f"Branch '{branch}' does not match: {where} takes branch '{place.branch}'.")
    if place.branch_match == BranchMatch.PREFIX:
        if not branch:
            raise BranchMismatch(f"branch is required: {where} takes branches that begin with '{place.branch}'.")
        if not branch.startswith(place.branch or ""):
            raise BranchMismatch(
                f"Branch '{branch}' does not match: {where} takes branches that begin with '{place.branch}'."
            )


def listed(words: Sequence[str]) -> str:
    return ", ".join(words)
