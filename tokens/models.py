from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from orgs.models import Environment, Organization, Timestamped


class AccessToken(Timestamped):
    """How a machine authenticates. The secret is shown once and never stored.

    A token may be limited to some deployments (``Deployment.tokens``) or environments. The flags say so, since a
    limited token whose last deployment was deleted may do nothing, and not everything.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=20, editable=False)
    scopes = models.CharField(
        max_length=100,
        help_text="REGISTER_DEPLOY, IMPORT_DEPLOYS, REGISTER_IMPACT, READ or ALL; commas between several.",
    )
    limited_to_deployments = models.BooleanField(default=False)
    limited_to_environments = models.BooleanField(default=False)
    environments = models.ManyToManyField(Environment, blank=True, related_name="tokens")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_address = models.GenericIPAddressField(null=True, blank=True, editable=False)
    last_used_agent = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ("organization", "name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "name"),
                condition=models.Q(revoked_at=None),
                name="token_name_unique_among_unrevoked",
                violation_error_message="There is another access token of this name: revoke it or choose another name.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def scope_list(self) -> list[str]:
        return self.scopes.split(",")

    def state(self, now: datetime | None = None) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= (now or timezone.now()):
            return "expired"
        return "active"


class RetiredSecret(models.Model):
    """The secret of a token before it was rotated. It is accepted until ``works_until``."""

    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="retired_secrets")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=20, editable=False)
    retired_at = models.DateTimeField(default=timezone.now)
    works_until = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_address = models.GenericIPAddressField(null=True, blank=True, editable=False)
    last_used_agent = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ("-retired_at",)

    def __str__(self) -> str:
        return self.hint
