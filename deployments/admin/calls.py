"""Calls and imported files: facts, which are only shown."""

from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter

from deployments.models import Call, DraftChunk, HistoryImport, IdempotencyKey, ImportDraft
from orgs.admin.base import FactAdmin

admin.site.register(
    HistoryImport,
    FactAdmin,
    list_display=(
        *("id", "target", "organization", "deploy_count", "replaced_count"),
        *("imported_by", "created_at", "undone_at"),
    ),
    list_filter=("organization",),
    list_select_related=("target__deployment", "target__environment", "organization"),
    search_fields=("file_name", "imported_by", "target__deployment__slug"),
)
admin.site.register(
    ImportDraft,
    FactAdmin,
    list_display=("id", "file_name", "deployment", "environment", "user", "byte_count", "state", "created_at"),
    list_filter=("state",),
    list_select_related=("deployment", "environment", "user"),
    search_fields=("file_name", "user__email"),
)
admin.site.register(
    DraftChunk,
    FactAdmin,
    list_display=("id", "draft", "number"),
    list_select_related=("draft",),
    search_fields=("draft__file_name",),
    exclude=("data",),
)
# The log's writer has blotted out credentials.
admin.site.register(
    Call,
    FactAdmin,
    list_display=("created_at", "organization", "deployment_slug", "status", "outcome", "answer", "token_name"),
    list_filter=("outcome", "organization"),
    list_select_related=("organization",),
    search_fields=("request_id", "deployment_slug__startswith", "token_name__startswith"),
    search_help_text="An X-Request-Id, or the beginning of a deployment's slug or a token's name.",
)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(FactAdmin):
    list_display = ("key", "token", "token__organization", "called", "answered", "created_at")
    list_filter = (("token__organization", RelatedOnlyFieldListFilter),)
    list_select_related = ("token__organization",)
    search_fields = ("key__startswith",)

    @admin.display
    def answered(self, key: IdempotencyKey) -> str:
        return "duplicate" if "duplicate" in key.answer else "success"
