from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from deployments.imports.drafts import forget_old_drafts
from deployments.imports.importing import forget_imports_beyond_undo
from deployments.imports.jobs import run_due_imports
from deployments.models import Call, IdempotencyKey
from deployments.registration.idempotency import BY_BYTES
from deployments.registration.store import REPEATED_WITHIN
from orgs.deletion import delete_ended_environments as delete_environments_that_ended
from orgs.models import SignInFact
from tokens import services as token_services

SLICE = 500


@shared_task
def delete_expired_idempotency_keys() -> int:
    """How many keys were deleted."""
    now = timezone.now()
    expired = Q(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS))
    by_bytes = Q(called__endswith=BY_BYTES, created_at__lt=now - REPEATED_WITHIN)
    deleted, _ = IdempotencyKey.objects.filter(expired | by_bytes).delete()
    return deleted


@shared_task
def delete_old_calls() -> int:
    """How many lines of the request log were deleted; in slices, so that no lock is held for long."""
    oldest = timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS)
    total = 0
    while ids := list(Call.objects.filter(created_at__lt=oldest).values_list("id", flat=True)[:SLICE]):
        total += Call.objects.filter(id__in=ids).delete()[0]
    return total


@shared_task
def delete_replaced_deploys() -> int:
    """How many deploys were deleted for good, which an import replaced so long ago that it cannot be undone."""
    return forget_imports_beyond_undo(batch=SLICE)


@shared_task
def delete_old_import_drafts() -> int:
    """How many uploaded files were deleted."""
    return forget_old_drafts()


@shared_task
def run_imports() -> int:
    """How many imports were started that members had confirmed, or that another worker had left unfinished."""
    return run_due_imports()


@shared_task
def delete_ended_sessions() -> int:
    """How many sessions were deleted that nobody can use any more. Facts about signing in that expired go with them."""
    now = timezone.now()
    SignInFact.objects.filter(expires__lt=now).delete()
    return Session.objects.filter(expire_date__lt=now).delete()[0]


@shared_task
def delete_ended_environments() -> int:
    """How many short-lived environments were deleted. People can restore them."""
    return delete_environments_that_ended(now=timezone.now())


@shared_task
def delete_ended_secrets() -> int:
    """How many former secrets of access tokens were deleted."""
    return token_services.delete_ended_secrets()
