"""Objects for tests, made through the services that make the real ones."""

from itertools import count
from typing import Any

from django.test import Client

from deployments.impacts.sources import create_impact_source
from deployments.models import Deployment, ImpactKind, ImpactSource
from deployments.setup import services as deployment_services
from orgs import services as org_services
from orgs.models import Organization, Project, User
from orgs.roles import Role
from orgs.services import NewEnvironment
from tokens import services as token_services
from tokens.models import AccessToken
from tokens.scopes import Scope

numbers = count(1)


def make_organization(slug: str = "") -> Organization:
    slug = slug or f"organization-{next(numbers)}"
    return org_services.create_organization(name=slug.replace("-", " ").capitalize(), slug=slug)


def make_member(organization: Organization, role: Role) -> User:
    user = User.objects.create_user(f"person{next(numbers)}@example.com")
    org_services.add_member(organization=organization, user=user, role=role)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_project(organization: Organization, name: str = "Shop", **fields: Any) -> Project:
    """A project with the environments production (the default) and staging."""
    fields.setdefault(
        "environments",
        [NewEnvironment(name="Staging"), NewEnvironment(name="Production", is_default=True)],
    )
    return org_services.create_project(organization=organization, name=name, **fields)


def make_deployment(project: Project, name: str = "Storefront", **fields: Any) -> Deployment:
    return deployment_services.create_deployment(project=project, name=name, **fields)


def make_impact_source(
    project: Project, kind: ImpactKind, name: str = "", *, environment: str = "production", slug: str = ""
) -> ImpactSource:
    return create_impact_source(
        environment=project.environments.get(slug=environment), kind=kind, name=name or kind.label, slug=slug
    )


def make_token(
    organization: Organization, *scopes: Scope, name: str = "", limited_to_deployments: bool = False, **fields: Any
) -> tuple[AccessToken, str]:
    """With ``limited_to_deployments`` the token may do nothing until it is given deployments."""
    token, secret = token_services.create_token(
        organization=organization,
        name=name or f"token {organization.tokens.count() + 1}",
        scopes=scopes or (Scope.REGISTER_DEPLOY,),
        **fields,
    )
    if limited_to_deployments:
        token_services.limit_token(token=token, deployments=())
    return token, secret
