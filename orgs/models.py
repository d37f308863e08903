"""Organizations, their members and invitations, projects and environments, people, and the audit log."""

from functools import cache
from typing import Any, ClassVar, TypeVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from orgs.roles import Role
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug

DEFAULT_COLOUR = "#64748b"
validate_colour = RegexValidator(r"\A#[0-9a-f]{6}\Z", "Write the colour as # and six hexadecimal digits.")


# Of the tz database: a clock that nobody has set, this machine's own zone, and a template for rules.
NO_PLACES = {"Factory", "localtime", "posixrules"}


@cache
def time_zones() -> set[str]:
    """Their names. Finding them opens some 600 files."""
    return available_timezones() - NO_PLACES


def validate_time_zone(name: str) -> None:
    if name not in time_zones():
        raise ValidationError("Choose a time zone such as Europe/Berlin.")


class Timestamped(models.Model):
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=models.Model)


class ActiveManager(models.Manager[Row]):
    """The rows that are not deleted. The model's ``all_objects`` has the deleted ones as well, for undo and history."""

    def get_queryset(self) -> models.QuerySet[Row]:
        return super().get_queryset().filter(deleted_at=None)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Without a password the user cannot sign in until one is set."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person, who signs in by e-mail address; staff may use Django admin."""

    username = None  # type: ignore[assignment]  # removes the inherited field
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField(max_length=150, blank=True)
    email = models.EmailField("e-mail address", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        ordering = ("email",)
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique_in_any_case",
                violation_error_message="User with this E-mail address already exists.",
            ),
        )

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """Addresses are stored in lower case, so that none is taken twice."""
        super().clean()
        self.email = self.email.lower()

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.get_full_name()


class Organization(Timestamped):
    """The tenant. All other rows belong to exactly one organization."""

    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, unique=True, validators=[validate_slug])
    time_zone = models.CharField(max_length=50, default="UTC", validators=[validate_time_zone])
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizations")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class FormerSlug(models.Model):
    """A slug that an organization had before. Calls and pages that use it still find the organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="former_slugs")
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, unique=True)

    def __str__(self) -> str:
        return self.slug


class Membership(Timestamped):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.DEVELOPER)

    class Meta:
        ordering = ("organization", "user")
        constraints = (
            models.UniqueConstraint(fields=("user", "organization"), name="membership_once_in_an_organization"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.organization}"


class Project(Timestamped):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, validators=[validate_slug])
    # What calls may create (orgs.short_lived): the beginnings of names, each with * at its end.
    short_lived_patterns = models.JSONField(default=list, blank=True)
    short_lived_days = models.PositiveSmallIntegerField(default=14)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ActiveManager()
    all_objects = models.Manager()  # noqa: DJ012 - a manager, which ruff takes for a field

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(short_lived_days__range=(1, 90)),
                name="project_short_lived_days_in_range",
                violation_error_message="Short-lived environments end after 1 to 90 days.",
            ),
            models.UniqueConstraint(
                fields=("organization", "slug"),
                condition=models.Q(deleted_at=None),
                name="project_slug_unique_in_organization",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Environment(Timestamped):
    """Where deploys go: production, staging, …, in the order of ``position``."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="environments")
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, validators=[validate_slug])
    description = models.CharField(max_length=500, blank=True)
    colour = models.CharField(max_length=7, default=DEFAULT_COLOUR, validators=[validate_colour])
    position = models.PositiveSmallIntegerField(default=0)
    # The default environment is deleted only with its project, and is restored with it.
    is_default = models.BooleanField("default", default=False, help_text="Where deploys go that name no environment.")
    # Only a short-lived environment has an end. Each deploy to it moves the end on.
    ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ActiveManager()
    all_objects = models.Manager()  # noqa: DJ012 - a manager, which ruff takes for a field

    class Meta:
        ordering = ("project", "position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("project", "slug"),
                condition=models.Q(deleted_at=None),
                name="environment_slug_unique_in_project",
            ),
            models.UniqueConstraint(
                fields=("project",), condition=models.Q(is_default=True), name="environment_one_default_in_a_project"
            ),
            models.CheckConstraint(
                condition=models.Q(is_default=False) | models.Q(ends_at=None), name="environment_default_has_no_end"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def aliases(self) -> list[str]:
        return sorted(alias.name for alias in self.alias_rows.all())


class EnvironmentAlias(models.Model):
    """Another name that calls may use for an environment. ``name`` is folded (orgs.aliases)."""

    # With its environment's project, so that the database keeps a name from meaning two environments.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="alias_rows")
    name = models.CharField(max_length=100)

    class Meta:
        verbose_name = "alias"
        verbose_name_plural = "aliases"
        ordering = ("name",)
        constraints = (
            # Also finds the environment that a call names.
            models.UniqueConstraint(fields=("project", "name"), name="alias_once_in_a_project"),
            models.CheckConstraint(condition=~models.Q(name=""), name="alias_has_a_name"),
        )

    def __str__(self) -> str:
        return self.name


class InvitationState(models.TextChoices):
    OPEN = "open", "waiting for an answer"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


class Invitation(Timestamped):
    """A person asked by e-mail to become a member. Only the mail has the secret of the link."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=20, choices=Role, default=Role.DEVELOPER)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("organization", "email", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once_in_an_organization",
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_is_known"),
        )
        indexes = (
            # The first sign-in by OpenID Connect, which needs an invitation.
            models.Index(
                fields=("email",),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_by_email",
            ),
        )

    def __str__(self) -> str:
        return self.email

    @property
    def state(self) -> InvitationState:
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.revoked_at:
            return InvitationState.REVOKED
        return InvitationState.EXPIRED if self.expires_at <= timezone.now() else InvitationState.OPEN


class AuditEvent(models.Model):
    """Who did what to what, when and from where. It outlives the user and the subject."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="audit_events", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=254)
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=50)
    subject_type = models.CharField(max_length=50)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=200)
    changes = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        indexes = (
            # The audit log's page, newest first.
            models.Index(fields=("organization", "-id"), name="audit_event_by_organization"),
            # The same page filtered by action, and the list of actions to choose from.
            models.Index(fields=("organization", "action", "-id"), name="audit_event_by_action"),
        )

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action} {self.subject_label}"


class SignInFact(models.Model):
    """A row of the cache in which allauth counts failed sign-ins and keeps used codes. Django's own code writes it."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
