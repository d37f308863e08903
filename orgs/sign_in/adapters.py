"""How allauth signs people up here: by invitation only."""

import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from orgs.audit import Actor, acting_as
from orgs.invitations import accept_invitation, open_invitations
from orgs.models import Invitation, User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """The page of an invitation signs people up by itself."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """As config.middleware found it; behind a Unix socket there is none."""
        return request.META.get("REMOTE_ADDR") or "unknown"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Under the address of this site, whatever the request's Host says."""
        url = urlsplit(super().get_reset_password_from_key_url(key))
        return f"{settings.SITE_URL}{url.path}"

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Also to those of whose address allauth keeps no row of its own."""
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is away must not tell a stranger, by an error, which addresses have accounts."""
        try:
            super().send_mail(template_prefix, email, {**context, "site_url": settings.SITE_URL})
        except OSError as error:
            logger.error("The mail server did not take a mail about signing in: %s", error)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Single sign-on: existing users are found by the address that the issuer verified, new ones must be invited."""

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        for address in sociallogin.email_addresses:
            # Some issuers send the claim as text, and "false" would count as true.
            address.verified = str(address.verified).lower() == "true"
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        if found:
            user, email = found
            # Without this row allauth would take the password away, as if a stranger could have chosen it.
            EmailAddress.objects.update_or_create(user=user, email=email.lower(), defaults={"verified": True})
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
        """Whoever is invited and proves the address is in."""
        invitations = invitations_for(sociallogin)
        user: User = super().save_user(request, sociallogin, form)
        with acting_as(Actor.for_user(user, address=request.META.get("REMOTE_ADDR", ""))):
            for invitation in invitations:
                accept_invitation(invitation=invitation, user=user)
        return user


def invitations_for(sociallogin: Any) -> list[Invitation]:
    """Open invitations of the address that becomes the user's, if the issuer verified it."""
    email = sociallogin.user.email.lower()
    verified = any(address.verified and address.email.lower() == email for address in sociallogin.email_addresses)
    return open_invitations(email) if verified else []
