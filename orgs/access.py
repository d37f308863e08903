"""The only door to an organization for people.

A stranger gets a 404, so that nobody can find out which organizations exist; a member whose role does not allow what
the page does gets a 403 that names it; who is not signed in is sent to sign in.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache

from orgs.audit import Actor, acting_as
from orgs.models import Membership, Organization, User
from orgs.roles import Permission, Role, role_allows
from orgs.slugs import is_slug

Parameters = ParamSpec("Parameters")


class MemberRequest(HttpRequest):
    """A request that came through the door."""

    user: User
    organization: Organization
    membership: Membership


def membership_of(user: User, slug: str) -> Membership | None:
    if not is_slug(slug):
        return None
    return Membership.objects.select_related("organization").filter(user=user, organization__slug=slug).first()


def membership_by_former_slug(user: User, slug: str) -> Membership | None:
    return (
        Membership.objects.select_related("organization")
        .filter(user=user, organization__former_slugs__slug=slug)
        .first()
        if is_slug(slug)
        else None
    )


def same_page(request: HttpRequest, organization: Organization) -> HttpResponseBase:
    """A redirect to the page under the organization's present slug; a form is posted there again."""
    match = request.resolver_match
    assert match is not None  # noqa: S101 - the handler sets it before it calls a view
    url = reverse(match.view_name, kwargs={**match.kwargs, "organization": organization.slug})
    if query := request.META.get("QUERY_STRING"):
        url = f"{url}?{query}"
    return HttpResponseRedirect(url, preserve_request=request.method not in ("GET", "HEAD"))


def acting_for(request: HttpRequest) -> AbstractContextManager[None]:
    """Names the person who is signed in as the actor of what is written meanwhile."""
    user: User = request.user  # type: ignore[assignment]  # pages that write for a person need one
    return acting_as(Actor.for_user(user, address=request.META.get("REMOTE_ADDR", "")))


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
                if moved := membership_by_former_slug(request.user, organization):
                    return same_page(request, moved.organization)
                raise Http404
            if not role_allows(membership.role, permission):
                role = Role(membership.role).label.lower()
                raise PermissionDenied(f"Your role, {role}, may not {permission}. Ask an admin of the organization.")
            if request.session.get("organization") != membership.organization_id:
                request.session["organization"] = membership.organization_id
            request.membership = membership
            request.organization = membership.organization
            with acting_for(request):
                return view(request, **kwargs)

        through_the_door.permission = permission  # type: ignore[attr-defined]  # the tenancy test reads it
        return through_the_door

    return decorate
