"""The only door to an organization for people.

A stranger gets a 404, so that nobody can find out which organizations exist; a member whose role does not allow what
the page does gets a 403 that names it; who is not signed in is sent to sign in.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from orgs.audit import Actor, acting_as
from orgs.models import Membership, Organization, User
from orgs.roles import Permission, Role, role_allows

Parameters = ParamSpec("Parameters")


class MemberRequest(HttpRequest):
    """A request that came through the door."""

    user: User
    organization: Organization
    membership: Membership


def membership_of(user: User, slug: str) -> Membership | None:
    return Membership.objects.select_related("organization").filter(user=user, organization__slug=slug).first()


def member_page(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[MemberRequest, Parameters], HttpResponseBase]],
    Callable[..., HttpResponseBase],
]:
    """For views of ``/<organization>/…``: sets ``request.organization`` and ``request.membership``, drops the slug from
    the arguments, and names the member as the actor of what is written meanwhile."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @login_required
        @never_cache
        def through_the_door(request: Any, organization: str, **kwargs: Any) -> HttpResponseBase:
            membership = membership_of(request.user, organization)
            if membership is None:
                raise Http404
            if not role_allows(membership.role, permission):
                raise PermissionDenied(f"Your role, {Role(membership.role).label.lower()}, may not {permission}.")
            if request.session.get("organization") != membership.organization_id:
                request.session["organization"] = membership.organization_id
            request.membership = membership
            request.organization = membership.organization
            address = request.META.get("REMOTE_ADDR", "")
            with acting_as(Actor.for_user(request.user, address=address)):
                return view(request, **kwargs)

        through_the_door.permission = permission  # type: ignore[attr-defined]  # the tenancy test reads it
        return through_the_door

    return decorate
