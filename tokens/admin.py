from collections.abc import Mapping

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from orgs.admin.base import ConditionFilter, FactAdmin, OperatorAdmin
from tokens import services
from tokens.models import AccessToken, RetiredSecret
from tokens.states import states


class StateFilter(ConditionFilter):
    title = parameter_name = "state"

    def conditions(self) -> Mapping[str, tuple[str, Q]]:
        expired = Q(expires_at__lte=timezone.now())
        return {
            "active": ("Active", Q(revoked_at=None) & ~expired),
            "expired": ("Expired", Q(revoked_at=None) & expired),
            "revoked": ("Revoked", Q(revoked_at__isnull=False)),
        }


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        namesakes = self.instance.organization.tokens.filter(name=name, revoked_at=None).exclude(pk=self.instance.pk)
        if self.instance.revoked_at is None and namesakes.exists():
            raise forms.ValidationError(f"{self.instance.organization} has another unrevoked token of this name.")
        return name


@admin.register(AccessToken)
class AccessTokenAdmin(OperatorAdmin):
    """Tokens are created where their secret can be shown (``manage.py provision``). Revoked ones remain listed."""

    form = TokenForm
    fieldsets = (
        (None, {"fields": ("name", "organization", "state", "expires_at", "revoked_at")}),
        ("May do", {"fields": ("scopes", "allowed_deployments", "allowed_environments")}),
        ("Origin", {"fields": ("hint", "created_by", "created_at")}),
        ("Last use", {"fields": ("last_used_at", "last_used_address", "last_used_agent")}),
    )
    readonly_fields = (
        *("organization", "state", "revoked_at", "scopes", "allowed_deployments", "allowed_environments"),
        *("hint", "created_by", "created_at", "last_used_at", "last_used_address", "last_used_agent"),
    )
    list_display = ("name", "organization", "hint", "scopes", "limits", "state", "last_used_at")
    list_filter = (StateFilter, ("organization", RelatedOnlyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("name", "hint", "organization__name", "organization__slug")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        return False

    @admin.display
    def state(self, token: AccessToken) -> str:
        return ", ".join(state.words for state in states(token, timezone.now()))

    @admin.display
    def limits(self, token: AccessToken) -> str:
        limits = {"deployments": token.limited_to_deployments, "environments": token.limited_to_environments}
        limited = [word for word, is_limited in limits.items() if is_limited]
        return f"some {' and '.join(limited)}" if limited else "none"

    @admin.display
    def allowed_deployments(self, token: AccessToken) -> str:
        if not token.limited_to_deployments:
            return "all"
        return ", ".join(token.deployments.order_by("slug").values_list("slug", flat=True)) or "none"

    @admin.display
    def allowed_environments(self, token: AccessToken) -> str:
        if not token.limited_to_environments:
            return "all"
        slugs = token.environments.order_by("project__slug", "slug").values_list("project__slug", "slug")
        return ", ".join("/".join(pair) for pair in slugs) or "none"

    @admin.action(description="Revoke the selected access tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        tokens = list(queryset.filter(revoked_at=None))
        for token in tokens:
            services.revoke_token(token=token)
            self.log_change(request, token, "Revoked.")
        self.message_user(request, f"Revoked: {len(tokens)}. They are rejected from now on.", messages.SUCCESS)


# Without digests.
admin.site.register(
    RetiredSecret,
    FactAdmin,
    fields=("hint", "token", "retired_at", "works_until", "last_used_at", "last_used_address", "last_used_agent"),
    readonly_fields=("hint", "last_used_at", "last_used_address", "last_used_agent"),
    list_display=("hint", "token", "token__organization", "retired_at", "works_until", "last_used_at"),
    list_filter=(("token__organization", RelatedOnlyFieldListFilter),),
    list_select_related=("token__organization",),
    search_fields=("hint", "token__name", "token__organization__name", "token__organization__slug"),
)
