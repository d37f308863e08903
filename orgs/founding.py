"""The first things of an organization, all at once."""

from collections.abc import Sequence

from django.db import transaction

from orgs.models import Organization, User
from orgs.roles import Role
from orgs.services import NewEnvironment, add_member, create_organization, create_project


@transaction.atomic
def found_organization(*, name: str, project: str, environments: Sequence[str], owner: User) -> Organization:
    """An organization with its first owner and project. The last environment is the default one."""
    organization = create_organization(name=name)
    add_member(organization=organization, user=owner, role=Role.OWNER)
    create_project(
        organization=organization,
        name=project,
        environments=[
            NewEnvironment(name=environment, is_default=environment == environments[-1]) for environment in environments
        ],
    )
    return organization
