"""Members, inviting people, and the page that the link of an invitation opens."""

from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from orgs import invitations, queries
from orgs.access import MemberRequest, acting_for, member_page
from orgs.forms import InvitationForm, RoleForm, SignUpForm
from orgs.models import Invitation, InvitationState, Membership, User
from orgs.pages import errors_as_messages, errors_in, page_of
from orgs.roles import PERMISSIONS, Permission, Role, role_allows
from orgs.services import change_role, remove_member
from orgs.sign_in.views import single_sign_on


@member_page(Permission.VIEW)
def members(request: MemberRequest) -> HttpResponse:
    page = page_of(queries.members(request.organization), after=request.GET.get("after", ""), by="email")
    may_manage = role_allows(request.membership.role, Permission.MANAGE_MEMBERS)
    context = {
        "page": page,
        "rows": [(membership, may_change(request.membership, membership)) for membership in page.rows],
        "may_manage": may_manage,
        "invitations": queries.waiting_invitations(request.organization) if may_manage else (),
        "roles": list(Role),
        "permissions": [(str(right), [(role, right in PERMISSIONS[role]) for role in Role]) for right in Permission],
    }
    return render(request, "orgs/members.html", context)


def may_change(by: Membership, of: Membership | Invitation) -> bool:
    needed = Permission.MANAGE_OWNERS if of.role == Role.OWNER else Permission.MANAGE_MEMBERS
    return role_allows(by.role, needed)


@member_page(Permission.MANAGE_MEMBERS)
def member(request: MemberRequest, pk: int) -> HttpResponse:
    membership = changeable(request, queries.members(request.organization), pk)
    form = RoleForm(request.POST or None, by=request.membership, initial={"role": membership.role})
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        with errors_in(form, default_field="role"):
            change_role(membership=membership, role=role, by=request.membership)
            messages.success(request, f"{membership.user} now has the role {role.label.lower()}.")
            return redirect("members", organization=request.organization.slug)
    return render(request, "orgs/member.html", {"form": form, "member": membership})


@member_page(Permission.MANAGE_MEMBERS)
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    membership = changeable(request, queries.members(request.organization), pk)
    if request.method != "POST":
        return render(request, "orgs/remove_member.html", {"member": membership})
    with errors_as_messages(request):
        remove_member(membership=membership, by=request.membership)
        messages.success(request, f"{membership.user} is no longer a member.")
        if membership.user_id == request.user.pk:
            return redirect("start")
    return redirect("members", organization=request.organization.slug)


@member_page(Permission.VIEW)
def leave(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "orgs/leave.html")
    with errors_as_messages(request):
        remove_member(membership=request.membership, by=request.membership)
        messages.success(request, f"You left {request.organization}.")
        return redirect("start")
    return redirect("members", organization=request.organization.slug)


def changeable(request: MemberRequest, rows: QuerySet[Any], pk: int) -> Any:
    """The member or invitation with this id, or 404; 403 if the role does not allow changing it."""
    found = get_object_or_404(rows, pk=pk)
    if not may_change(request.membership, found):
        raise PermissionDenied("Your role, admin, may not make and unmake owners.")
    return found


@member_page(Permission.MANAGE_MEMBERS)
def invite(request: MemberRequest) -> HttpResponse:
    form = InvitationForm(request.POST or None, by=request.membership)
    if form.is_valid():
        email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
        with errors_in(form):
            invitation, secret = invitations.invite(
                organization=request.organization, email=email, role=role, by=request.membership
            )
            return answer_invited(request, invitation, secret)
    return render(request, "orgs/invite.html", {"form": form, "sends_mail": invitations.sends_mail()})


@require_POST
@member_page(Permission.MANAGE_MEMBERS)
def resend(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = changeable(request, queries.waiting_invitations(request.organization), pk)
    with errors_as_messages(request):
        secret = invitations.renew_invitation(invitation=invitation, by=request.membership)
        return answer_invited(request, invitation, secret)
    return redirect("members", organization=request.organization.slug)


@member_page(Permission.MANAGE_MEMBERS)
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = changeable(request, queries.waiting_invitations(request.organization), pk)
    if request.method != "POST":
        return render(request, "orgs/revoke_invitation.html", {"invitation": invitation})
    with errors_as_messages(request):
        invitations.revoke_invitation(invitation=invitation, by=request.membership)
        messages.success(request, f"The invitation of {invitation} is revoked: its link no longer works.")
    return redirect("members", organization=request.organization.slug)


@sensitive_variables("secret", "context")
def answer_invited(request: MemberRequest, invitation: Invitation, secret: str) -> HttpResponse:
    """Shows the link where no mail brings it. Nobody can look it up later."""
    is_sent = invitations.send_invitation(invitation, secret)
    if not invitations.sends_mail():
        context = {"invitation": invitation, "link": invitations.invitation_link(secret)}
        return render(request, "orgs/invitation_link.html", context)
    if is_sent:
        messages.success(request, f"An invitation is on its way to {invitation}. Its link works for 7 days.")
    else:
        messages.error(
            request, f"The mail to {invitation} could not be sent. Ask the operator to check EMAIL_URL, then resend it."
        )
    return redirect("members", organization=request.organization.slug)


@never_cache
@sensitive_post_parameters("password")
@sensitive_variables("secret")
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Someone with the link accepts by one click, signs in first, or signs up with the address of the invitation."""
    found = invitations.find_invitation(secret)
    if found is None:
        return render(request, "orgs/invitation_closed.html", status=404)
    if found.state != InvitationState.OPEN:
        return render(request, "orgs/invitation_closed.html", {"invitation": found}, status=410)
    if request.user.is_authenticated:
        return invitation_of_user(request, found)
    if User.objects.filter(email__iexact=found.email).exists():
        return render(request, "orgs/invitation_sign_in.html", {"invitation": found})
    return invitation_of_stranger(request, found)


def invitation_of_user(request: HttpRequest, found: Invitation) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]  # the caller knows
    if user.email.lower() != found.email:
        return render(request, "orgs/invitation_wrong_user.html", {"invitation": found}, status=403)
    if request.method != "POST":
        return render(request, "orgs/invitation_accept.html", {"invitation": found})
    try:
        with acting_for(request):
            invitations.accept_invitation(invitation=found, user=user)
    except ValidationError:
        return render(request, "orgs/invitation_closed.html", {"invitation": found}, status=410)
    return redirect("home", organization=found.organization.slug)


def invitation_of_stranger(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = SignUpForm(request.POST or None, initial={"email": found.email})
    if form.is_valid():
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        with errors_in(form):
            user = invitations.sign_up_invited(
                invitation=found, name=name, password=password, address=request.META.get("REMOTE_ADDR", "")
            )
            home = reverse("home", kwargs={"organization": found.organization.slug})
            signed_in: HttpResponse = perform_login(request, user, redirect_url=home, signup=True)
            return signed_in
    context = {"invitation": found, "form": form, **single_sign_on(request, following=request.path)}
    return render(request, "orgs/invitation_sign_up.html", context)
