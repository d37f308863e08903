"""``deployment``: what the Sleuth CLI asks before it registers a deploy, and before it sets a health.

https://github.com/sleuth-io/sleuth-client, sleuth/service.py, get_latest_deploy
"""

import strawberry
from django.urls import reverse

from deployments.graphql.caller import CallerInfo
from deployments.models import Deploy
from deployments.queries.deploys import live_deploy
from deployments.registration.places import check_environment_allowed, choose_place
from deployments.registration.statements import Place
from tokens.scopes import Scope


@strawberry.type(description="A deploy.")
class Change:
    revision: str = strawberry.field(description="The sha or version, as it was registered.")
    slug: str = strawberry.field(description="What names the deploy, such as in setHealth.")
    url: str = strawberry.field(description="The path of its page.")


def as_change(deploy: Deploy, *, organization_slug: str) -> Change:
    url = reverse("deploy-page", kwargs={"organization": organization_slug, "deploy": deploy.pk})
    return Change(revision=deploy.sha, slug=str(deploy.pk), url=url)


@strawberry.interface(description="Where changes come from.")
class ChangeSource:
    slug: str


def latest_change(root: "CodeChangeSource", info: CallerInfo, environment_slug: str | None = None) -> Change | None:
    token = info.context.token
    place = choose_place(root.places, environment=(environment_slug or "").strip())
    check_environment_allowed(token=token, place=place)
    deploy = live_deploy(place.target_id)
    return as_change(deploy, organization_slug=token.organization_slug) if deploy else None


@strawberry.type(description="A code deployment.")
class CodeChangeSource(ChangeSource):
    places: strawberry.Private[list[Place]]
    latest_change: Change | None = strawberry.field(
        resolver=latest_change,
        description="What is live in an environment: in the default one where none is named.",
    )


def deployment(info: CallerInfo, org_slug: str, deployment_slug: str) -> ChangeSource | None:
    # CI has tokens that may only register, and the CLI needs to know what is live to tell what is new. It learns no
    # more of it than what such a token sent.
    info.context.check_scope(Scope.READ, Scope.REGISTER_DEPLOY)
    places = info.context.find_deployment(organization=org_slug, slug=deployment_slug)
    return CodeChangeSource(slug=places[0].deployment_slug, places=places)


@strawberry.type
class ChangeSourceQuery:
    deployment: ChangeSource | None = strawberry.field(
        resolver=deployment, description="A deployment of the access token's organization."
    )
