from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from orgs.models.organization import Organization


class AuditEvent(models.Model):
    """Who did what to what, when and from where; it outlives the user and the subject."""

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
