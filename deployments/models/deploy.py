from typing import Any

from django.db import models

from deployments.models.deployment import Deployment, Target
from deployments.models.keys import CompositeForeignKey
from orgs.models import ActiveManager, Environment, Organization, Project, Timestamped
from tokens.models import AccessToken

MAX_SHA_LENGTH = 255
MAX_VERSION_LENGTH = 70
MAX_BRANCH_LENGTH = 255
MAX_EMAIL_LENGTH = 254
MAX_NAME_LENGTH = 255
MAX_TITLE_LENGTH = 255
MAX_EXTERNAL_ID_LENGTH = 255


def optional_text(max_length: int, help_text: str = "") -> "models.CharField[str, str]":
    """Empty by default, for instances and in the database (see Deploy)."""
    return models.CharField(max_length=max_length, blank=True, default="", db_default="", help_text=help_text)


# Two composite keys hold these columns (see the constraints).
OF_ITS_TARGET: Any = {
    "on_delete": models.CASCADE,
    "related_name": "deploys",
    "db_index": False,
    "db_constraint": False,
}


class Status(models.TextChoices):
    """How far a deploy got. Only one that succeeded was ever live; the others are history without effect."""

    STARTED = "started", "Started"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class SucceededManager(ActiveManager["Deploy"]):
    """The deploys that were live at some time: duplicates, rollbacks and what is live follow from these alone."""

    def get_queryset(self) -> "models.QuerySet[Deploy]":
        return super().get_queryset().filter(status=Status.SUCCEEDED)


class Health(models.TextChoices):
    HEALTHY = "healthy", "Healthy"
    AILING = "ailing", "Ailing"
    UNHEALTHY = "unhealthy", "Unhealthy"


