"""Code deployments and their targets are set up here; deploys and what they brought are facts, and only shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from deployments.admin import impacts as admin_impacts  # noqa: F401 - registers the models of impact sources
from deployments.models import (
    BranchMatch,
    Call,
    ChangedFile,
    Commit,
    Deploy,
    Deployment,
    DraftChunk,
    HistoryImport,
    IdempotencyKey,
    ImportDraft,
    Link,
    ManualChange,
    Provider,
    PullRequest,
    Tag,
    Target,
)
from deployments.setup import services
from deployments.setup.forms import RepositoryUrlField
from orgs.admin.base import FactAdmin, FactInline, LinesField, OperatorAdmin, change_link
from orgs.admin.organizations import SluggedForm, adopt

DEPLOYS = {"deploys": "deploys"}


class DeploymentForm(SluggedForm):
    repository_url = RepositoryUrlField(label="Repository URL", widget=AdminTextInputWidget)
    path_includes = LinesField(required=False, help_text="Patterns of the paths that belong to it, one to a line.")
    path_excludes = LinesField(required=False, help_text="Patterns of the paths that do not, one to a line.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        project, slug = cleaned.get("project"), cleaned.get("slug")
        if project and slug and project.organization.deployments.filter(slug=slug).exists():
            self.add_error("slug", f"{project.organization} has another deployment of this slug.")
        return cleaned


class TargetInline(FactInline):
    model = Target
    fields = readonly_fields = ("environment", "branches", "live_deploy")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Target]:
        return Target.objects.select_related("environment", "deployment", "live_deploy")

    @admin.display
    def branches(self, target: Target) -> str:
        return branch_words(target)


@admin.register(Deployment)
class DeploymentAdmin(OperatorAdmin):
    form = DeploymentForm
    fixed_fields = ("project", "slug")
    history = DEPLOYS
    # By its list, for projects of several organizations may have the same name.
    raw_id_fields = ("project",)
    inlines = (TargetInline,)
    fields = (
        "project",
        "name",
        "slug",
        "repository_provider",
        "repository_url",
        "path_includes",
        "path_excludes",
    )
    list_display = ("name", "slug", "project", "organization", "repository_provider", "repository_url")
    list_filter = (("organization", RelatedOnlyFieldListFilter), "repository_provider")
    list_select_related = ("project", "organization")
    search_fields = ("name", "slug", "repository_url", "project__slug", "organization__slug")

    def save_model(self, request: HttpRequest, obj: Deployment, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        deployment = services.create_deployment(
            project=obj.project,
            name=obj.name,
            slug=obj.slug,
            repository_provider=Provider(obj.repository_provider),
            repository_url=obj.repository_url,
            path_includes=obj.path_includes,
            path_excludes=obj.path_excludes,
        )
        adopt(obj, deployment)


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    """The branch as provisioning writes it: one field for the match and its text."""

    branch_mapping = forms.CharField(
        required=False,
        max_length=255,
        validators=[services.validate_branch_mapping],
        help_text="A branch, or a prefix where it ends in *. Empty: any branch.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["branch_mapping"] = mapping_text(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        deployment, environment = cleaned.get("deployment"), cleaned.get("environment")
        if deployment and environment and deployment.project_id != environment.project_id:
            self.add_error("environment", f"Choose an environment of {deployment.project}, where {deployment} belongs.")
        return cleaned


@admin.register(Target)
class TargetAdmin(OperatorAdmin):
    form = TargetForm
    fixed_fields = ("deployment", "environment")
    history = DEPLOYS
    fields = ("deployment", "environment", "branch_mapping", "live")
    readonly_fields = ("live",)
    # By their lists, for every project has its production.
    raw_id_fields = ("deployment", "environment")
    list_display = ("deployment", "environment", "organization", "branches", "live_deploy")
    list_filter = (("deployment__organization", RelatedOnlyFieldListFilter),)
    list_select_related = ("deployment__organization", "environment", "live_deploy")
    search_fields = ("deployment__name", "deployment__slug", "environment__slug", "deployment__organization__slug")
    show_full_result_count = False

    @admin.display
    def organization(self, target: Target) -> str:
        return str(target.deployment.organization)

    @admin.display
    def branches(self, target: Target) -> str:
        return branch_words(target)

    @admin.display(description="live deploy")
    def live(self, target: Target) -> str:
        return change_link(target.live_deploy)

    def save_model(self, request: HttpRequest, obj: Target, form: Any, change: bool) -> None:
        target = services.map_branch(
            deployment=obj.deployment, environment=obj.environment, branch=form.cleaned_data["branch_mapping"]
        )
        adopt(obj, target)


def mapping_text(target: Target) -> str:
    return f"{target.branch}*" if target.branch_match == BranchMatch.PREFIX else target.branch


def branch_words(target: Target) -> str:
    return mapping_text(target) or "any"


class TagInline(FactInline):
    model = Tag
    fields = ("name",)


class LinkInline(FactInline):
    model = Link
    fields = ("name", "url")


class CommitInline(FactInline):
    model = Commit
    fields = ("revision", "message", "author_name", "author_email", "committed_at")


class ChangedFileInline(FactInline):
    model = ChangedFile
    fields = ("path", "additions", "deletions")


class PullRequestInline(FactInline):
    model = PullRequest
    fields = ("number", "title", "author", "opened_at", "first_reviewed_at", "merged_at")


DETAILS = (("pullrequest", "Pull requests"), ("commit", "Commits"), ("changedfile", "Changed files"))


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("rollback", "Rollback"), ("rolled_back", "Rolled back")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Deploy]) -> QuerySet[Deploy]:
        if self.value() == "rollback":
            return queryset.filter(restores__isnull=False)
        if self.value() == "rolled_back":
            return queryset.filter(rolled_back_by__isnull=False)
        return queryset


@admin.register(Deploy)
class DeployAdmin(FactAdmin):
    list_display = (
        "short_sha",
        "version",
        "deployment",
        "environment",
        "organization",
        "deployed_at",
        "kind",
        "title",
        "author",
    )
    list_filter = ("organization", KindFilter, "deployed_at")
    list_select_related = ("organization", "deployment", "environment")
    search_fields = ("sha__startswith", "version__startswith", "title", "author_email", "deployment__slug")
    search_help_text = "The beginning of a sha or version; or of the title, author or deployment any part."
    inlines = (TagInline, LinkInline, PullRequestInline, CommitInline, ChangedFileInline)
    fieldsets = (
        (None, {"fields": ("sha", "version", "title", "organization", "target", "deployed_at", "kind", "branch")}),
        ("Change", {"fields": ("author_name", "author_email", "first_commit_at", "lead_time", "complete_lists")}),
        ("Counts", {"fields": ("commit_count", "file_count", "pull_request_count", "additions", "deletions")}),
        ("Health", {"fields": ("health_set", "health_set_by", "health_set_at")}),
        ("Rollbacks", {"fields": ("restores", "rolled_back_by")}),
        ("Registration", {"fields": ("token", "created_at", "updated_at")}),
    )
    readonly_fields = ("kind", "complete_lists")

    @admin.display(description="sha")
    def short_sha(self, deploy: Deploy) -> str:
        return deploy.sha[:12]

    @admin.display
    def author(self, deploy: Deploy) -> str:
        return deploy.author_name or deploy.author_email

    @admin.display
    def kind(self, deploy: Deploy) -> str:
        words = [
            word for word, holds in (("rollback", deploy.is_rollback), ("rolled back", deploy.is_rolled_back)) if holds
        ]
        return ", ".join(words) or "forward"

    @admin.display
    def complete_lists(self, deploy: Deploy) -> str:
        """This page shows the first rows only."""
        lists = ((reverse(f"admin:deployments_{word}_changelist"), deploy.pk, title) for word, title in DETAILS)
        return format_html_join(" · ", '<a href="{}?deploy__id__exact={}">{}</a>', lists)


class DetailAdmin(FactAdmin):
    """What a deploy brought. ``?deploy__id__exact=`` in the address shows all of one deploy."""

    list_select_related = ("deploy",)


@admin.register(Tag)
class TagAdmin(DetailAdmin):
    list_display = ("name", "deploy")
    search_fields = ("name__startswith",)


@admin.register(Link)
class LinkAdmin(DetailAdmin):
    list_display = ("name", "url", "deploy")
    search_fields = ("name", "url")


@admin.register(Commit)
class CommitAdmin(DetailAdmin):
    list_display = ("revision", "title", "author_name", "author_email", "committed_at", "deploy")
    search_fields = ("revision__startswith", "author_email")

    @admin.display
    def title(self, commit: Commit) -> str:
        return commit.message.strip().partition("\n")[0][:100]


@admin.register(ChangedFile)
class ChangedFileAdmin(DetailAdmin):
    list_display = ("path", "additions", "deletions", "deploy")
    search_fields = ("path",)


@admin.register(PullRequest)
class PullRequestAdmin(DetailAdmin):
    list_display = ("number", "title", "author", "opened_at", "merged_at", "deploy")
    search_fields = ("number__startswith", "title", "author")


@admin.register(ManualChange)
class ManualChangeAdmin(FactAdmin):
    list_display = ("name", "project", "environment", "organization", "changed_at", "author_email")
    list_filter = ("organization", "changed_at")
    list_select_related = ("organization", "project", "environment")
    search_fields = ("name", "author_email", "user_email", "project__slug")
    fieldsets = (
        (None, {"fields": ("name", "description", "organization", "project", "environment", "changed_at")}),
        ("Details", {"fields": ("author_email", "user_email", "tags", "links")}),
        ("Registration", {"fields": ("token", "registered_by", "created_at", "updated_at")}),
    )


@admin.register(HistoryImport)
class HistoryImportAdmin(FactAdmin):
    list_display = (
        "id",
        "target",
        "organization",
        "deploy_count",
        "replaced_count",
        "imported_by",
        "created_at",
        "undone_at",
    )
    list_filter = ("organization",)
    list_select_related = ("target__deployment", "target__environment", "organization")
    search_fields = ("file_name", "imported_by", "target__deployment__slug")


@admin.register(ImportDraft)
class ImportDraftAdmin(FactAdmin):
    """Uploaded files that nobody has imported yet; what is in them is not shown."""

    list_display = ("id", "file_name", "deployment", "environment", "user", "byte_count", "created_at")
    list_select_related = ("deployment", "environment", "user")
    search_fields = ("file_name", "user__email")


@admin.register(DraftChunk)
class DraftChunkAdmin(FactAdmin):
    list_display = ("id", "draft", "number")
    list_select_related = ("draft",)
    search_fields = ("draft__file_name",)
    exclude = ("data",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(FactAdmin):
    list_display = ("key", "token", "organization", "called", "answered", "created_at")
    list_filter = (("token__organization", RelatedOnlyFieldListFilter),)
    list_select_related = ("token__organization",)
    search_fields = ("key__startswith",)

    @admin.display
    def organization(self, key: IdempotencyKey) -> str:
        return str(key.token.organization)

    @admin.display
    def answered(self, key: IdempotencyKey) -> str:
        return "duplicate" if "duplicate" in key.answer else "success"


@admin.register(Call)
class CallAdmin(FactAdmin):
    """The request log of all organizations; what is kept of a call has its credentials blotted out."""

    list_display = ("created_at", "organization", "deployment_slug", "status", "outcome", "answer", "token_name")
    list_filter = ("outcome", "organization")
    list_select_related = ("organization",)
    search_fields = ("request_id", "deployment_slug__startswith", "token_name__startswith")
    search_help_text = "An X-Request-Id, or the beginning of a deployment's slug or a token's name."
