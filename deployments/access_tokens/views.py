"""Access tokens. A secret is on the one page that answers the POST that made it, and nowhere else."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from deployments.access_tokens import queries, services
from deployments.access_tokens.forms import (
    NewTokenForm,
    RenameForm,
    RotateForm,
    TokenForm,
    grace_in_words,
    initial_of,
)
from deployments.models import Deployment
from deployments.setup.snippets import TOOLS, snippet
from orgs.access import MemberRequest, member_page
from orgs.models import Environment, Organization
from orgs.pages import page_of
from orgs.roles import Permission
from tokens import services as token_services
from tokens.models import AccessToken, RetiredSecret
from tokens.scopes import Scope, allows
from tokens.states import State, states


class ListedToken(NamedTuple):
    """A token of the list."""

    token: AccessToken
    scopes: list[str]
    states: list[State]


class Choices(TypedDict):
    """What a token of the organization can be limited to."""

    organization: Organization
    deployments: list[Deployment]
    environments: list[Environment]


@member_page(Permission.MANAGE_TOKENS)
def tokens(request: MemberRequest) -> HttpResponse:
    revoked, now = request.GET.get("state") == "revoked", timezone.now()
    found = queries.tokens_in_short(request.organization, revoked=revoked, now=now)
    page = page_of(found, after=request.GET.get("after", ""))
    context = {
        "page": page,
        "lines": [
            ListedToken(
                token,
                scopes_in_words(token),
                all_states(token, now, token.working_secrets, token.first_deployments, token.first_environments),
            )
            for token in page.rows
        ],
        "revoked": revoked,
        "named_limits": queries.NAMED_LIMITS,
    }
    return render(request, "access_tokens/tokens.html", context)


@member_page(Permission.MANAGE_TOKENS)
def new_token(request: MemberRequest) -> HttpResponse:
    """The answer to the POST shows the secret; sent again by a reload it leads to the token instead."""
    if request.method == "POST" and (created := request.session.get("created_token")):
        nonce, pk = created
        if nonce and request.POST.get("nonce") == nonce:
            return already_shown(request, pk)
    initial = {"nonce": secrets.token_urlsafe(12), **asked_limit(request)}
    form = NewTokenForm(request.POST or None, initial=initial, **choices(request))
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = services.create_limited_token(
                organization=request.organization,
                name=form.cleaned_data["name"],
                created_by=request.user,
                **form.permissions(),
            )
        except ValidationError as error:
            form.add_error("name", error.messages)
        else:
            request.session["created_token"] = [form.cleaned_data["nonce"], token.pk]
            return show_secret(request, token, secret)
    return render(request, "access_tokens/new_token.html", {"form": form})


def asked_limit(request: MemberRequest) -> dict[str, object]:
    """A deployment's pages ask for a token for it by ``?deployment=``."""
    slug = request.GET.get("deployment", "")
    wanted = [item for item in queries.deployments_to_choose(request.organization) if item.slug == slug] if slug else []
    if not wanted:
        return {}
    return {"limit_deployments": "some", "deployments": [str(item.pk) for item in wanted], "name": f"CI of {wanted[0]}"}


@member_page(Permission.MANAGE_TOKENS)
def token_page(request: MemberRequest, pk: int) -> HttpResponse:
    token, now = find_token(request, pk), timezone.now()
    form = TokenForm(request.POST or None, token=token, initial=initial_of(token), **choices(request))
    if request.method == "POST":
        if token.revoked_at:
            return is_revoked(request, token)
        if form.is_valid():
            services.change_token(token=token, **form.permissions())
            messages.success(request, f"{token} is saved.")
            return redirect("token", request.organization.slug, token.pk)
    retired = queries.retired_secrets(token)
    deployments, environments = queries.limits_of(token)
    context = {
        "token": token,
        "form": form,
        "scopes": scopes_in_words(token),
        "states": all_states(token, now, retired, deployments, environments),
        "may_rotate": token.state(now) == "active",
        "retired": [(secret, secret.works_until > now) for secret in retired],
        "deployments": deployments,
        "environments": environments,
    }
    return render(request, "access_tokens/token.html", context)


