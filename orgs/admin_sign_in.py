"""How people sign in, in place of allauth's own pages, which show secrets: of second factors, of apps, of tokens.

The operator takes away what somebody lost or should not have; adding and changing is the person's own affair. Apps of
single sign-on come from settings.
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.http import HttpRequest

from orgs.admin_base import FactAdmin, is_superuser

admin.site.unregister([Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken])


class SignInAdmin(FactAdmin):
    """Rows of a user, which can be deleted one by one; a superuser's only by a superuser."""

    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = admin.ModelAdmin.has_delete_permission(self, request, obj)
        return may and (is_superuser(request) or obj is None or not obj.user.is_superuser)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


@admin.register(EmailAddress)
class EmailAddressAdmin(SignInAdmin):
    """An address that new passwords are sent to."""

    fields = list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified",)
    search_fields = ("email", "user__email", "user__name")


@admin.register(Authenticator)
class AuthenticatorAdmin(SignInAdmin):
    """A second factor. Deleting it lets somebody in by password alone who lost the device."""

    fields = list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email", "user__name")

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        """Recovery codes are of no use alone, and would be asked for."""
        super().delete_model(request, obj)
        left = Authenticator.objects.filter(user=obj.user_id)
        if not left.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
            left.delete()


@admin.register(SocialAccount)
class SocialAccountAdmin(SignInAdmin):
    """An account at the single sign-on, without what that told us about the person."""

    fields = list_display = ("user", "provider", "uid", "last_login", "date_joined")
    list_filter = ("provider",)
    search_fields = ("uid", "user__email", "user__name")
