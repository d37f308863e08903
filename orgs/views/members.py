from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from orgs import queries
from orgs.access import MemberRequest, member_page
from orgs.forms import RoleForm
from orgs.models import Membership
from orgs.pages import page_of
from orgs.roles import PERMISSIONS, Permission, Role, role_allows
from orgs.services import change_role, remove_member


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
        "permissions": permission_table(),
    }
    return render(request, "orgs/members.html", context)


def may_change(by: Membership, membership: Membership) -> bool:
    return role_allows(by.role, Permission.MANAGE_MEMBERS) and (
        membership.role != Role.OWNER or role_allows(by.role, Permission.MANAGE_OWNERS)
    )


def permission_table() -> list[tuple[str, list[tuple[Role, bool]]]]:
    return [(str(permission), [(role, permission in PERMISSIONS[role]) for role in Role]) for permission in Permission]


@member_page(Permission.MANAGE_MEMBERS)
def member(request: MemberRequest, pk: int) -> HttpResponse:
    membership = changeable_member(request, pk)
    form = RoleForm(request.POST or None, by=request.membership, initial={"role": membership.role})
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            change_role(membership=membership, role=role, by=request.membership)
        except ValidationError as error:
            form.add_error("role", error)
        else:
            messages.success(request, f"{membership.user} is {article(role)} now.")
            return redirect("members", organization=request.organization.slug)
    return render(request, "orgs/member.html", {"form": form, "member": membership})


def article(role: Role) -> str:
    word = role.label.lower()
    return f"an {word}" if word[0] in "ao" else f"a {word}"


@member_page(Permission.MANAGE_MEMBERS)
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    membership = changeable_member(request, pk)
    if request.method != "POST":
        return render(request, "orgs/remove_member.html", {"member": membership})
    try:
        remove_member(membership=membership, by=request.membership)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"{membership.user} is no longer a member.")
        if membership.user_id == request.user.pk:
            return redirect("start")
    return redirect("members", organization=request.organization.slug)


@member_page(Permission.VIEW)
def leave(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "orgs/leave.html")
    try:
        remove_member(membership=request.membership, by=request.membership)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("members", organization=request.organization.slug)
    messages.success(request, f"You left {request.organization}.")
    return redirect("start")


def changeable_member(request: MemberRequest, pk: int) -> Any:
    membership: Membership = get_object_or_404(request.organization.memberships.select_related("user"), pk=pk)
    if not may_change(request.membership, membership):
        raise PermissionDenied("Your role, admin, may not make and unmake owners.")
    return membership
