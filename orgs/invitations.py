"""Inviting people by mail. Only the mail has the secret of the link; its SHA-256 is stored.

Without a mail server whoever invites gets the link to pass on, which then proves no address.
"""

import logging
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from orgs import audit
from orgs.audit import Actor, acting_as
from orgs.models import Invitation, InvitationState, Membership, Organization, User
from orgs.roles import Role
from orgs.rows import lock_row
from orgs.services import add_member, check_may_change, create_user
from orgs.text import digest

logger = logging.getLogger(__name__)

LIFETIME = timedelta(days=7)


def sends_mail() -> bool:
    """False where mails are only written to standard output, as they are until EMAIL_URL is set."""
    return not settings.EMAIL_BACKEND.startswith("django.core.mail.backends.console.")


def invitation_link(secret: str) -> str:
    return f"{settings.SITE_URL}{reverse('invitation', kwargs={'secret': secret})}"


def send_invitation(invitation: Invitation, secret: str) -> bool:
    """Whether the mail server accepted it. Call it after the commit, so that the link works when it arrives."""
    url = invitation_link(secret)
    organization = " ".join(invitation.organization.name.split())
    try:
        send_mail(
            subject=f"Join {organization} on Gumshoe",
            message=render_to_string("orgs/mail/invitation.txt", {"invitation": invitation, "url": url}),
            from_email=None,
            recipient_list=[invitation.email],
        )
    except OSError as error:
        logger.error("The mail server did not take an invitation: %s", error)
        return False
    return True


def find_invitation(secret: str) -> Invitation | None:
    return Invitation.objects.select_related("organization", "invited_by").filter(digest=digest(secret)).first()


def open_invitations(email: str) -> list[Invitation]:
    """The invitations that the owner of the address can accept now."""
    waiting = Invitation.objects.filter(email=email.lower(), accepted_at=None, revoked_at=None)
    return list(waiting.filter(expires_at__gt=timezone.now()).select_related("organization").order_by("id"))


@transaction.atomic
def invite(*, organization: Organization, email: str, role: Role, by: Membership) -> tuple[Invitation, str]:
    """The invitation and the secret of its link, which is not stored. An expired invitation is renewed."""
    lock_row(organization)
    check_may_change(by, role)
    email = email.strip().lower()
    if organization.memberships.filter(user__email__iexact=email).exists():
        raise ValidationError({"email": f"{email} is already a member."})
    invitation = organization.invitations.filter(email=email, accepted_at=None, revoked_at=None).first()
    if invitation and invitation.state == InvitationState.OPEN:
        raise ValidationError({"email": f"{email} is already invited: resend or revoke that invitation."})
    if invitation is None:
        invitation = Invitation(organization=organization, email=email)
    invitation.role = role
    invitation.invited_by = by.user
    secret = give_secret(invitation)
    audit.record("invitation.sent", invitation, changes={"role": role.value})
    return invitation, secret


@transaction.atomic
def renew_invitation(*, invitation: Invitation, by: Membership) -> str:
    """A new secret, since the old one was not stored. The old link stops working."""
    refresh_open(invitation)
    check_may_change(by, invitation.role)
    secret = give_secret(invitation)
    audit.record("invitation.resent", invitation)
    return secret


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: Membership) -> None:
    refresh_open(invitation)
    check_may_change(by, invitation.role)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at", "updated_at"])
    audit.record("invitation.revoked", invitation)


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User) -> None:
    """Raises ValidationError if the invitation is for another address, or is accepted, revoked or expired."""
    refresh_open(invitation)
    if user.email.lower() != invitation.email:
        raise ValidationError(f"This invitation is for {invitation.email}.", code="wrong_user")
    if invitation.state != InvitationState.OPEN:
        raise ValidationError("This invitation has expired.", code="closed")
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at", "updated_at"])
    if not invitation.organization.memberships.filter(user=user).exists():
        add_member(organization=invitation.organization, user=user, role=Role(invitation.role))


@transaction.atomic
def sign_up_invited(*, invitation: Invitation, name: str, password: str, address: str) -> User:
    """A new user, who becomes a member. A mail has proved the address, if one was sent."""
    refresh_open(invitation)
    user = create_user(email=invitation.email, name=name, password=password)
    EmailAddress.objects.create(user=user, email=user.email, verified=sends_mail(), primary=True)
    with acting_as(Actor.for_user(user, address=address)):
        accept_invitation(invitation=invitation, user=user)
    return user


def refresh_open(invitation: Invitation) -> None:
    """Locks the organization. Raises ValidationError if the invitation was accepted or revoked."""
    lock_row(invitation.organization)
    invitation.refresh_from_db(fields=["role", "digest", "expires_at", "accepted_at", "revoked_at"])
    if invitation.state in (InvitationState.ACCEPTED, InvitationState.REVOKED):
        raise ValidationError(f"This invitation was {invitation.state.label}.", code="closed")


def give_secret(invitation: Invitation) -> str:
    secret = secrets.token_urlsafe(32)
    invitation.digest = digest(secret)
    invitation.expires_at = timezone.now() + LIFETIME
    invitation.full_clean()
    invitation.save()
    return secret
