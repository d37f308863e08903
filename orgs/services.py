"""Writing organizations, projects, environments and members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from orgs.models import Environment, Membership, Organization, Project, User
from orgs.models.project import DEFAULT_COLOUR
from orgs.roles import Role
from orgs.slugs import slug_from_name
from orgs.text import problem_in_json

# The colours new environments get in turn, in order of promotion; dark enough for white text (contrast of 4.5 and up).
ENVIRONMENT_COLOURS = ("#1d4ed8", "#7c3aed", "#be185d", "#b45309", "#047857", DEFAULT_COLOUR)


@dataclass(frozen=True, kw_only=True)
class NewEnvironment:
    name: str
    slug: str = ""
    description: str = ""
    colour: str = ""
    is_default: bool = False


class OrganizationFields(TypedDict, total=False):
    name: str


class ProjectFields(TypedDict, total=False):
    name: str


class EnvironmentFields(TypedDict, total=False):
    name: str
    description: str
    colour: str


def store(instance: models.Model, *, only: Sequence[str] | None = None) -> None:
    """Validate and save, all fields or ``only`` these.

    Raises ValidationError, also where another transaction stored the like at the same time.
    """
    for field in instance._meta.concrete_fields:  # noqa: SLF001 - a documented interface
        if problem := problem_in_json(getattr(instance, field.attname)):
            raise ValidationError({field.name: f"The text {problem}."})
    instance.full_clean()
    try:
        with transaction.atomic():
            instance.save(update_fields=only)
    except IntegrityError:
        # The other one has committed by now, so that validation sees its row and finds the words.
        instance.full_clean()
        raise


def save_changes(instance: models.Model, values: Mapping[str, Any]) -> None:
    """Validate and store those of ``values`` that differ. A row that is as it should be is not written."""
    changed = {name: value for name, value in values.items() if getattr(instance, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(instance, name, value)
    store(instance, only=[*changed, "updated_at"])


@transaction.atomic
def create_user(*, email: str, name: str = "", password: str | None = None) -> User:
    """A user without staff rights. Raises ValidationError, also where the password is too weak.

    Without a password the user cannot sign in until one is set.
    """
    user = User(email=email.strip().lower(), name=name)
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise ValidationError({"password": error.messages}) from None
    user.set_password(password)
    store(user)
    return user


@transaction.atomic
def rename_user(*, user: User, name: str) -> None:
    if user.name != name:
        user.name = name
        store(user, only=["name"])


@transaction.atomic
def create_organization(*, name: str, slug: str = "") -> Organization:
    slug = slug or slug_from_name(
        name, fallback="organization", is_taken=lambda s: Organization.objects.filter(slug=s).exists()
    )
    organization = Organization(name=name, slug=slug)
    store(organization)
    return organization


@transaction.atomic
def update_organization(*, organization: Organization, **fields: Unpack[OrganizationFields]) -> None:
    save_changes(organization, fields)


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: Role) -> Membership:
    membership = Membership(organization=organization, user=user, role=role)
    store(membership)
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role) -> None:
    save_changes(membership, {"role": role})


@transaction.atomic
def create_project(
    *, organization: Organization, name: str, slug: str = "", environments: Sequence[NewEnvironment] = ()
) -> Project:
    """A project is never without a default environment: the first one, or Production, where none is marked."""
    slug = slug or slug_from_name(
        name, fallback="project", is_taken=lambda s: organization.projects.filter(slug=s).exists()
    )
    project = Project(organization=organization, name=name, slug=slug)
    store(project)
    for environment in environments or [NewEnvironment(name="Production", slug="production", is_default=True)]:
        create_environment(project=project, new=environment)
    if not project.environments.filter(is_default=True).exists():
        set_default_environment(environment=project.environments.order_by("position", "id")[0])
    return project


@transaction.atomic
def update_project(*, project: Project, **fields: Unpack[ProjectFields]) -> None:
    save_changes(project, fields)


@transaction.atomic
def create_environment(*, project: Project, new: NewEnvironment) -> Environment:
    """The environment becomes the last one of the promotion path."""
    lock_environments(project)
    slug = new.slug or slug_from_name(
        new.name, fallback="environment", is_taken=lambda s: project.environments.filter(slug=s).exists()
    )
    last = project.environments.aggregate(last=models.Max("position"))["last"]
    position = 0 if last is None else last + 1
    environment = Environment(
        project=project,
        name=new.name,
        slug=slug,
        description=new.description,
        colour=new.colour or ENVIRONMENT_COLOURS[position % len(ENVIRONMENT_COLOURS)],
        position=position,
    )
    store(environment)
    if new.is_default:
        set_default_environment(environment=environment)
    return environment


@transaction.atomic
def update_environment(*, environment: Environment, **fields: Unpack[EnvironmentFields]) -> None:
    save_changes(environment, fields)


@transaction.atomic
def order_environments(*, project: Project, environments: Sequence[Environment]) -> None:
    """Put these environments into this order of promotion, in the places that they have; the others keep theirs."""
    listed = {environment.pk for environment in environments}
    following = iter(environments)
    for position, environment in enumerate(project.environments.order_by("position", "id")):
        save_changes(next(following) if environment.pk in listed else environment, {"position": position})


@transaction.atomic
def set_default_environment(*, environment: Environment) -> None:
    lock_environments(environment.project)
    environment.project.environments.filter(is_default=True).update(is_default=False)
    environment.is_default = True
    environment.save(update_fields=["is_default", "updated_at"])


def lock_environments(project: Project) -> None:
    """Wait until no other transaction adds environments to the project or marks one of them."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
