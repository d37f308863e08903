"""``setHealth``: https://github.com/sleuth-io/sleuth-client, sleuth/commands/set_health.py"""

import re

import strawberry
from django.utils import timezone

from deployments import health as services
from deployments.graphql.caller import Caller, CallerInfo, Refused
from deployments.models import Deploy, Health
from deployments.queries.deploys import deploy_of
from deployments.registration.places import check_environment_allowed
from orgs.text import shortened
from tokens.acting import acting_for_token
from tokens.scopes import Scope

# Takes a health back that was set. The CLI sends it in lower case, and the others in upper case.
RESET = "reset"
DEPLOY_SLUG = re.compile(r"[0-9]{1,18}")


@strawberry.type
class SetHealth:
    success: bool


def set_health(info: CallerInfo, org_slug: str, deployment_slug: str, deploy_slug: str, health: str) -> SetHealth:
    caller = info.context
    caller.check_scope(Scope.REGISTER_DEPLOY)
    deploy = find_deploy(caller, organization=org_slug, deployment=deployment_slug, slug=deploy_slug)
    word = read_health(health)
    with acting_for_token(caller.token, address=caller.address):
        services.set_health(deploy=deploy, health=word, now=timezone.now())
    return SetHealth(success=True)


@strawberry.type
class HealthMutation:
    set_health: SetHealth = strawberry.mutation(
        resolver=set_health,
        description="Says how a deploy is: HEALTHY, AILING, UNHEALTHY, or reset for the computed health.",
    )


def find_deploy(caller: Caller, *, organization: str, deployment: str, slug: str) -> Deploy:
    places = caller.find_deployment(organization=organization, slug=deployment)
    deploy = deploy_of(places[0].deployment_id, int(slug)) if DEPLOY_SLUG.fullmatch(slug) else None
    place = next((place for place in places if deploy and place.environment_id == deploy.environment_id), None)
    if deploy is None or place is None:
        raise Refused(
            f"There is no deploy '{shortened(slug, 100)}' of {places[0].deployment_slug}: "
            "send the slug that latestChange gives."
        )
    check_environment_allowed(token=caller.token, place=place)
    return deploy


def read_health(word: str) -> Health | None:
    folded = word.strip().lower()
    if folded == RESET:
        return None
    if folded not in Health.values:
        raise Refused(f"There is no health '{shortened(word, 40)}': send HEALTHY, AILING, UNHEALTHY or {RESET}.")
    return Health(folded)
