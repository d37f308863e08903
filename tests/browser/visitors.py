"""Those who look at the pages, each in a state that shows some that others are not shown."""

import re
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from orgs.invitations import invite
from orgs.models import User
from orgs.roles import Role
from orgs.services import add_member, create_user
from tests.browser.filled import fill
from tests.factories import make_organization, signed_in
from tests.orgs.signing_in import PASSWORD, confirm, confirm_by_code, sign_in, switch_on_totp


@dataclass(frozen=True)
class Visitor:
    """``parameters`` are what addresses are made of."""

    client: Client
    parameters: dict[str, Any] = field(default_factory=dict)


def make_user(name: str) -> User:
    return create_user(email=f"{name}@example.com", name=name.capitalize(), password=PASSWORD)


def by_password(user: User) -> Client:
    client = Client()
    assert sign_in(client, email=user.email).status_code == 302
    return client


def owner_of_much() -> Visitor:
    """Also a superuser, who is shown more."""
    user = make_user("ada")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    parameters = fill(user)
    client = by_password(user)
    confirm(client)
    return Visitor(client, parameters)


def owner_of_nothing() -> Visitor:
    """With an organization that is empty."""
    user = make_user("boole")
    organization = make_organization("empty")
    add_member(organization=organization, user=user, role=Role.OWNER)
    return Visitor(signed_in(user), {"organization": organization.slug})


def nobody() -> Visitor:
    """With the links out of two mails: an invitation and a forgotten password."""
    inviter = make_user("curie")
    organization = make_organization("inviting")
    membership = add_member(organization=organization, user=inviter, role=Role.OWNER)
    _, secret = invite(organization=organization, email="new@example.com", role=Role.DEVELOPER, by=membership)
    client = Client()
    mail.outbox.clear()
    client.post("/accounts/password/reset/", {"email": inviter.email})
    link = re.search(r"/accounts/password/reset/key/(\w+)-\S+", str(mail.outbox[0].body))
    assert link
    assert client.get(link[0]).status_code == 302
    return Visitor(client, {"secret": secret, "uidb36": link[1], "key": "set-password"})


def somebody_with_a_second_factor() -> Visitor:
    client = by_password(make_user("darwin"))
    switch_on_totp(client)
    return Visitor(client)


def somebody_who_owes_a_code() -> Visitor:
    user = make_user("euler")
    switch_on_totp(by_password(user))
    return Visitor(by_password(user))


def somebody_without_anything() -> Visitor:
    """No organization, and no password, as after single sign-on: a mailed code confirmed them, another is asked for."""
    user = create_user(email="fermat@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True)
    client = signed_in(user)
    confirm_by_code(client, user.email)
    client.post("/accounts/reauthenticate/code/", {"recipient": user.email})
    return Visitor(client)
