"""Histories that were imported from files, and files that wait for somebody to say so."""

from django.db import models
from django.utils import timezone

from deployments.models.deployment import Deployment, Target
from orgs.models import Environment, Organization, User

MAX_FILE_NAME_LENGTH = 200


class HistoryImport(models.Model):
    """A target's history was replaced by that of a file.

    It is undone by what the deploys say themselves, so no deploy carries a column for it: those that it brought are the
    target's from ``first_deploy_id`` to ``last_deploy_id``, since nobody else stores one there meanwhile; those that it
    replaced are the target's that were deleted at the moment ``created_at``, to the microsecond.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="imports", db_index=False)
    imported_by = models.CharField(max_length=300, help_text="A person's address, or a token's name.")
    file_name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True)
    deploy_count = models.PositiveIntegerField()
    duplicate_count = models.PositiveIntegerField(help_text="Rows that say what another says already.")
    replaced_count = models.PositiveIntegerField()
    first_deploy_id = models.BigIntegerField()
    last_deploy_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "import"
        ordering = ("-id",)
        indexes = (
            # The imports of a deployment, and which of a target is the latest.
            models.Index(fields=("target", "-id"), name="import_by_target"),
            # The clean-up, and what foreign keys look up when an organization is deleted for good.
            models.Index(fields=("created_at",), name="import_by_age"),
            models.Index(fields=("organization",), name="import_by_organization"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(first_deploy_id__lte=models.F("last_deploy_id")), name="import_brought_a_deploy"
            ),
        )

    def __str__(self) -> str:
        return f"{self.target}"


class ImportDraft(models.Model):
    """An uploaded file whose import somebody looks at before it is done.

    In the database, since the web server that shows it need not be the one that it was sent to.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True)
    byte_count = models.PositiveBigIntegerField()
    # The index is for the clean-up.
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.file_name


class DraftChunk(models.Model):
    """A piece of the file, compressed with zlib."""

    draft = models.ForeignKey(ImportDraft, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ("draft", "number")
        # Also finds the pieces of a draft.
        constraints = (models.UniqueConstraint(fields=("draft", "number"), name="chunk_once_in_a_draft"),)

    def __str__(self) -> str:
        return f"{self.draft} #{self.number}"
