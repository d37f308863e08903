"""Writing organizations, projects, environments and members."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from orgs.models import Environment, Membership, Organization, Project, User
from orgs.models.project import DEFAULT_COLOUR
from orgs.roles import Role
from orgs.slugs import slug_from_name

# The colours new environments get in turn, in order of promotion; dark enough for white text (contrast of 4.5 and up).
ENVIRONMENT_COLOURS = ("#1d4ed8", "#7c3aed", "#be185d", "#b45309", "#047857", DEFAULT_COLOUR)


@dataclass(frozen=True, kw_only=True)
class NewEnvironment:
    name: str
    slug: str = ""
    description: str = ""
    colour: str = ""
    is_default: bool = False


@transaction.atomic
def create_organization(*, name: str, slug: str = "") -> Organization:
    slug = slug or slug_from_name(
        name, fallback="organization", is_taken=lambda s: Organization.objects.filter(slug=s).exists()
    )
    organization = Organization(name=name, slug=slug)
    organization.full_clean()
    organization.save()
    return organization


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: Role) -> Membership:
    membership = Membership(organization=organization, user=user, role=role)
    membership.full_clean()
    membership.save()
    return membership


@transaction.atomic
def create_project(
    *, organization: Organization, name: str, slug: str = "", environments: Sequence[NewEnvironment] = ()
) -> Project:
    """A project is never without a default environment: the first one, or Production, where none is marked."""
    slug = slug or slug_from_name(
        name, fallback="project", is_taken=lambda s: organization.projects.filter(slug=s).exists()
    )
    project = Project(organization=organization, name=name, slug=slug)
    project.full_clean()
    project.save()
    for environment in environments or [NewEnvironment(name="Production", slug="production", is_default=True)]:
        create_environment(project=project, new=environment)
    if not project.environments.filter(is_default=True).exists():
        set_default_environment(environment=project.environments.order_by("position", "id")[0])
    return project


@transaction.atomic
def create_environment(*, project: Project, new: NewEnvironment) -> Environment:
    """The environment becomes the last one of the promotion path."""
    slug = new.slug or slug_from_name(
        new.name, fallback="environment", is_taken=lambda s: project.environments.filter(slug=s).exists()
    )
    position = project.environments.count()
    environment = Environment(
        project=project,
        name=new.name,
        slug=slug,
        description=new.description,
        colour=new.colour or ENVIRONMENT_COLOURS[position % len(ENVIRONMENT_COLOURS)],
        position=position,
    )
    environment.full_clean()
    environment.save()
    if new.is_default:
        set_default_environment(environment=environment)
    return environment


@transaction.atomic
def set_default_environment(*, environment: Environment) -> None:
    environment.project.environments.filter(is_default=True).update(is_default=False)
    environment.is_default = True
    environment.save(update_fields=["is_default", "updated_at"])
