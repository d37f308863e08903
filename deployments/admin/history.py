"""Deploys, what they brought, and manual changes: facts, which are only shown."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from deployments.models import ChangedFile, Commit, Deploy, Link, ManualChange, PullRequest, Tag
from orgs.admin.base import FactAdmin, FactInline


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
    search_help_text = (
        "The beginning of a sha or version, or any part of a title, an author's address or a deployment's slug."
    )
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
        """This page shows the first rows of each list only."""
        lists = ((reverse(f"admin:deployments_{word}_changelist"), deploy.pk, title) for word, title in DETAILS)
        return format_html_join(" · ", '<a href="{}?deploy__id__exact={}">{}</a>', lists)


class DetailAdmin(FactAdmin):
    """What a deploy brought. ``?deploy__id__exact=`` in the address shows all rows of one deploy."""

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
