from typing import TypeVar

from django.db import models
from django.utils import timezone


class Timestamped(models.Model):
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=models.Model)


class ActiveManager(models.Manager[Row]):
    """The rows that nobody deleted. ``everything`` of the model also gives those, for undo and for history."""

    def get_queryset(self) -> models.QuerySet[Row]:
        return super().get_queryset().filter(deleted_at=None)
