from django.db import models
from django.utils import timezone

from orgs.models import Organization


class IdempotencyKey(models.Model):
    """A caller's ``Idempotency-Key`` and the answer it got, so that a repeated call gets the same one.

    Only calls that were accepted are remembered: a rejected call stored nothing and may be corrected and sent again.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the call's path, query and body.")
    answer = models.JSONField(default=dict, help_text="status, headers and body.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "key"), name="idempotency_key_unique_in_organization"),
        )
        # The hourly clean-up.
        indexes = (models.Index(fields=("created_at",), name="idempotency_key_by_age"),)

    def __str__(self) -> str:
        return self.key
