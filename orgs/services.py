"""Writing organizations, projects, environments and members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from orgs import audit
from orgs.aliases import check_name_is_free, set_aliases
from orgs.models import DEFAULT_COLOUR, Environment, Membership, Organization, Project, User
from orgs.organization_slugs import SLUG_TAKEN, cannot_be_claimed, claim_slug
from orgs.queries import promotion_path
from orgs.roles import Permission, Role, role_allows
from orgs.rows import lock_active, lock_row, save_with_slug, store
from orgs.short_lived import POSITION, clean_patterns
from orgs.slugs import slug_from_name

# For new environments in order of promotion; dark enough for white text (a contrast of at least 4.5).
ENVIRONMENT_COLOURS = ("#1d4ed8", "#7c3aed", "#be185d", "#b45309", "#047857", DEFAULT_COLOUR)


@dataclass(frozen=True, kw_only=True)
class NewEnvironment:
    """One with an end is short-lived."""

    name: str
    slug: str = ""
    description: str = ""
    colour: str = ""
    is_default: bool = False
    aliases: Sequence[str] = ()
    ends_at: datetime | None = None


class OrganizationFields(TypedDict, total=False):
    name: str
    slug: str
    time_zone: str


class ProjectFields(TypedDict, total=False):
    name: str
    short_lived_patterns: list[str]
    short_lived_days: int


class EnvironmentFields(TypedDict, total=False):
    name: str
    description: str
    colour: str
    aliases: Sequence[str]


def save_changes(instance: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Validate and store those of ``values`` that differ, if any.

    Returns ``{field: [before, after]}`` for :func:`orgs.audit.record_changes`.
    """
    changes = {
        name: [getattr(instance, name), value] for name, value in values.items() if getattr(instance, name) != value
    }
    if not changes:
        return {}
    for name, (_, value) in changes.items():
        setattr(instance, name, value)
    store(instance, only=[*changes, "updated_at"])
    return changes


@transaction.atomic
def create_user(*, email: str, name: str = "", password: str | None = None, accept_weak_password: bool = False) -> User:
    """A user without staff rights, who cannot sign in without a password. Raises ValidationError."""
    user = User(email=email.strip().lower(), name=name)
    if password is not None and not accept_weak_password:
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
    slug = slug or slug_from_name(name, fallback="organization", is_taken=cannot_be_claimed)
    organization = Organization(name=name, slug=slug)
    store(organization)
    claim_slug(organization=organization)
    audit.record("organization.created", organization, changes={"name": name, "slug": slug})
    return organization


@transaction.atomic
def update_organization(*, organization: Organization, **fields: Unpack[OrganizationFields]) -> None:
    """Calls and pages that name a former slug still find the organization."""
    current = lock_row(organization)
    try:
        with transaction.atomic():
            changes = save_changes(current, fields)
    except IntegrityError:
        raise ValidationError({"slug": SLUG_TAKEN}) from None
    if "slug" in changes:
        claim_slug(organization=current, former=changes["slug"][0])
    audit.record_changes("organization.changed", current, changes)
    organization.refresh_from_db()


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: Role) -> Membership:
    membership = Membership(organization=organization, user=user, role=role)
    store(membership)
    audit.record("member.added", user, organization=organization, changes={"role": membership.role})
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: Membership | None = None) -> None:
    """``by`` is the member who does it, or ``None`` for the operator. The last owner keeps the role."""
    lock_row(membership.organization)
    refresh_member(membership)
    if by:
        check_may_change(by, membership.role, role)
    if role != Role.OWNER:
        check_another_owner(membership)
    changes = save_changes(membership, {"role": role})
    audit.record_changes("member.changed", membership.user, changes, organization=membership.organization)


@transaction.atomic
def remove_member(*, membership: Membership, by: Membership | None = None) -> None:
    """Members may remove themselves without any right. The last owner cannot be removed."""
    lock_row(membership.organization)
    refresh_member(membership)
    leaves = by is not None and by.pk == membership.pk
    if by and not leaves:
        check_may_change(by, membership.role)
    check_another_owner(membership)
    Membership.objects.filter(pk=membership.pk).delete()
    audit.record(
        "member.left" if leaves else "member.removed",
        membership.user,
        organization=membership.organization,
        changes={"role": [membership.role, None]},
    )


def refresh_member(membership: Membership) -> None:
    try:
        membership.refresh_from_db(fields=["role"])
    except Membership.DoesNotExist:
        raise ValidationError(f"{membership.user} is no longer a member.", code="gone") from None


def check_may_change(by: Membership, *roles: str) -> None:
    """Only owners make and unmake owners. The role of ``by`` is read again, since it may have changed."""
    refresh_member(by)
    needed = Permission.MANAGE_OWNERS if Role.OWNER in roles else Permission.MANAGE_MEMBERS
    if not role_allows(by.role, needed):
        raise ValidationError(f"Your role, {Role(by.role).label.lower()}, may not {needed}.", code="forbidden")


