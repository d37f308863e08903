"""Users; members, as rows on the page of an organization and as a list, and how people sign in."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from orgs import services
from orgs.admin.base import FactAdmin, OperatorAdmin, is_superuser, may_touch
from orgs.models import Membership, User
from orgs.roles import Role
from orgs.rows import lock_row


class MembershipInlineForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The user of a row cannot be changed. A choice of one needs no query for each row."""
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["user"].disabled = True
            self.fields["user"].widget = forms.Select(choices=[(self.instance.user_id, str(self.instance.user))])

    def clean(self) -> dict[str, Any]:
        """Django 5.2 does not check the constraints of rows in an inline."""
        cleaned = super().clean() or {}
        user = cleaned.get("user")
        same = Membership.objects.filter(user=user, organization=self.instance.organization_id)
        if user and same.exclude(pk=self.instance.pk).exists():
            self.add_error("user", f"{user} is already a member of this organization.")
        return cleaned


class MembershipInlineFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # generic to the type checker only
    def clean(self) -> None:
        """There must be an owner. All rows are checked at once, since two of them may swap roles."""
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and form not in self.deleted_forms]
        owners = [form for form in kept if form.cleaned_data["role"] == Role.OWNER]
        is_unmade = any(form.initial.get("role") == Role.OWNER for form in kept if form not in owners)
        if not is_unmade or any(form.cleaned_data["user"].is_active for form in owners):
            return
        organization = lock_row(self.instance)
        listed = [form.instance.pk for form in self.initial_forms]
        others = organization.memberships.filter(role=Role.OWNER, user__is_active=True).exclude(pk__in=listed)
        if not others.exists():
            raise forms.ValidationError(f"{organization} needs an owner: make somebody else an owner first.")


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    model = Membership
    form = MembershipInlineForm
    formset = MembershipInlineFormSet
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user", "role")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "organization")


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    def clean_role(self) -> str:
        role = str(self.cleaned_data["role"])
        if self.instance.pk and role != Role.OWNER:
            lock_row(self.instance.organization)
            services.check_another_owner(self.instance)
        return role


@admin.register(Membership)
class MembershipAdmin(OperatorAdmin):
    form = MembershipForm
    fixed_fields = ("user", "organization")
    autocomplete_fields = ("user", "organization")
    fields = ("organization", "user", "role")
    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role", ("organization", RelatedOnlyFieldListFilter))
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name", "organization__slug")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    form = forms.ModelForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("sign_in", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "name", "sign_in")}),
        ("Rights in Django admin", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Only superusers give rights. Otherwise staff could make themselves superusers."""
        rights = () if is_superuser(request) else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Nobody must get a new password, or a code, by a former address."""
        super().save_model(request, obj, form, change)
        former, _ = EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()
        if former:
            # Without a row for the new one, people without a password could never confirm that it is they.
            EmailAddress.objects.update_or_create(
                user=obj, email=obj.email, defaults={"verified": True, "primary": True}
            )

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name == "user_permissions":
            kwargs["queryset"] = Permission.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description="password")
    def sign_in(self, user: User) -> str:
        state = "Set." if user.has_usable_password() else "None: the user cannot sign in with one."
        return format_html(
            '{} <a href="{}">Set a password</a>', state, reverse("admin:auth_user_password_change", args=[user.pk])
        )


# --- How people sign in. allauth's own pages would show the secrets of second factors, apps and tokens ---
# The operator only deletes what somebody has lost or should not have. Apps of single sign-on come from settings.

admin.site.unregister([Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken])


class SignInAdmin(FactAdmin):
    """Rows of a user, which can be deleted one by one. Only superusers delete those of superusers."""

    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj) and may_touch(request, obj and obj.user)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


@admin.register(Authenticator)
class AuthenticatorAdmin(SignInAdmin):
    """A second factor. Somebody who lost the device can sign in by password once it is deleted."""

    fields = list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email", "user__name")

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        """Deletes recovery codes as well if nothing else is left, since signing in would ask for them."""
        super().delete_model(request, obj)
        left = Authenticator.objects.filter(user=obj.user_id)
        if not left.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
            left.delete()


# Addresses to which links to new passwords are sent.
admin.site.register(
    EmailAddress,
    SignInAdmin,
    fields=("email", "user", "verified", "primary"),
    list_display=("email", "user", "verified", "primary"),
    list_filter=("verified",),
    search_fields=("email", "user__email", "user__name"),
)
# Accounts of single sign-on, without the data that came with them.
admin.site.register(
    SocialAccount,
    SignInAdmin,
    fields=("user", "provider", "uid", "last_login", "date_joined"),
    list_display=("user", "provider", "uid", "last_login", "date_joined"),
    list_filter=("provider",),
    search_fields=("uid", "user__email", "user__name"),
)
