"""What a deploy brought: rows that only the page of one deploy reads, in the order in which the caller sent them."""

from django.db import models

from deployments.models.deploy import (
    MAX_BRANCH_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SHA_LENGTH,
    Deploy,
    optional_text,
)

MAX_URL_LENGTH = 2000
MAX_PATH_LENGTH = 4096
MAX_TAG_LENGTH = 50


class Tag(models.Model):
    """A tag without its leading ``#``. ``rollback`` and ``rolled_back`` are not stored: they follow from the deploy."""

    deploy = models.ForeignKey(Deploy, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=MAX_TAG_LENGTH)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("deploy", "name"), name="tag_once_on_a_deploy"),)

    def __str__(self) -> str:
        return f"#{self.name}"


class Link(models.Model):
    deploy = models.ForeignKey(Deploy, on_delete=models.CASCADE, related_name="links")
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    url = models.CharField(max_length=MAX_URL_LENGTH)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Commit(models.Model):
    deploy = models.ForeignKey(Deploy, on_delete=models.CASCADE, related_name="commits")
    revision = models.CharField(max_length=MAX_SHA_LENGTH)
    message = models.TextField(blank=True)
    author_name = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    author_email = models.CharField(max_length=MAX_EMAIL_LENGTH, blank=True)
    author_username = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    committed_at = models.DateTimeField(null=True, blank=True)
    url = models.CharField(max_length=MAX_URL_LENGTH, blank=True)
    files = models.JSONField(default=list, blank=True, help_text="Paths.")
    parents = models.JSONField(default=list, blank=True, help_text="Revisions; the Sleuth CLI sends all ancestors.")

    class Meta:
        ordering = ("id",)
        indexes = (
            # Where a commit is deployed, by the beginning of its hash.
            models.Index(fields=("revision",), name="commit_by_revision"),
        )

    def __str__(self) -> str:
        return self.revision


class ChangedFile(models.Model):
    """Inserted by a statement of its own, so a new column is nullable or has a ``db_default``, as in Deploy."""

    deploy = models.ForeignKey(Deploy, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=MAX_PATH_LENGTH)
    additions = models.PositiveIntegerField(default=0, db_default=0)
    deletions = models.PositiveIntegerField(default=0, db_default=0)
    url = optional_text(MAX_URL_LENGTH)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.path


class PullRequest(models.Model):
    deploy = models.ForeignKey(Deploy, on_delete=models.CASCADE, related_name="pull_requests")
    number = models.CharField(max_length=50)
    title = models.CharField(max_length=1000, blank=True)
    url = models.CharField(max_length=MAX_URL_LENGTH, blank=True)
    branch = models.CharField(max_length=MAX_BRANCH_LENGTH, blank=True)
    author = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    first_reviewed_at = models.DateTimeField(null=True, blank=True)
    merged_at = models.DateTimeField(null=True, blank=True)
    issue_keys = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"#{self.number}"
