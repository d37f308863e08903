"""Writing organizations, projects, environments and members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction

from orgs import audit
from orgs.locking import lock_living
from orgs.models import Environment, Membership, Organization, Project, User
from orgs.models.project import DEFAULT_COLOUR
from orgs.naming import save_with_slug
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


class OrganizationFields(TypedDict, total=False):
    name: str


class ProjectFields(TypedDict, total=False):
    name: str


class EnvironmentFields(TypedDict, total=False):
    name: str
    description: str
    colour: str


def save_changes(instance: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Validate and store those of ``values`` that differ. A row that is as it should be is not written.

    Gives ``{field: [before, after]}`` for :func:`orgs.audit.record_changes`.
    """
    changes = {
        name: [getattr(instance, name), value] for name, value in values.items() if getattr(instance, name) != value
    }
    if not changes:
        return {}
    for name, (_, value) in changes.items():
        setattr(instance, name, value)
    instance.full_clean()
    instance.save(update_fields=[*changes, "updated_at"])
    return changes


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
    user.full_clean()
    user.save()
    return user


@transaction.atomic
def rename_user(*, user: User, name: str) -> None:
    if user.name != name:
        user.name = name
        user.full_clean()
        user.save(update_fields=["name"])


@transaction.atomic
def create_organization(*, name: str, slug: str = "") -> Organization:
    slug = slug or slug_from_name(
        name, fallback="organization", is_taken=lambda s: Organization.objects.filter(slug=s).exists()
    )
    organization = Organization(name=name, slug=slug)
    organization.full_clean()
    organization.save()
    audit.record(
        "organization.created",
        organization,
        organization=organization,
        changes={"name": organization.name, "slug": organization.slug},
    )
    return organization


@transaction.atomic
def update_organization(*, organization: Organization, **fields: Unpack[OrganizationFields]) -> None:
    changes = save_changes(organization, fields)
    audit.record_changes("organization.changed", organization, organization=organization, changes=changes)


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: Role) -> Membership:
    membership = Membership(organization=organization, user=user, role=role)
    membership.full_clean()
    membership.save()
    audit.record("member.added", user, organization=organization, changes={"role": membership.role})
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role) -> None:
    changes = save_changes(membership, {"role": role})
    audit.record_changes("member.changed", membership.user, organization=membership.organization, changes=changes)


@transaction.atomic
def create_project(
    *, organization: Organization, name: str, slug: str = "", environments: Sequence[NewEnvironment] = ()
) -> Project:
    """A project is never without a default environment: the first one, or Production, where none is marked."""
    project = Project(organization=organization, name=name)
    save_with_slug(
        project, slug=slug, fallback="project", is_taken=lambda s: organization.projects.filter(slug=s).exists()
    )
    audit.record("project.created", project, organization=organization, changes={"name": name, "slug": project.slug})
    for environment in environments or [NewEnvironment(name="Production", slug="production", is_default=True)]:
        create_environment(project=project, new=environment)
    if not project.environments.filter(is_default=True).exists():
        set_default_environment(environment=project.environments.order_by("position", "id")[0])
    return project


@transaction.atomic
def update_project(*, project: Project, **fields: Unpack[ProjectFields]) -> None:
    changes = save_changes(project, fields)
    audit.record_changes("project.changed", project, organization=project.organization, changes=changes)


@transaction.atomic
def create_environment(*, project: Project, new: NewEnvironment) -> Environment:
    """The environment becomes the last one of the promotion path."""
    lock_living(project)
    last = project.environments.aggregate(last=models.Max("position"))["last"]
    position = 0 if last is None else last + 1
    environment = Environment(
        project=project,
        name=new.name,
        description=new.description,
        colour=new.colour or ENVIRONMENT_COLOURS[position % len(ENVIRONMENT_COLOURS)],
        position=position,
    )
    save_with_slug(
        environment,
        slug=new.slug,
        fallback="environment",
        is_taken=lambda s: project.environments.filter(slug=s).exists(),
    )
    audit.record(
        "environment.created",
        environment,
        organization=project.organization,
        changes={"name": environment.name, "slug": environment.slug, "project": project.name},
    )
    if new.is_default:
        set_default_environment(environment=environment)
    return environment


@transaction.atomic
def update_environment(*, environment: Environment, **fields: Unpack[EnvironmentFields]) -> None:
    changes = save_changes(environment, fields)
    organization = environment.project.organization
    audit.record_changes("environment.changed", environment, organization=organization, changes=changes)


@transaction.atomic
def order_environments(*, project: Project, environments: Sequence[Environment]) -> None:
    """Put these environments into this order of promotion, in the places that they have; the others keep theirs."""
    lock_living(project)
    listed = {environment.pk for environment in environments}
    following = iter(environments)
    before = list(project.environments.order_by("position", "id"))
    after = [next(following) if environment.pk in listed else environment for environment in before]
    for position, environment in enumerate(after):
        save_changes(environment, {"position": position})
    if before != after:
        changes = {"order": [", ".join(environment.name for environment in order) for order in (before, after)]}
        audit.record("project.environments_ordered", project, organization=project.organization, changes=changes)


@transaction.atomic
def move_environment(*, environment: Environment, towards_end: bool) -> None:
    """One place along the promotion path; the last one stays the last."""
    project = lock_living(environment.project)
    order = list(project.environments.order_by("position", "id"))
    at = order.index(environment)
    to = at + 1 if towards_end else at - 1
    if 0 <= to < len(order):
        order.insert(to, order.pop(at))
        order_environments(project=project, environments=order)


@transaction.atomic
def set_default_environment(*, environment: Environment) -> None:
    """Raises ValidationError where it is deleted."""
    lock_living(environment.project)
    lock_living(environment)
    environment.project.environments.filter(is_default=True).update(is_default=False)
    environment.is_default = True
    environment.save(update_fields=["is_default", "updated_at"])
    audit.record(
        "environment.made_default",
        environment,
        organization=environment.project.organization,
        changes={"project": environment.project.name},
    )
