"""What a member can do about a rejected call, offered beside the reason."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from deployments.errors import RegistrationError, UnknownEnvironment
from deployments.models import Call
from deployments.models.call import Outcome
from deployments.registration.formats import FORMATS
from deployments.registration.statements import find_targets
from deployments.registration.targets import branch_mismatch, choose_target
from deployments.request_log.replay import fields_of
from orgs.roles import Permission
from orgs.slugs import is_slug


class Cure(NamedTuple):
    """A page on which a member with the permission can put right what the call was rejected for."""

    words: str
    url: str
    permission: Permission


FORBIDDEN = 403


def cures_of(call: Call) -> list[Cure]:
    """By what is so now: once it is put right, nothing is offered any more."""
    if not call.was_rejected:
        return []
    return [*cures_of_token(call), *cures_of_set_up(call)]


def cures_of_token(call: Call) -> Iterator[Cure]:
    slug = call.organization.slug
    if call.outcome == Outcome.UNAUTHORIZED:
        # A good token is not let know that a deployment does not exist.
        if call.token_id and call.deployment_id:
            url = reverse("token", args=[slug, call.token_id])
            yield Cure(f"Open the token {call.token_name}", url, Permission.MANAGE_TOKENS)
        elif not call.token_id:
            query = f"?{urlencode({'deployment': call.deployment_slug})}" if call.deployment_id else ""
            yield Cure("Create a token", reverse("new-token", args=[slug]) + query, Permission.MANAGE_TOKENS)
    elif call.status == FORBIDDEN and call.token_id:
        url = reverse("token", args=[slug, call.token_id]) + "#permissions"
        yield Cure(f"Change what the token {call.token_name} may do", url, Permission.MANAGE_TOKENS)


def cures_of_set_up(call: Call) -> Iterator[Cure]:
    slug, wire = call.organization.slug, FORMATS.get(call.kind)
    if wire is None or not is_slug(call.deployment_slug):
        return
    targets = find_targets(call.organization_id, call.deployment_slug)
    if not targets:
        query = urlencode({"name": call.deployment_slug})
        url = f"{reverse('new-deployment', args=[slug])}?{query}"
        yield Cure(f"Create the deployment {call.deployment_slug}", url, Permission.MANAGE_PROJECTS)
        return
    try:
        registration = wire.read(fields_of(call), targets) if call.is_whole else None
    except RegistrationError:
        # What is wrong with the call itself is put right where it is sent.
        return
    if registration is None:
        return
    try:
        target = choose_target(targets, environment=registration.environment or "")
    except UnknownEnvironment:
        url = reverse("new-environment", args=[slug, targets[0].project_slug])
        query = urlencode({"name": registration.environment})
        yield Cure(f"Create the environment {registration.environment}", f"{url}?{query}", Permission.MANAGE_PROJECTS)
        return
    if branch_mismatch(target, registration.branch_to_check):
        url = reverse("deployment-settings", args=[slug, call.deployment_slug])
        words = f"Map the branch {registration.branch}" if registration.branch else "Change the branch"
        yield Cure(f"{words} to {target.environment_slug}", url, Permission.MANAGE_PROJECTS)
