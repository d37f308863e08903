from django.core.validators import RegexValidator
from django.db import models

from orgs.models.base import ActiveManager, Timestamped
from orgs.models.organization import Organization
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug

DEFAULT_COLOUR = "#64748b"

validate_colour = RegexValidator(r"\A#[0-9a-f]{6}\Z", "Write the colour as # and six hexadecimal digits.")


class Project(Timestamped):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, validators=[validate_slug])
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ActiveManager()
    all_objects = models.Manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "slug"),
                condition=models.Q(deleted_at=None),
                name="project_slug_unique_in_organization",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Environment(Timestamped):
    """Where deploys go: production, staging, …; ordered by ``position`` along the promotion path."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="environments")
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, validators=[validate_slug])
    description = models.CharField(max_length=500, blank=True)
    colour = models.CharField(max_length=7, default=DEFAULT_COLOUR, validators=[validate_colour])
    position = models.PositiveSmallIntegerField(default=0)
    # A default environment is deleted only together with its project, which gets it back when it is restored.
    is_default = models.BooleanField("default", default=False, help_text="Where deploys go that name no environment.")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ActiveManager()
    all_objects = models.Manager()

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
        )

    def __str__(self) -> str:
        return self.name
