"""What Gumshoe has of Sleuth's GraphQL schema."""

from dataclasses import dataclass

import strawberry
from django.urls import reverse
from django.utils import timezone
from graphql import GraphQLError
from graphql.validation import MaxIntrospectionDepthRule
from strawberry import Info
from strawberry.extensions import AddValidationRules
from strawberry.types import ExecutionContext

from deployments.deploys import services
from deployments.errors import RegistrationError, UnknownDeployment
from deployments.models import Deploy, Health
from deployments.registration.statements import TargetRow
from deployments.registration.targets import choose_target, find_deployment
from deployments.token_limits import check_allowed
from orgs.audit import acting_as
from orgs.pages import ROW_ID
from orgs.text import shortened
from tokens.authentication import LACKS_SCOPE, names_organization
from tokens.scopes import Scope, allows
from tokens.services import token_actor
from tokens.statements import TokenRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Each resolver finds it in ``info.context``."""

    token: TokenRow
    address: str

    def check_scope(self, *any_of: Scope) -> None:
        if not any(allows(self.token.scopes, scope) for scope in any_of):
            raise RegistrationError(LACKS_SCOPE.format(any_of[0]))

    def find_deployment(self, *, organization: str, slug: str) -> list[TargetRow]:
        """Raises UnknownDeployment also for another organization, so that nobody finds out which exist."""
        if not names_organization(organization.lower(), self.token):
            raise UnknownDeployment(slug)
        return find_deployment(token=self.token, slug=slug)


CallerInfo = Info[Caller, None]


# --- deployment: what the Sleuth CLI asks before it registers a deploy, and before it sets a health ---
# https://github.com/sleuth-io/sleuth-client, sleuth/service.py, get_latest_deploy


@strawberry.type(description="A deploy.")
class Change:
    revision: str = strawberry.field(description="The sha or version, as it was registered.")
    slug: str = strawberry.field(description="What names the deploy, such as in setHealth.")
    url: str = strawberry.field(description="The path of its page.")


@strawberry.interface(description="Where changes come from.")
class ChangeSource:
    slug: str


def latest_change(root: "CodeChangeSource", info: CallerInfo, environment_slug: str | None = None) -> Change | None:
    token = info.context.token
    target = choose_target(root.targets, environment=(environment_slug or "").strip())
    check_allowed(token, environment_id=target.environment_id)
    deploy = Deploy.objects.filter(live_in=target.target_id).first() if target.target_id else None
    if deploy is None:
        return None
    url = reverse("deploy-page", kwargs={"organization": token.organization_slug, "deploy": deploy.pk})
    return Change(revision=deploy.sha, slug=str(deploy.pk), url=url)


@strawberry.type(description="A code deployment.")
class CodeChangeSource(ChangeSource):
    targets: strawberry.Private[list[TargetRow]]
    latest_change: Change | None = strawberry.field(
        resolver=latest_change,
        description="What is live in an environment, by default in the default one.",
    )


def deployment(info: CallerInfo, org_slug: str, deployment_slug: str) -> ChangeSource | None:
    # CI has tokens that may only register, and the CLI needs to know what is live to tell what is new. It learns no
    # more of it than what such a token sent.
    info.context.check_scope(Scope.READ, Scope.REGISTER_DEPLOY)
    targets = info.context.find_deployment(organization=org_slug, slug=deployment_slug)
    return CodeChangeSource(slug=targets[0].deployment_slug, targets=targets)


@strawberry.type
class Query:
    deployment: ChangeSource | None = strawberry.field(
        resolver=deployment, description="A deployment of the access token's organization."
    )


# --- setHealth: https://github.com/sleuth-io/sleuth-client, sleuth/commands/set_health.py ---

# Removes a health. The CLI sends it in lower case, the others in upper case.
RESET = "reset"


@strawberry.type
class SetHealth:
    success: bool


def set_health(info: CallerInfo, org_slug: str, deployment_slug: str, deploy_slug: str, health: str) -> SetHealth:
    caller = info.context
    caller.check_scope(Scope.REGISTER_DEPLOY)
    deploy = find_deploy(caller, organization=org_slug, deployment=deployment_slug, slug=deploy_slug)
    word = read_health(health)
    with acting_as(token_actor(caller.token, address=caller.address)):
        services.set_health(deploy=deploy, health=word, now=timezone.now())
    return SetHealth(success=True)


@strawberry.type
class Mutation:
    set_health: SetHealth = strawberry.mutation(
        resolver=set_health,
        description="Says how a deploy is: HEALTHY, AILING, UNHEALTHY, or reset for the computed health.",
    )


def find_deploy(caller: Caller, *, organization: str, deployment: str, slug: str) -> Deploy:
    targets = caller.find_deployment(organization=organization, slug=deployment)
    deploys = Deploy.objects.filter(deployment=targets[0].deployment_id)
    deploy = deploys.filter(pk=int(slug)).first() if ROW_ID.fullmatch(slug) else None
    target = next((target for target in targets if deploy and target.environment_id == deploy.environment_id), None)
    if deploy is None or target is None:
        raise RegistrationError(
            f"There is no deploy '{shortened(slug, 100)}' of {targets[0].deployment_slug}: "
            "send the slug that latestChange gives."
        )
    check_allowed(caller.token, environment_id=target.environment_id)
    return deploy


def read_health(word: str) -> Health | None:
    folded = word.strip().lower()
    if folded == RESET:
        return None
    if folded not in Health.values:
        known = f"HEALTHY, AILING, UNHEALTHY or {RESET}"
        raise RegistrationError(f"There is no health '{shortened(word, 40)}': send {known}.")
    return Health(folded)


class QuietSchema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Logs none: most are the caller's, and deployments.graphql.execution logs the others."""


schema = QuietSchema(
    query=Query,
    mutation=Mutation,
    # The one is found by its interface only, the other is only in variables of clients.
    types=(CodeChangeSource, strawberry.ID),
    extensions=(lambda: AddValidationRules([MaxIntrospectionDepthRule]),),
)
