from functools import cache
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from orgs.models.base import Timestamped
from orgs.roles import Role
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug


@cache
def time_zones() -> set[str]:
    """By their names. To find them takes a glance at each of some 600 files."""
    return available_timezones()


def validate_time_zone(name: str) -> None:
    if name not in time_zones():
        raise ValidationError("Choose a time zone such as Europe/Berlin.")


class Organization(Timestamped):
    """The tenant: everything else belongs to exactly one organization."""

    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, unique=True, validators=[validate_slug])
    time_zone = models.CharField(max_length=50, default="UTC", validators=[validate_time_zone])
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizations")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class FormerSlug(models.Model):
    """A slug that an organization had before; calls and pages that name it still find the organization."""

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
