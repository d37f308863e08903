"""The request log, and the answers that repeated calls get again."""

from typing import Any

from django.db import models
from django.utils import timezone

from deployments.models.deploy import Deploy, optional_text
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


# The outcomes that need somebody's attention.
REJECTED_OUTCOMES = (Outcome.REJECTED, Outcome.UNAUTHORIZED, Outcome.RATE_LIMITED, Outcome.FAILED)


class Call(models.Model):
    """One line of the request log: a call to a registration endpoint whose path or token names an organization.

    ``deployment_slug`` or ``project_slug`` is the slug in the path, whether or not it exists. ``body`` has its
    credentials redacted. It is cut after MAX_BODY_BYTES_KEPT, and empty if the log had fallen behind;
    ``body_bytes`` is the length of what was sent. ``duration`` is in milliseconds.

    The log's writer inserts by a statement of its own, so a new column is nullable or has a ``db_default``, as in
    Deploy.
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
    token_name = optional_text(100)
    replay_of: Any = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replays", db_index=False
    )
    kind = optional_text(40, "The endpoint: register-deploy, …")
    request_id = models.CharField(max_length=64)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=MAX_PATH_LENGTH)
    deployment_slug = optional_text(100)
    project_slug = optional_text(100)
    content_type = optional_text(200)
    body = models.TextField(blank=True, default="", db_default="")
    body_bytes = models.PositiveIntegerField(default=0, db_default=0)
    status = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    answer = optional_text(500)
    explanation = optional_text(300, "What the answer left out, because the caller may be a stranger.")
    sent = optional_text(200, "What it sent, in short: abc1234 to production.")
    dropped = optional_text(500, "What of the call was cut, cleaned or left out.")
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = optional_text(200)
    duration = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        indexes = (
            # The request log's page.
            models.Index(fields=("organization", "-id"), name="call_by_organization"),
            # The same, filtered: few calls are rejected.
            models.Index(fields=("organization", "outcome", "-id"), name="call_by_outcome"),
            # A deployment's calls: its page, and how many were rejected today.
            models.Index(fields=("deployment", "-id"), name="call_by_deployment"),
            # The request on a deploy's page; foreign keys also look it up when a deploy is deleted for good.
            models.Index(fields=("deploy",), name="call_by_deploy", condition=models.Q(deploy__isnull=False)),
            # The same for a manual change.
            models.Index(
                fields=("manual_change",),
                name="call_by_manual_change",
                condition=models.Q(manual_change__isnull=False),
            ),
            # Whether a call was replayed; foreign keys also look it up when the log is pruned.
            models.Index(fields=("replay_of",), name="call_by_replay", condition=models.Q(replay_of__isnull=False)),
            # An X-Request-Id from a CI log.
            models.Index(fields=("organization", "request_id"), name="call_by_request_id"),
            # The daily clean-up, and the count of today's calls.
            models.Index(fields=("created_at",), name="call_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status}"

    @property
    def named_slug(self) -> str:
        """The slug in the path: of a deployment or a project, or project/environment/source for an impact."""
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
        """Neither its path nor its body was cut. The log keeps no imported files."""
        return not self.body_was_cut and len(self.path) < MAX_PATH_LENGTH and self.kind != IMPORT_KIND

    @property
    def can_be_replayed(self) -> bool:
        """It is whole, names a deployment that exists, and was not a dry run. Calls logged by earlier versions have
        no kind."""
        return bool(self.kind) and self.is_whole and self.deployment_id is not None and self.outcome != Outcome.DRY_RUN


class IdempotencyKey(models.Model):
    """A caller's ``Idempotency-Key`` and the answer it got, so that a repeated call gets the same one.

    Accepted calls and duplicates are remembered, since either would be answered differently the second time. A call
    that was rejected for another reason stored nothing: the caller may correct it and send it again.
    """

    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="+", db_index=False)
    called = models.CharField(max_length=60, help_text="The endpoint, and the id of the deployment or project.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the fields of the call.")
    answer = models.JSONField(default=dict, help_text="headers and body, or duplicate and deploy_id.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "called", "key"), name="idempotency_key_unique_in_token_and_call"),
        )
        # The hourly clean-up.
        indexes = (models.Index(fields=("created_at",), name="idempotency_key_by_age"),)

    def __str__(self) -> str:
        return self.key
