from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from deployments.models import IdempotencyKey


@shared_task
def delete_expired_idempotency_keys() -> int:
    """How many keys were deleted."""
    oldest = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=oldest).delete()
    return deleted
