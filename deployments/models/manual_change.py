from django.conf import settings
from django.db import models

from deployments.models.deploy import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH
from orgs.models import ActiveManager, Environment, Organization, Project, Timestamped
from tokens.models import AccessToken

MAX_DESCRIPTION_LENGTH = 10_000
MAX_TAGS_LENGTH = 5_200


class ManualChange(Timestamped):
    """A change without code in an environment: a flag that was turned, a key that was rotated.

    Lists are ordered by (``changed_at``, ``id``). ``tags`` are without their ``#`` and separated by commas: lists
    filter by them and show them, so they are in the row. ``links`` are pairs of name and address in the order in which
    they were sent.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="manual_changes", db_index=False
    )
    # Deleting a project or an environment for good must not delete history.
    project = models.ForeignKey(Project, on_delete=models.RESTRICT, related_name="manual_changes", db_index=False)
    environment = models.ForeignKey(
        Environment, on_delete=models.RESTRICT, related_name="manual_changes", db_index=False
    )
    token = models.ForeignKey(AccessToken, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    description = models.TextField(max_length=MAX_DESCRIPTION_LENGTH, blank=True)
    author_email = models.CharField(max_length=MAX_EMAIL_LENGTH, blank=True, help_text="Who made the change.")
    user_email = models.CharField(max_length=MAX_EMAIL_LENGTH, blank=True, help_text="The project's user it is for.")
    tags = models.CharField(max_length=MAX_TAGS_LENGTH, blank=True)
    links = models.JSONField(default=list, blank=True, help_text="Pairs of name and address.")
    changed_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ActiveManager()
    all_objects = models.Manager()

    class Meta:
        ordering = ("-changed_at", "-id")
        indexes = (
            # The timeline of an organization, and the list of its manual changes.
            models.Index(fields=("organization", "-changed_at", "-id"), name="manual_change_by_organization"),
            # The timelines of a project and an environment; foreign keys also look them up.
            models.Index(fields=("project", "-changed_at", "-id"), name="manual_change_by_project"),
            models.Index(fields=("environment", "-changed_at", "-id"), name="manual_change_by_environment"),
        )
        constraints = (
            models.CheckConstraint(condition=~models.Q(name=""), name="manual_change_has_a_name"),
            models.CheckConstraint(
                condition=models.Q(token=None) | models.Q(registered_by=None), name="manual_change_by_token_or_member"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tag_list(self) -> list[str]:
        return self.tags.split(",") if self.tags else []
