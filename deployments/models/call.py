from django.db import models
from django.utils import timezone

from deployments.models.deploy import Deploy
from deployments.models.deployment import Deployment
from deployments.models.manual_change import ManualChange
from orgs.models import Organization
from tokens.models import AccessToken

MAX_BODY_BYTES_KEPT = 64 * 1024
MAX_PATH_LENGTH = 500
IMPACT_KINDS = ("register-metric", "register-incident")
IMPORT_KIND = "import-deploys"


class Outcome(models.TextChoices):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    DRY_RUN = "dry_run", "Dry run"
    REJECTED = "rejected"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited", "Rate-limited"
    FAILED = "failed", "Failed on our side"


# What somebody has to do something about.
REJECTED_OUTCOMES = (Outcome.REJECTED, Outcome.UNAUTHORIZED, Outcome.RATE_LIMITED, Outcome.FAILED)


class Call(models.Model):
    """One line of the request log: a call to a registration endpoint whose path or token names an organization.

    ``deployment_slug`` or ``project_slug`` is what the path names in it, whether or not there is such a one.
    ``body`` has its credentials blotted out and is cut, or empty where the log had fallen behind; ``body_bytes`` is its
    whole length. ``duration`` is in milliseconds.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="calls", db_index=False)
    deployment = models.ForeignKey(
        Deployment, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls", db_index=False
    )
    deploy = models.ForeignKey(
        Deploy, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls", db_index=False
    )
    manual_change = models.ForeignKey(
        ManualChange, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls", db_index=False
    )
    token = models.ForeignKey(
        AccessToken, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    token_name = models.CharField(max_length=100, blank=True)
    kind = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="The endpoint: register-deploy, …"
    )
    request_id = models.CharField(max_length=64)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=MAX_PATH_LENGTH)
    deployment_slug = models.CharField(max_length=100, blank=True)
    project_slug = models.CharField(max_length=100, blank=True)
    content_type = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    body_bytes = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    answer = models.CharField(max_length=500, blank=True)
    explanation = models.CharField(
        max_length=300, blank=True, help_text="What the caller was not told, because it may be a stranger."
    )
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    duration = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        indexes = (
            # The request log's page.
            models.Index(fields=("organization", "-id"), name="call_by_organization"),
            # The same, filtered: what was turned away is rare among what was accepted.
            models.Index(fields=("organization", "outcome", "-id"), name="call_by_outcome"),
            # A deployment's calls: its page, and what it had turned away today.
            models.Index(fields=("deployment", "-id"), name="call_by_deployment"),
            # The request of a deploy's page; also what foreign keys look up when a deploy is deleted for good.
            models.Index(fields=("deploy",), name="call_by_deploy", condition=models.Q(deploy__isnull=False)),
            # The same of a manual change.
            models.Index(
                fields=("manual_change",),
                name="call_by_manual_change",
                condition=models.Q(manual_change__isnull=False),
            ),
            # An X-Request-Id from a CI log.
            models.Index(fields=("organization", "request_id"), name="call_by_request_id"),
            # The daily clean-up, and today's count.
            models.Index(fields=("created_at",), name="call_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status}"

    @property
    def named_slug(self) -> str:
        """What the path names: a deployment, a project, or an impact source behind its project and environment."""
        if self.kind in IMPACT_KINDS:
            before = self.path.partition("/register")[0]
            return before.split("/", 5 if self.project_slug else 3)[-1]
        return self.deployment_slug or self.project_slug

    @property
    def was_rejected(self) -> bool:
        return self.outcome in REJECTED_OUTCOMES

    @property
    def body_was_cut(self) -> bool:
        return self.body_bytes > (MAX_BODY_BYTES_KEPT if self.body else 0)

    @property
    def is_whole(self) -> bool:
        """Nothing of it was cut. Imported files are not kept."""
        return not self.body_was_cut and len(self.path) < MAX_PATH_LENGTH and self.kind != IMPORT_KIND

    @property
    def can_be_replayed(self) -> bool:
        """It is whole, of a deployment that is known, and was meant to store something."""
        return self.is_whole and self.deployment_id is not None and self.outcome != Outcome.DRY_RUN
