import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from pathspec import GitIgnoreSpec

from orgs.models import ActiveManager, Environment, Organization, Project, Timestamped
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug
from tokens.models import AccessToken

# The addresses that git accepts: https://git-scm.com/docs/git-clone#_git_urls
GIT_URL = URLValidator(schemes=["http", "https", "ssh", "git"])
# Django accepts no host without a dot except localhost, but private networks have them. A number is not a name.
ONE_LABEL_HOST = re.compile(
    r"(?:https?|ssh|git)://(?:[^\s:@/?#\\]+@)?"
    rf"(?![0-9]+(?:[:/?#]|\Z)){URLValidator.hostname_re}"
    r"(?::[0-9]{1,5})?(?:[/?#][^\s\x00-\x1f\x7f]*)?",
    re.IGNORECASE,
)
SCP_LIKE = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:(?!//)[^\s\x00-\x1f\x7f]+")


def validate_repository_url(value: str) -> None:
    try:
        address = urlsplit(value)
        has_password = address.password is not None
        if not (has_password or SCP_LIKE.fullmatch(value) or ONE_LABEL_HOST.fullmatch(value)):
            GIT_URL(value)
    except (ValidationError, ValueError):
        raise ValidationError("Write an http, https, ssh or git address, or one as git@host:owner/repo.git.") from None
    if has_password:
        raise ValidationError("Write the address without the password: every member could read it.")
    if address.username and address.scheme.lower() in ("http", "https") and not is_azure_organization(address):
        # Access tokens of GitHub are written as the user alone.
        raise ValidationError("Write the address without the user before the @: every member could read it.")


def is_azure_organization(address: SplitResult) -> bool:
    """Azure DevOps offers https://organization@dev.azure.com/organization/project/_git/name."""
    first = address.path.split("/")[1:2]
    return address.hostname == "dev.azure.com" and first == [address.username]


MOST_STARS = 3


def validate_path_patterns(patterns: list[str]) -> None:
    """As in a .gitignore file. Raises ValidationError, which numbers the patterns as lines.

    Each * makes matching a long path take many times as long.
    """
    for number, pattern in enumerate(patterns, start=1):
        if pattern.count("**") > MOST_STARS or any(part.count("*") > MOST_STARS for part in pattern.split("/")):
            raise ValidationError(
                f"Line {number}: write at most {MOST_STARS} * between two slashes, and at most {MOST_STARS} ** in all."
            )
        try:
            (compiled,) = GitIgnoreSpec.from_lines([pattern]).patterns
        except (ValueError, re.error):
            raise ValidationError(
                f"Line {number} is no pattern: write one as in a .gitignore file, such as services/checkout/**."
            ) from None
        if compiled.include is None:
            raise ValidationError(f"Line {number} is empty or a comment: write the pattern of a path, or \\# for a #.")


class Provider(models.TextChoices):
    CUSTOM = "custom", "Custom Git"
    GITHUB = "github", "GitHub"
    GITLAB = "gitlab", "GitLab"
    BITBUCKET = "bitbucket", "Bitbucket"
    AZURE = "azure", "Azure DevOps"


class Deployment(Timestamped):
    """A code deployment: what gets deployed, a repository or some of its paths."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="deployments")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deployments")
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, validators=[validate_slug])
    repository_provider = models.CharField(max_length=20, choices=Provider, default=Provider.CUSTOM)
    repository_url = models.CharField(max_length=500, blank=True, validators=[validate_repository_url])
    path_includes = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_path_patterns],
        help_text="Patterns of the paths that belong to it. Empty: all paths.",
    )
    path_excludes = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_path_patterns],
        help_text="Patterns of the paths that do not belong to it.",
    )
    records_redeploys = models.BooleanField(
        default=False, db_default=False, help_text="Whether deploys of what is live already are recorded, too."
    )
    tokens = models.ManyToManyField(AccessToken, blank=True, related_name="deployments", editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ActiveManager()
    all_objects = models.Manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            # Also finds the deployment that a registration names.
            models.UniqueConstraint(
                fields=("organization", "slug"),
                condition=models.Q(deleted_at=None),
                name="deployment_slug_unique_in_organization",
            ),
            # What deploys refer to.
            models.UniqueConstraint(fields=("id", "project", "organization"), name="deployment_in_its_project"),
            models.CheckConstraint(
                condition=models.Q(repository_provider__in=Provider.values), name="deployment_provider_is_known"
            ),
        )

    def __str__(self) -> str:
        return self.name


class BranchMatch(models.TextChoices):
    ANY = "any", "any branch"
    EXACT = "exact", "this branch"
    PREFIX = "prefix", "branches with this prefix"


class Target(Timestamped):
    """A deployment in an environment. The lock of its row puts registrations there in order.

    The row exists once the pair has a branch mapping or a deploy.
    """

    # Found by the constraint below.
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="targets", db_index=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="targets")
    branch_match = models.CharField(max_length=10, choices=BranchMatch, default=BranchMatch.ANY)
    branch = models.CharField(max_length=255, blank=True)
    # The newest deploy of this target. No constraint enforces that; manage.py check_history finds where it is wrong.
    # Without an index, PostgreSQL changes the row in place (a heap-only tuple). With one, each deploy would add the
    # new version of the row to every index of the table.
    live_deploy: Any = models.ForeignKey(
        "deployments.Deploy", null=True, blank=True, on_delete=models.SET_NULL, related_name="live_in", db_index=False
    )

    class Meta:
        ordering = ("deployment", "environment")
        constraints = (
            models.UniqueConstraint(fields=("deployment", "environment"), name="target_once_a_deployment_environment"),
            # What deploys refer to.
            models.UniqueConstraint(fields=("id", "deployment", "environment"), name="target_of_its_deployment"),
            models.CheckConstraint(
                condition=models.Q(branch_match=BranchMatch.ANY, branch="")
                | (models.Q(branch_match__in=(BranchMatch.EXACT, BranchMatch.PREFIX)) & ~models.Q(branch="")),
                name="target_branch_fits_its_match",
            ),
        )

    def __str__(self) -> str:
        return f"{self.deployment} in {self.environment}"
