"""Invitations: sending, accepting, and every way in which a link no longer works."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from orgs.invitations import accept_invitation, invite
from orgs.models import AuditEvent, Invitation, Membership, Organization, User
from orgs.roles import Role
from orgs.text import digest
from tests.conftest import World
from tests.factories import make_member, signed_in
from tests.simultaneously import simultaneously

MEMBERS = "/acme/members"
NEW = "new@example.com"
PASSWORD = "a long unusual sentence"


def send(user: User, email: str = NEW, role: str = "developer", organization: str = "acme") -> Any:
    return signed_in(user).post(f"/{organization}/members/invite", {"email": email, "role": role})


def last_link() -> str:
    """The path of the link in the newest mail."""
    match = re.search(r"https?://[^/]+(/invitations/\S+)", str(mail.outbox[-1].body))
    assert match
    return match[1]


def role_of(email: str, organization: Organization) -> str | None:
    return organization.memberships.filter(user__email=email).values_list("role", flat=True).first()


def user_with(email: str) -> User:
    return User.objects.create_user(email, PASSWORD)


def test_an_invitation_goes_out_by_mail_and_its_secret_nowhere_else(ci: World, admin: User) -> None:
    response = send(admin, " New@Example.com ")

    assert (response.status_code, response["Location"]) == (302, MEMBERS)
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([NEW], "Join Acme on Gumshoe")
    secret = last_link().rpartition("/")[2]
    assert str(message.body).count(secret) == 1
    assert "as developer" in str(message.body)
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by) == (NEW, "developer", admin)
    assert invitation.digest == digest(secret)
    assert timedelta(days=6, hours=23) < invitation.expires_at - timezone.now() <= timedelta(days=7)
    assert secret not in signed_in(admin).get(MEMBERS).content.decode()
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.subject_label, event.changes) == ("invitation.sent", NEW, {"role": "developer"})


def test_who_may_invite(ci: World, owner: User, admin: User, developer: User, observer: User, stranger: User) -> None:
    statuses = [send(user, f"x{user.pk}@example.com").status_code for user in (owner, admin, developer, observer)]

    assert statuses == [302, 302, 403, 403]
    assert send(stranger).status_code == 404
    assert len(mail.outbox) == 2


def test_only_owners_invite_owners(ci: World, owner: User, admin: User) -> None:
    assert send(admin, role="owner").status_code == 200
    assert not Invitation.objects.exists()
    assert send(owner, role="owner").status_code == 302
    pk = Invitation.objects.get().pk
    for act in ("resend", "revoke"):
        assert signed_in(admin).post(f"/acme/invitations/{pk}/{act}").status_code == 403
    assert signed_in(owner).post(f"/acme/invitations/{pk}/resend").status_code == 302


def test_members_and_those_who_are_invited_already_are_refused(ci: World, admin: User, developer: User) -> None:
    send(admin)

    assert "is already invited" in send(admin).content.decode()
    assert "is already a member" in send(admin, developer.email.upper()).content.decode()
    assert "Enter a valid email address" in send(admin, "nobody").content.decode()
    assert len(mail.outbox) == 1


def test_the_same_address_may_be_invited_by_two_organizations(ci: World, admin: User, stranger: User) -> None:
    assert send(admin).status_code == 302
    assert send(stranger, organization="globex").status_code == 302


def test_somebody_new_signs_up_with_the_address_of_the_invitation(ci: World, admin: User) -> None:
    send(admin)
    client, link = Client(), last_link()

    page = client.get(link)
    assert page.status_code == 200
    assert f'value="{NEW}"' in page.content.decode()
    response = client.post(
        link, {"email": "other@example.com", "name": "Nina New", "password": PASSWORD}, REMOTE_ADDR="192.0.2.9"
    )

    assert (response.status_code, response["Location"]) == (302, "/acme")
    assert client.get("/acme").status_code == 200
    user = User.objects.get(email=NEW)
    assert (user.name, user.is_staff, user.check_password(PASSWORD)) == ("Nina New", False, True)
    assert role_of(NEW, ci.organization) == "developer"
    assert not User.objects.filter(email="other@example.com").exists()
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.actor, event.address) == ("member.added", user, "192.0.2.9")


@pytest.mark.parametrize("password", ["short", "1234567890", "password123", "new@example.com", ""])
def test_weak_passwords_are_refused_and_nobody_is_created(ci: World, admin: User, password: str) -> None:
    send(admin)

    response = Client().post(last_link(), {"name": "Nina", "password": password})

    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not User.objects.filter(email=NEW).exists()
    assert Invitation.objects.get().accepted_at is None


def test_somebody_with_an_account_signs_in_and_accepts_by_one_click(ci: World, admin: User) -> None:
    user = user_with(NEW)
    send(admin)
    client, link = Client(), last_link()

    assert f"/accounts/login/?next={link}" in client.get(link).content.decode()
    response = client.post("/accounts/login/", {"login": NEW, "password": PASSWORD, "next": link})
    assert response["Location"] == link
    assert "Join Acme" in client.get(link).content.decode()
    assert role_of(NEW, ci.organization) is None
    assert client.post(link)["Location"] == "/acme"
    assert role_of(user.email, ci.organization) == "developer"


def test_nobody_signs_up_over_an_account(ci: World, admin: User) -> None:
    user = user_with(NEW)
    send(admin)

    Client().post(last_link(), {"name": "Thief", "password": "another long sentence"})

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert role_of(NEW, ci.organization) is None


def test_somebody_else_cannot_accept(ci: World, admin: User, stranger: User) -> None:
    send(admin)
    client = signed_in(stranger)

    for response in (client.get(last_link()), client.post(last_link())):
        assert response.status_code == 403
        assert f"It was sent to {NEW}" in response.content.decode()
    assert role_of(stranger.email, ci.organization) is None
    with pytest.raises(ValidationError, match=r"is for new@example\.com"):
        accept_invitation(invitation=Invitation.objects.get(), user=stranger)


def test_a_link_works_once(ci: World, admin: User) -> None:
    send(admin)
    link = last_link()
    Client().post(link, {"name": "Nina", "password": PASSWORD})

    response = Client().get(link)

    assert response.status_code == 410
    assert "It has been accepted already" in response.content.decode()


def test_an_expired_link_says_so_and_a_new_mail_helps(ci: World, admin: User) -> None:
    send(admin)
    link = last_link()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    for response in (Client().get(link), Client().post(link, {"name": "Nina", "password": PASSWORD})):
        assert response.status_code == 410
        assert "It expired" in response.content.decode()
    with pytest.raises(ValidationError, match="has expired"):
        accept_invitation(invitation=Invitation.objects.get(), user=user_with(NEW))
    User.objects.filter(email=NEW).delete()
    assert "Expired" in signed_in(admin).get(MEMBERS).content.decode()
    signed_in(admin).post(f"/acme/invitations/{Invitation.objects.get().pk}/resend")
    assert Client().get(last_link()).status_code == 200
    assert Client().get(link).status_code == 404


def test_inviting_again_after_it_expired_renews_the_invitation(ci: World, admin: User) -> None:
    send(admin)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert send(admin, role="observer").status_code == 302
    assert Invitation.objects.get().role == "observer"
    assert Client().get(last_link()).status_code == 200


def test_a_revoked_link_no_longer_works(ci: World, admin: User) -> None:
    send(admin)
    url = f"/acme/invitations/{Invitation.objects.get().pk}/revoke"

    assert "stops working" in signed_in(admin).get(url).content.decode()
    assert Client().get(last_link()).status_code == 200
    signed_in(admin).post(url)
    assert Client().get(last_link()).status_code == 410
    assert NEW not in signed_in(admin).get(f"{MEMBERS}/invite").content.decode()
    assert signed_in(admin).post(url).status_code == 404
    assert send(admin).status_code == 302


def test_unknown_links_are_not_found(ci: World) -> None:
    for secret in ("unknown", "%00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x" * 5000):
        assert Client().get(f"/invitations/{secret}").status_code == 404


def test_invitations_of_others_are_not_found(ci: World, admin: User, stranger: User) -> None:
    send(stranger, organization="globex")
    pk = Invitation.objects.get().pk

    assert signed_in(admin).post(f"/acme/invitations/{pk}/resend").status_code == 404
    assert signed_in(admin).post(f"/acme/invitations/{pk}/revoke").status_code == 404
    assert signed_in(stranger).get(f"/acme/invitations/{pk}/revoke").status_code == 404


def test_a_mail_server_that_is_away_is_told_and_the_invitation_can_be_resent(
    ci: World, admin: User, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    response = signed_in(admin).post(f"{MEMBERS}/invite", {"email": NEW, "role": "observer"}, follow=True)

    assert "could not be sent" in response.content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    signed_in(admin).post(f"/acme/invitations/{Invitation.objects.get().pk}/resend")
    assert Client().get(last_link()).status_code == 200


@pytest.fixture
def no_mail_server(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"


def shown_link(response: Any) -> str:
    """Its path."""
    page = response.content.decode()
    assert "no mail server" in page
    match = re.search(r'<code id="secret" data-secret translate="no">https?://[^/]+(/invitations/\S+)</code>', page)
    assert match
    return match[1]


def test_without_a_mail_server_the_link_is_shown_to_pass_on(ci: World, admin: User, no_mail_server: None) -> None:
    assert "no mail server" in signed_in(admin).get(f"{MEMBERS}/invite").content.decode()

    response = send(admin)
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    link = shown_link(response)
    assert Client().get(link).status_code == 200
    assert link not in signed_in(admin).get(MEMBERS).content.decode()
    again = shown_link(signed_in(admin).post(f"/acme/invitations/{Invitation.objects.get().pk}/resend"))
    assert [Client().get(path).status_code for path in (link, again)] == [404, 200]
    assert Client().post(again, {"name": "Nina", "password": PASSWORD})["Location"] == "/acme"
    assert role_of(NEW, ci.organization) == "developer"
    # Whoever invites may have opened the link.
    assert not EmailAddress.objects.get(email=NEW).verified


def test_with_a_mail_server_the_link_is_in_the_mail_only(ci: World, admin: User) -> None:
    assert "no mail server" not in signed_in(admin).get(f"{MEMBERS}/invite").content.decode()
    page = signed_in(admin).post(f"{MEMBERS}/invite", {"email": NEW, "role": "observer"}, follow=True).content.decode()
    assert "An invitation is on its way to new@example.com" in page
    assert last_link() not in page
    Client().post(last_link(), {"name": "Nina", "password": PASSWORD})
    assert EmailAddress.objects.get(email=NEW).verified


def test_refused_links_are_logged_without_their_secret(
    ci: World, admin: User, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    from config.logging import RecordFilter

    send(admin)
    link = last_link()
    signed_in(admin).post(f"/acme/invitations/{Invitation.objects.get().pk}/revoke")
    caplog.handler.addFilter(RecordFilter())
    with caplog.at_level(logging.WARNING):
        Client().get(link)
        Client().get(f"/nowhere?next={link.replace('/', '%2F')}")

    assert "Gone: /invitations/…" in caplog.messages
    assert link.rpartition("/")[2] not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_used_twice_at_once_makes_one_member(ci: World) -> None:
    admin = make_member(ci.organization, Role.ADMIN)
    _, secret = invite(
        organization=ci.organization, email=NEW, role=Role.DEVELOPER, by=Membership.objects.get(user=admin)
    )
    user = user_with(NEW)

    def accept() -> int:
        return int(signed_in(user).post(f"/invitations/{secret}").status_code)

    assert sorted(simultaneously(accept, accept, accept)) == [302, 410, 410]
    assert ci.organization.memberships.filter(user=user).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_up_by_one_link_at_once_make_one_user(ci: World) -> None:
    admin = make_member(ci.organization, Role.ADMIN)
    _, secret = invite(
        organization=ci.organization, email=NEW, role=Role.DEVELOPER, by=Membership.objects.get(user=admin)
    )

    def sign_up() -> int:
        response = Client().post(f"/invitations/{secret}", {"name": "Nina", "password": PASSWORD})
        return int(response.status_code)

    assert 302 in simultaneously(sign_up, sign_up)
    assert User.objects.filter(email=NEW).count() == 1
    assert ci.organization.memberships.filter(user__email=NEW).count() == 1
