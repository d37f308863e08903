"""Mails that people get from us, apart from those of allauth about signing in."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from orgs.models import Invitation

logger = logging.getLogger(__name__)


def send_invitation(invitation: Invitation, secret: str) -> bool:
    """Whether the mail server took it. Call it after the commit: the link must work when it arrives."""
    url = f"{settings.SITE_URL}{reverse('invitation', kwargs={'secret': secret})}"
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