def check_another_owner(membership: Membership) -> None:
    """Call it with the organization locked. Otherwise two owners could leave at the same time."""
    if membership.role != Role.OWNER:
        return
    others = Membership.objects.filter(
        organization=membership.organization_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise ValidationError(
            f"{membership.user} is the last owner of {membership.organization}: make somebody else an owner first.",
            code="last_owner",
        )


@transaction.atomic
def create_project(
    *, organization: Organization, name: str, slug: str = "", environments: Sequence[NewEnvironment] = ()
) -> Project:
    """With a default environment: the one that is marked, or else the first one, or else Production."""
    project = Project(organization=organization, name=name)
    save_with_slug(project, slug=slug, among=organization.projects.all())
    audit.record("project.created", project, changes={"name": name, "slug": project.slug})
    for environment in environments or [NewEnvironment(name="Production", slug="production", is_default=True)]:
        create_environment(project=project, new=environment)
    if not project.environments.filter(is_default=True).exists():
        set_default_environment(environment=project.environments.order_by("position", "id")[0])
    return project


@transaction.atomic
def update_project(*, project: Project, **fields: Unpack[ProjectFields]) -> None:
    if "short_lived_patterns" in fields:
        fields["short_lived_patterns"] = clean_patterns(fields["short_lived_patterns"])
    audit.record_changes("project.changed", project, save_changes(project, fields))


@transaction.atomic
def create_environment(*, project: Project, new: NewEnvironment) -> Environment:
    """Adds it at the end of the promotion path, or after it if it is short-lived.

    Raises ValidationError, with the code of :func:`check_room` if the project has as many as it may.
    """
    lock_active(project)
    check_room(project.environments.count(), settings.MAX_ENVIRONMENTS, f"{project} has", "environments")
    position = POSITION if new.ends_at else next_position(project)
    environment = Environment(
        project=project,
        name=new.name,
        description=new.description,
        colour=new.colour or (DEFAULT_COLOUR if new.ends_at else colour_at(position)),
        position=position,
        ends_at=new.ends_at,
    )
    save_with_slug(environment, slug=new.slug, among=project.environments.all())
    check_name_is_free(environment)
    changes: dict[str, Any] = {"name": environment.name, "slug": environment.slug, "project": project.name}
    if environment.ends_at:
        changes["ends_at"] = environment.ends_at
    if aliases := set_aliases(environment, new.aliases):
        changes["aliases"] = ", ".join(aliases[1])
    audit.record("environment.created", environment, changes=changes)
    if new.is_default:
        set_default_environment(environment=environment)
    return environment


NO_ROOM = "no_room"


def check_room(count: int, most: int, who_has: str, what: str) -> None:
    """Raises ValidationError with the code NO_ROOM. Call it under the owner's lock."""
    if count >= most:
        raise ValidationError(
            f"{who_has} {count} {what} already: delete one, or ask the operator to raise MAX_{what.upper()}.",
            code=NO_ROOM,
        )


def next_position(project: Project) -> int:
    last = project.environments.filter(ends_at=None).aggregate(last=models.Max("position"))["last"]
    return 0 if last is None else last + 1


def colour_at(position: int) -> str:
    """The colour of a new environment at this position."""
    return ENVIRONMENT_COLOURS[position % len(ENVIRONMENT_COLOURS)]


@transaction.atomic
def update_environment(*, environment: Environment, **fields: Unpack[EnvironmentFields]) -> None:
    lock_active(environment.project)
    aliases = fields.pop("aliases", None)
    changes = save_changes(environment, fields)
    if "name" in changes:
        check_name_is_free(environment)
    if aliases is not None and (names := set_aliases(environment, aliases)):
        changes["aliases"] = [", ".join(each) for each in names]
    audit.record_changes("environment.changed", environment, changes)


@transaction.atomic
def order_environments(*, project: Project, environments: Sequence[Environment]) -> None:
    """Sort these environments among the positions that they have. The others keep theirs, as do short-lived ones."""
    lock_active(project)
    sorted_ones = [environment for environment in environments if environment.ends_at is None]
    listed = {environment.pk for environment in sorted_ones}
    following = iter(sorted_ones)
    before = promotion_path(project)
    after = [next(following) if environment.pk in listed else environment for environment in before]
    for position, environment in enumerate(after):
        save_changes(environment, {"position": position})
    if before != after:
        changes = {"order": [", ".join(environment.name for environment in order) for order in (before, after)]}
        audit.record("project.environments_ordered", project, changes=changes)


@transaction.atomic
def move_environment(*, environment: Environment, towards_end: bool) -> None:
    """By one position along the promotion path. Nothing happens at its ends, nor to a short-lived environment."""
    project = lock_active(environment.project)
    order = promotion_path(project)
    if environment not in order:
        return
    at = order.index(environment)
    to = at + 1 if towards_end else at - 1
    if 0 <= to < len(order):
        order.insert(to, order.pop(at))
        order_environments(project=project, environments=order)


@transaction.atomic
def set_default_environment(*, environment: Environment) -> None:
    """Raises ValidationError if it is deleted or short-lived."""
    lock_active(environment.project)
    current = lock_active(environment)
    if current.is_default:
        return
    if current.ends_at:
        raise ValidationError(f"{environment} is short-lived: make another one the default.")
    environment.project.environments.filter(is_default=True).update(is_default=False)
    environment.is_default = True
    environment.save(update_fields=["is_default", "updated_at"])
    audit.record("environment.made_default", environment, changes={"project": environment.project.name})


@transaction.atomic
def found_organization(*, name: str, project: str, environments: Sequence[str], owner: User) -> Organization:
    """An organization with its first owner and its first project, whose last environment is the default."""
    organization = create_organization(name=name)
    add_member(organization=organization, user=owner, role=Role.OWNER)
    new = [NewEnvironment(name=environment, is_default=environment == environments[-1]) for environment in environments]
    create_project(organization=organization, name=project, environments=new)
    return organization
