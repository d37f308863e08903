from django.db import models
from django.utils import timezone

from tokens.models import AccessToken


class IdempotencyKey(models.Model):
    """A caller's ``Idempotency-Key`` and the answer it got, so that a repeated call gets the same one.

    Calls that were accepted are remembered, and duplicates, which would be something else later. A call that was
    refused for another reason stored nothing and may be corrected and sent again.
    """

    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="+", db_index=False)
    called = models.CharField(max_length=60, help_text="The endpoint, and the id of the deployment or project.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the call's fields.")
    answer = models.JSONField(default=dict, help_text="headers and body, or the duplicate and its deploy_id.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "called", "key"), name="idempotency_key_unique_in_token_and_call"),
        )
        # The hourly clean-up.
        indexes = (models.Index(fields=("created_at",), name="idempotency_key_by_age"),)

    def __str__(self) -> str:
        return self.key
