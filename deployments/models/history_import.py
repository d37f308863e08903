"""Histories that were imported from files, and uploaded files with their import's progress."""

from django.db import models
from django.utils import timezone

from deployments.models.deployment import Deployment, Target
from orgs.models import Environment, Organization, User

MAX_FILE_NAME_LENGTH = 200


class HistoryImport(models.Model):
    """A file was imported into a target's history, or replaced it.

    Undoing it needs no column of the deploys. Those that it brought are the target's from ``first_deploy_id`` to
    ``last_deploy_id``, since nobody else stores one there meanwhile. Those that it replaced are the target's that were
    deleted at the moment ``created_at``, to the microsecond.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="imports", db_index=False)
    imported_by = models.CharField(max_length=300, help_text="A person's address, or a token's name.")
    file_name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True)
    deploy_count = models.PositiveIntegerField()
    duplicate_count = models.PositiveIntegerField(help_text="Rows that say what another says already.")
    unsuccessful_count = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Rows of deploys that did not succeed."
    )
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


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", "Uploaded"
    WAITING = "waiting", "Waiting for the worker"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


STARTABLE = (ImportState.UPLOADED, ImportState.FAILED, ImportState.CANCELLED)
UNFINISHED = (ImportState.WAITING, ImportState.RUNNING)


class ImportDraft(models.Model):
    """An uploaded file, which somebody looks at before the worker imports it.

    It is in the database, since the web server that shows it need not be the one that it was sent to, and the worker is
    another process. Its ``user`` uploaded it, or confirmed its import from ``address``.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True)
    replaces = models.BooleanField(default=False, help_text="Whether it replaces the history or only adds to it.")
    byte_count = models.PositiveBigIntegerField()
    line_count = models.PositiveIntegerField(default=0, help_text="Line breaks: at least as many as rows.")
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    address = models.GenericIPAddressField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Why the import failed, for its member.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has started the import.")
    leased_until = models.DateTimeField(
        null=True, blank=True, help_text="When a running import counts as abandoned by its worker."
    )
    read_count = models.PositiveIntegerField(default=0, help_text="Rows.")
    deploy_count = models.PositiveIntegerField(null=True, blank=True, help_text="Known once all rows are checked.")
    stored_count = models.PositiveIntegerField(default=0, help_text="Deploys.")
    history_import = models.ForeignKey(
        HistoryImport, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Once it is done."
    )
    # The index is for the clean-up.
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_abandoned(self) -> bool:
        """Whether its worker has been killed, as far as one can tell."""
        return self.leased_until is not None and self.leased_until < timezone.now()

    @property
    def rows_expected(self) -> int:
        """Without the first line, which names the columns."""
        return max(self.line_count - 1, self.read_count)

    @property
    def duplicate_count(self) -> int:
        return self.read_count - (self.deploy_count or 0)


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
