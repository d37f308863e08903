"""The history of organizations, which the operator only reads."""

from collections.abc import Mapping

from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models import Q
from django.utils import timezone

from orgs.admin.base import ConditionFilter, FactAdmin
from orgs.models import AuditEvent, FormerSlug, Invitation, InvitationState

ORGANIZATION = ("organization", RelatedOnlyFieldListFilter)


admin.site.register(
    AuditEvent,
    FactAdmin,
    list_display=("created_at", "organization", "actor_label", "action", "subject_label", "address"),
    # All organizations have events, so the filter lists all.
    list_filter=("organization",),
    list_select_related=("organization",),
    search_fields=("actor_label__startswith", "action__startswith", "subject_label__startswith"),
    search_help_text="The beginning of the actor, the action (token.revoked) or the subject.",
)


@admin.register(FormerSlug)
class FormerSlugAdmin(FactAdmin):
    list_display = ("slug", "organization", "present_slug")
    list_filter = (ORGANIZATION,)
    list_select_related = ("organization",)
    search_fields = ("slug", "organization__name", "organization__slug")

    @admin.display
    def present_slug(self, former: FormerSlug) -> str:
        return former.organization.slug


class StateFilter(ConditionFilter):
    title = parameter_name = "state"

    def conditions(self) -> Mapping[str, tuple[str, Q]]:
        unanswered = Q(accepted_at=None, revoked_at=None)
        expired = Q(expires_at__lte=timezone.now())
        conditions = {
            InvitationState.OPEN: unanswered & ~expired,
            InvitationState.EXPIRED: unanswered & expired,
            InvitationState.ACCEPTED: Q(accepted_at__isnull=False),
            InvitationState.REVOKED: Q(revoked_at__isnull=False),
        }
        return {state.value: (state.label, condition) for state, condition in conditions.items()}


@admin.register(Invitation)
class InvitationAdmin(FactAdmin):
    """Without the digest of the secret. Members of the organization send and revoke invitations."""

    fields = ("organization", "email", "role", "state", "invited_by", "expires_at", "accepted_at", "revoked_at")
    readonly_fields = ("state",)
    list_display = ("email", "organization", "role", "state", "invited_by", "expires_at")
    list_filter = (StateFilter, "role", ORGANIZATION)
    list_select_related = ("organization", "invited_by")
    search_fields = ("email", "organization__name", "organization__slug", "invited_by__email")

    @admin.display
    def state(self, invitation: Invitation) -> str:
        return invitation.state.label