@member_page(Permission.MANAGE_TOKENS)
def rename_token(request: MemberRequest, pk: int) -> HttpResponse:
    token = find_token(request, pk)
    if token.revoked_at:
        return is_revoked(request, token)
    before = token.name
    form = RenameForm(request.POST or None, initial={"name": before})
    if form.is_valid():
        try:
            token_services.update_token(token=token, name=form.cleaned_data["name"])
        except ValidationError as error:
            form.add_error("name", error.messages)
        else:
            messages.success(request, f"{before} is called {token} now.")
            return redirect("token", request.organization.slug, token.pk)
    return render(request, "access_tokens/rename_token.html", {"token": token, "name": before, "form": form})


@member_page(Permission.MANAGE_TOKENS)
def revoke_token(request: MemberRequest, pk: int) -> HttpResponse:
    token = find_token(request, pk)
    if token.revoked_at:
        return is_revoked(request, token)
    if request.method != "POST":
        return render(request, "access_tokens/revoke_token.html", {"token": token})
    token_services.revoke_token(token=token)
    messages.success(request, f"{token} is revoked. Calls with it are refused from now on.")
    return redirect("tokens", request.organization.slug)


@member_page(Permission.MANAGE_TOKENS)
def rotate_token(request: MemberRequest, pk: int) -> HttpResponse:
    """The answer to the POST shows the new secret; sent again by a reload it leads to the token instead."""
    token = find_token(request, pk)
    if token.revoked_at:
        return is_revoked(request, token)
    form = RotateForm(request.POST or None, initial={"hint": token.hint})
    if request.method == "POST" and request.POST.get("hint") != token.hint:
        return already_shown(request, token.pk)
    if form.is_valid():
        try:
            secret = token_services.rotate_token(token=token, grace=form.cleaned_data["grace"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            grace = form.cleaned_data["grace"]
            return show_secret(request, token, secret, works_until=timezone.now() + grace, grace=grace_in_words(grace))
    return render(request, "access_tokens/rotate_token.html", {"token": token, "form": form})


def show_secret(request: MemberRequest, token: AccessToken, secret: str, **context: object) -> HttpResponse:
    """The door lets no page be stored; this one must not be in any case."""
    context |= {"token": token, "secret": secret, "call": ready_call(token, secret)}
    response = render(request, "access_tokens/secret.html", context)
    response["Cache-Control"] = "no-store"
    return response


def ready_call(token: AccessToken, secret: str) -> str:
    """A command that tries the token; empty where there is nothing that it may do yet."""
    place = queries.first_target(token)
    if allows(token.scopes, Scope.REGISTER_DEPLOY) and place:
        return f"GUMSHOE_TOKEN={secret}\n{snippet(TOOLS[0], *place)}"
    if allows(token.scopes, Scope.READ):
        url = settings.SITE_URL + reverse("live", args=[token.organization.slug])
        return f'GUMSHOE_TOKEN={secret}\ncurl --header "Authorization: Bearer $GUMSHOE_TOKEN" "{url}"'
    return ""


def already_shown(request: MemberRequest, pk: int) -> HttpResponse:
    messages.warning(request, "That was done already. A secret is shown once: rotate the token if you did not keep it.")
    return redirect("token", request.organization.slug, pk)


def is_revoked(request: MemberRequest, token: AccessToken) -> HttpResponse:
    messages.error(request, f"{token} is revoked and cannot be changed: create a new token.")
    return redirect("token", request.organization.slug, token.pk)


def find_token(request: MemberRequest, pk: int) -> AccessToken:
    found: AccessToken = get_object_or_404(
        AccessToken.objects.select_related("organization", "created_by"), organization=request.organization, pk=pk
    )
    return found


def choices(request: MemberRequest) -> Choices:
    organization = request.organization
    return {
        "organization": organization,
        "deployments": queries.deployments_to_choose(organization),
        "environments": queries.environments_to_choose(organization),
    }


def all_states(
    token: AccessToken,
    now: datetime,
    retired: Iterable[RetiredSecret],
    deployments: Sequence[Deployment],
    environments: Sequence[Environment],
) -> list[State]:
    """Also that it is allowed nothing, since all that it is limited to is deleted."""
    found = states(token, now, retired=retired)
    without_place = (token.limited_to_deployments and not deployments) or (
        token.limited_to_environments and not environments
    )
    if token.state(now) != "active" or not without_place:
        return found
    return [State("bad", "allowed nothing"), *(state for state in found if state.tone != "ok")]


def scopes_in_words(token: AccessToken) -> list[str]:
    return [Scope(scope).label for scope in token.scope_list if scope in Scope.values]