class Deploy(Timestamped):
    """One registered event: this sha went live in this target at ``deployed_at``, or was about to (``status``).

    The history of a target is ordered by (``deployed_at``, ``id``). The row carries what lists and metrics need, with a
    copy of what its target belongs to, which foreign keys hold to the target's. What only the page of one deploy
    needs is in Commit, ChangedFile, PullRequest and Link.

    Registrations and imports insert by statements of their own, which name only what they have a value for: a new
    column is nullable or has a ``db_default``, and the same as its ``default`` for instances that are not saved yet.
    """

    organization = models.ForeignKey(Organization, **OF_ITS_TARGET)
    project = models.ForeignKey(Project, **OF_ITS_TARGET)
    deployment = models.ForeignKey(Deployment, **OF_ITS_TARGET)
    environment = models.ForeignKey(Environment, **OF_ITS_TARGET)
    target = models.ForeignKey(Target, **OF_ITS_TARGET)
    token = models.ForeignKey(
        AccessToken, null=True, blank=True, on_delete=models.SET_NULL, related_name="deploys", db_index=False
    )
    sha = models.CharField(max_length=MAX_SHA_LENGTH, help_text="A commit, a git tag or an image tag.")
    version = optional_text(MAX_VERSION_LENGTH, "The team's name for it: v1.4.2, build-456.")
    branch = optional_text(MAX_BRANCH_LENGTH)
    deployed_at = models.DateTimeField()
    status = models.CharField(
        max_length=10, choices=Status, default=Status.SUCCEEDED, db_default=Status.SUCCEEDED.value
    )
    # Looked up among the deploys of one sha in one target, which an index finds.
    external_id = optional_text(MAX_EXTERNAL_ID_LENGTH, "What the caller calls this deploy.")
    title = optional_text(MAX_TITLE_LENGTH, "First line of the newest commit.")
    author_name = optional_text(MAX_NAME_LENGTH)
    author_email = optional_text(MAX_EMAIL_LENGTH)
    first_commit_at = models.DateTimeField(null=True, blank=True)
    lead_time = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Seconds from the first commit to the deploy. Empty if no commit is known or all are dated later.",
    )
    commit_count = models.PositiveIntegerField(default=0, db_default=0)
    file_count = models.PositiveIntegerField(default=0, db_default=0)
    pull_request_count = models.PositiveIntegerField(default=0, db_default=0)
    additions = models.PositiveBigIntegerField(default=0, db_default=0)
    deletions = models.PositiveBigIntegerField(default=0, db_default=0)
    restores = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="restored_by",
        db_index=False,
        help_text="The earlier deploy of the same sha in this target. If it is set, this deploy is a rollback.",
    )
    rolled_back_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="rolled_back",
        db_index=False,
        help_text="The first rollback that undid this deploy.",
    )
    # Null: nobody has judged it.
    health_set = models.CharField(  # noqa: DJ001 - see above
        "health", max_length=10, null=True, blank=True, choices=Health, help_text="As a person or a client judged it."
    )
    health_set_by = models.CharField(  # noqa: DJ001 - see above
        max_length=254,
        null=True,
        blank=True,
        help_text="A user's address or a token's name, kept after the user or the token is deleted.",
    )
    health_set_at = models.DateTimeField(null=True, blank=True)
    call_digest = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text="Of the bytes of its call, unless that had an Idempotency-Key."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    # The sha of the deploy before it in its target: no column, but an annotation of registration.representation.
    previous_sha: str | None

    objects = ActiveManager()
    succeeded = SucceededManager()
    all_objects = models.Manager()

    class Meta:
        ordering = ("-deployed_at", "-id")
        indexes = (
            # The timeline of an organization; the operator's list of deploys.
            models.Index(fields=("organization", "-deployed_at", "-id"), name="deploy_by_organization"),
            # The timelines of a project, a deployment and an environment.
            models.Index(fields=("project", "-deployed_at", "-id"), name="deploy_by_project"),
            models.Index(fields=("deployment", "-deployed_at", "-id"), name="deploy_by_deployment"),
            models.Index(fields=("environment", "-deployed_at", "-id"), name="deploy_by_environment"),
            # The history of a target, and a new deploy's position in it.
            models.Index(fields=("target", "-deployed_at", "-id"), name="deploy_by_target"),
            # Whether a sha was here before: duplicates and rollbacks.
            models.Index(fields=("target", "sha"), name="deploy_by_sha"),
            # Where in the organization a commit is deployed, by the beginning of its hash.
            models.Index(fields=("organization", "sha"), name="deploy_by_organization_sha"),
            # What a rollback undid; foreign keys also look it up when a deploy is deleted. The condition is written as
            # IS NOT NULL, since SQLite does not use an index whose condition is NOT (… IS NULL).
            models.Index(fields=("restores",), name="deploy_by_restores", condition=models.Q(restores__isnull=False)),
            models.Index(
                fields=("rolled_back_by",),
                name="deploy_by_rolled_back_by",
                condition=models.Q(rolled_back_by__isnull=False),
            ),
            # What an import replaced: for its undo, and for the clean-up after it.
            models.Index(
                fields=("target", "deleted_at"),
                name="deploy_by_deletion",
                condition=models.Q(deleted_at__isnull=False),
            ),
        )
        constraints = (
            # Of an import, the five keys that these two replace took a third of the time.
            CompositeForeignKey(
                columns=("target_id", "deployment_id", "environment_id"),
                references="deployments_target (id, deployment_id, environment_id)",
                name="deploy_in_target",
            ),
            CompositeForeignKey(
                columns=("deployment_id", "project_id", "organization_id"),
                references="deployments_deployment (id, project_id, organization_id)",
                name="deploy_in_project",
            ),
            models.CheckConstraint(condition=~models.Q(sha=""), name="deploy_has_a_sha"),
            models.CheckConstraint(condition=models.Q(lead_time__gte=0), name="deploy_lead_time_not_negative"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="deploy_status_is_known"),
            models.CheckConstraint(
                condition=models.Q(health_set=None, health_set_by=None, health_set_at=None)
                | models.Q(health_set__in=Health.values, health_set_by__isnull=False, health_set_at__isnull=False),
                name="deploy_health_is_known_with_who_and_when",
            ),
        )

    def __str__(self) -> str:
        return self.sha

    @property
    def has_succeeded(self) -> bool:
        return self.status == Status.SUCCEEDED

    @property
    def is_rollback(self) -> bool:
        return self.restores_id is not None

    @property
    def is_rolled_back(self) -> bool:
        return self.rolled_back_by_id is not None
