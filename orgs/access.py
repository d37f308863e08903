"""The only door to an organization for people.

Strangers get a 404, so that they cannot find out which organizations exist. Members whose role does not allow what the
page does get a 403 that names it. People who are not signed in are sent to sign in.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from orgs.audit import Actor, acting_as
from orgs.models import Membership, Organization, User
from orgs.roles import Permission, Role, role_allows
from orgs.slugs import is_slug

Parameters = ParamSpec("Parameters")


class MemberRequest(HttpRequest):
    """The request of a member, as ``member_page`` gives it to views."""

    user: User
    organization: Organization
    membership: Membership


def find_membership(user: User, **organization: str) -> Membership | None:
    return Membership.objects.select_related("organization").filter(user=user, **organization).first()


def same_page(request: HttpRequest, organization: Organization) -> HttpResponseBase:
    """A redirect to the page under the present slug of the organization. A form is posted there again."""
    match = request.resolver_match
    assert match is not None  # noqa: S101 - the handler sets it before it calls a view
    url = reverse(match.view_name, kwargs={**match.kwargs, "organization": organization.slug})
    if query := request.META.get("QUERY_STRING"):
        url = f"{url}?{query}"
    return HttpResponseRedirect(url, preserve_request=request.method not in ("GET", "HEAD"))


def acting_for(request: HttpRequest) -> AbstractContextManager[None]:
    """Makes the person who is signed in the actor of what is written meanwhile."""
    user: User = request.user  # type: ignore[assignment]  # pages that write for a person need one
    return acting_as(Actor.for_user(user, address=request.META.get("REMOTE_ADDR", "")))


def member_page(
    permission: Permission,
) -> Callable[[Callable[Concatenate[MemberRequest, Parameters], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """For views of ``/<organization>/…``: sets ``request.organization`` and ``request.membership`` instead of passing
    the slug, makes the member the actor of what the view writes, and shows times in the organization's zone."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @login_required
        @never_cache
        def through_the_door(request: Any, organization: str, **kwargs: Any) -> HttpResponseBase:
            if not is_slug(organization):
                raise Http404
            membership = find_membership(request.user, organization__slug=organization)
            if membership is None:
                moved = find_membership(request.user, organization__former_slugs__slug=organization)
                if moved is None:
                    raise Http404
                return same_page(request, moved.organization)
            if not role_allows(membership.role, permission):
                role = Role(membership.role).label.lower()
                raise PermissionDenied(f"Your role, {role}, may not {permission}. Ask an admin of the organization.")
            if request.session.get("organization") != membership.organization_id:
                request.session["organization"] = membership.organization_id
            request.membership = membership
            request.organization = membership.organization
            with acting_for(request), timezone.override(ZoneInfo(request.organization.time_zone)):
                return view(request, **kwargs)

        through_the_door.permission = permission  # type: ignore[attr-defined]  # the tenancy test reads it
        return through_the_door

    return decorate
