"""Deploys, what they brought, and manual changes: facts, which are only shown."""

from collections.abc import Mapping

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html_join

from deployments.models import ChangedFile, Commit, Deploy, Link, ManualChange, PullRequest, Tag
from orgs.admin.base import ConditionFilter, FactAdmin, fact_inline

DETAILS = (("pullrequest", "Pull requests"), ("commit", "Commits"), ("changedfile", "Changed files"))


class KindFilter(ConditionFilter):
    title = parameter_name = "kind"

    def conditions(self) -> Mapping[str, tuple[str, Q]]:
        return {
            "rollback": ("Rollback", Q(restores__isnull=False)),
            "rolled_back": ("Rolled back", Q(rolled_back_by__isnull=False)),
        }


@admin.register(Deploy)
class DeployAdmin(FactAdmin):
    list_display = (
        *("short_sha", "version", "deployment", "environment", "organization"),
        *("deployed_at", "status", "kind", "title", "author"),
    )
    list_filter = ("organization", "status", KindFilter, "deployed_at")
    list_select_related = ("organization", "deployment", "environment")
    search_fields = ("sha__startswith", "version__startswith", "title", "author_email", "deployment__slug")
    search_help_text = (
        "The beginning of a sha or version, or any part of a title, an author's address or a deployment's slug."
    )
    inlines = (
        fact_inline(Tag, "name"),
        fact_inline(Link, "name", "url"),
        fact_inline(PullRequest, "number", "title", "author", "opened_at", "first_reviewed_at", "merged_at"),
        fact_inline(Commit, "revision", "message", "author_name", "author_email", "committed_at"),
        fact_inline(ChangedFile, "path", "additions", "deletions"),
    )
    fieldsets = (
        (None, {"fields": ("sha", "version", "title", "organization", "target", "branch")}),
        ("History", {"fields": ("deployed_at", "status", "kind")}),
        ("Change", {"fields": ("author_name", "author_email", "first_commit_at", "lead_time", "complete_lists")}),
        ("Counts", {"fields": ("commit_count", "file_count", "pull_request_count", "additions", "deletions")}),
        ("Health", {"fields": ("health_set", "health_set_by", "health_set_at")}),
        ("Rollbacks", {"fields": ("restores", "rolled_back_by")}),
        ("Registration", {"fields": ("token", "external_id", "created_at", "updated_at")}),
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
        words = {"rollback": deploy.is_rollback, "rolled back": deploy.is_rolled_back}
        return ", ".join(word for word, holds in words.items() if holds) or "forward"

    @admin.display
    def complete_lists(self, deploy: Deploy) -> str:
        """This page shows the first rows of each list only."""
        lists = ((reverse(f"admin:deployments_{word}_changelist"), deploy.pk, title) for word, title in DETAILS)
        return format_html_join(" · ", '<a href="{}?deploy__id__exact={}">{}</a>', lists)


class DetailAdmin(FactAdmin):
    """What a deploy brought. ``?deploy__id__exact=`` in the address shows all rows of one deploy."""

    list_select_related = ("deploy",)


@admin.register(Commit)
class CommitAdmin(DetailAdmin):
    list_display = ("revision", "title", "author_name", "author_email", "committed_at", "deploy")
    search_fields = ("revision__startswith", "author_email")

    @admin.display
    def title(self, commit: Commit) -> str:
        return commit.message.strip().partition("\n")[0][:100]


admin.site.register(Tag, DetailAdmin, list_display=("name", "deploy"), search_fields=("name__startswith",))
admin.site.register(Link, DetailAdmin, list_display=("name", "url", "deploy"), search_fields=("name", "url"))
admin.site.register(
    ChangedFile, DetailAdmin, list_display=("path", "additions", "deletions", "deploy"), search_fields=("path",)
)
admin.site.register(
    PullRequest,
    DetailAdmin,
    list_display=("number", "title", "author", "opened_at", "merged_at", "deploy"),
    search_fields=("number__startswith", "title", "author"),
)


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
