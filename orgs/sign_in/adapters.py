"""Where allauth asks us: people sign up by invitation only."""

import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from orgs.audit import Actor, acting_as
from orgs.invitations import accept_invitation, open_invitations
from orgs.models import Invitation, User
from orgs.sign_in.outbox import send_later

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """The page of an invitation does not use allauth to sign people up."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths: the same host by http would be another site."""
        return bool(url) and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Set by config.middleware. Behind a Unix socket there is none."""
        return request.META.get("REMOTE_ADDR") or "unknown"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On SITE_URL, even if the request's Host is another one."""
        url = urlsplit(super().get_reset_password_from_key_url(key))
        return f"{settings.SITE_URL}{url.path}"

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Also to users without a row of allauth's for their address."""
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMessage:
        return send_later(super().render_mail(template_prefix, email, context, headers))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hides the errors of the mail server, which would tell strangers which addresses have accounts."""
        try:
            super().send_mail(template_prefix, email, {**context, "site_url": settings.SITE_URL})
        except OSError as error:
            logger.error("The mail server did not take a mail about signing in: %s", error)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Single sign-on. Users are found by an address that the issuer verified; new ones need an invitation."""

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        for address in sociallogin.email_addresses:
            # Some issuers send the claim as text, and "false" would count as true.
            address.verified = str(address.verified).lower() == "true"
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        if found:
            user, email = found
            # Without a row allauth would remove the password, as if a stranger might have set it. One that is not
            # verified is of an invitation that no mail brought, where that may be so.
            EmailAddress.objects.get_or_create(user=user, email=email.lower(), defaults={"verified": True})
        return found

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return bool(invitations_for(sociallogin))

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.email = user.email.lower()
        user.name = str(data.get("name") or "")[:150]
        return user

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Accepts the invitations of the address, which single sign-on has proved."""
        invitations = invitations_for(sociallogin)
        user: User = super().save_user(request, sociallogin, form)
        with acting_as(Actor.for_user(user, address=request.META.get("REMOTE_ADDR", ""))):
            for invitation in invitations:
                accept_invitation(invitation=invitation, user=user)
        return user


def invitations_for(sociallogin: Any) -> list[Invitation]:
    """Open invitations of the address that the user gets, if the issuer verified it."""
    email = sociallogin.user.email.lower()
    verified = any(address.verified and address.email.lower() == email for address in sociallogin.email_addresses)
    return open_invitations(email) if verified else []
