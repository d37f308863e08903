"""Pages of access tokens. Only the answer to the POST that created a secret shows the secret."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
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
from deployments.access_tokens.origin import Origin, origin_of
from deployments.access_tokens.trial import trial_of
from deployments.models import Deployment
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.pages import errors_in, page_of
from orgs.roles import Permission
from tokens import services as token_services
from tokens.models import AccessToken, RetiredSecret
from tokens.scopes import Scope
from tokens.states import State, states


@member_page(Permission.MANAGE_TOKENS)
def tokens(request: MemberRequest) -> HttpResponse:
    revoked, now = request.GET.get("state") == "revoked", timezone.now()
    found = queries.tokens_with_summary(request.organization, revoked=revoked, now=now)
    page = page_of(found, after=request.GET.get("after", ""))
    context = {
        "page": page,
        "lines": [
            {
                "token": token,
                "scopes": scopes_in_words(token),
                "states": all_states(
                    token, now, token.working_secrets, token.first_deployments, token.first_environments
                ),
            }
            for token in page.rows
        ],
        "revoked": revoked,
        "limits_listed": queries.LIMITS_LISTED,
    }
    return render(request, "access_tokens/tokens.html", context)


@member_page(Permission.MANAGE_TOKENS)
def new_token(request: MemberRequest) -> HttpResponse:
    """The answer to the POST shows the secret. If a reload sends the form again, the answer leads to the token."""
    if request.method == "POST" and (created := request.session.get("created_token")):
        nonce, pk = created
        if nonce and request.POST.get("nonce") == nonce:
            return already_shown(request, pk)
    limits, origin = queries.limits_to_choose(request.organization), origin_of(request)
    initial = {"nonce": secrets.token_urlsafe(12), **(origin.initial if origin else {})}
    form = NewTokenForm(request.POST or None, initial=initial, organization=request.organization, **limits)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, default_field="name"):
            token, secret = services.create_limited_token(
                organization=request.organization,
                name=form.cleaned_data["name"],
                created_by=request.user,
                **form.permissions(),
            )
            request.session["created_token"] = [form.cleaned_data["nonce"], token.pk]
            return show_secret(request, token, secret, origin=origin)
    return render(request, "access_tokens/new_token.html", {"form": form, "origin": origin})


@member_page(Permission.MANAGE_TOKENS)
def token_page(request: MemberRequest, pk: int) -> HttpResponse:
    token, now = find_token(request, pk), timezone.now()
    form = TokenForm(
        request.POST or None,
        token=token,
        initial=initial_of(token),
        organization=request.organization,
        **queries.limits_to_choose(request.organization),
    )
    if request.method == "POST":
        if token.revoked_at:
            return reject_revoked(request, token)
        if form.is_valid():
            services.change_token(token=token, **form.permissions())
            messages.success(request, f"{token} is saved.")
            return redirect("token", request.organization.slug, token.pk)
    retired = list(token.retired_secrets.order_by("-retired_at", "-pk"))
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
        return reject_revoked(request, token)
    before = token.name
    form = RenameForm(request.POST or None, initial={"name": before})
    if form.is_valid():
        with errors_in(form, default_field="name"):
            token_services.update_token(token=token, name=form.cleaned_data["name"])
            messages.success(request, f"{before} is now called {token}.")
            return redirect("token", request.organization.slug, token.pk)
    return render(request, "access_tokens/rename_token.html", {"token": token, "name": before, "form": form})


@member_page(Permission.MANAGE_TOKENS)
def revoke_token(request: MemberRequest, pk: int) -> HttpResponse:
    token = find_token(request, pk)
    if token.revoked_at:
        return reject_revoked(request, token)
    if request.method != "POST":
        return render(request, "access_tokens/revoke_token.html", {"token": token})
    token_services.revoke_token(token=token)
    messages.success(request, f"{token} is revoked. From now on, calls with it are rejected.")
    return redirect("tokens", request.organization.slug)


@member_page(Permission.MANAGE_TOKENS)
def rotate_token(request: MemberRequest, pk: int) -> HttpResponse:
    """The answer to the POST shows the new secret. If a reload sends the form again, the answer leads to the token."""
    token = find_token(request, pk)
    if token.revoked_at:
        return reject_revoked(request, token)
    form = RotateForm(request.POST or None, initial={"hint": token.hint})
    if request.method == "POST" and request.POST.get("hint") != token.hint:
        return already_shown(request, token.pk)
    if form.is_valid():
        with errors_in(form):
            grace = form.cleaned_data["grace"]
            secret = token_services.rotate_token(token=token, grace=grace)
            return show_secret(request, token, secret, works_until=timezone.now() + grace, grace=grace_in_words(grace))
    return render(request, "access_tokens/rotate_token.html", {"token": token, "form": form})


def show_secret(
    request: MemberRequest, token: AccessToken, secret: str, *, origin: Origin | None = None, **context: object
) -> HttpResponse:
    """Tells browsers not to store the page, which contains the secret."""
    context |= {"token": token, "secret": secret, "trial": trial_of(token, secret, origin), "origin": origin}
    response = render(request, "access_tokens/secret.html", context)
    response["Cache-Control"] = "no-store"
    return response


def already_shown(request: MemberRequest, pk: int) -> HttpResponse:
    messages.warning(request, "A secret is shown only once. If you did not store it, rotate the token.")
    return redirect("token", request.organization.slug, pk)


def reject_revoked(request: MemberRequest, token: AccessToken) -> HttpResponse:
    messages.error(request, f"{token} is revoked and cannot be changed: create a new token.")
    return redirect("token", request.organization.slug, token.pk)


def find_token(request: MemberRequest, pk: int) -> AccessToken:
    found: AccessToken = get_object_or_404(
        AccessToken.objects.select_related("organization", "created_by"), organization=request.organization, pk=pk
    )
    return found


def all_states(
    token: AccessToken,
    now: datetime,
    retired: Iterable[RetiredSecret],
    deployments: Sequence[Deployment],
    environments: Sequence[Environment],
) -> list[State]:
    """The states of a token, and whether it may do nothing because everything that it is limited to is deleted."""
    found = states(token, now, retired=retired)
    has_no_target = (token.limited_to_deployments and not deployments) or (
        token.limited_to_environments and not environments
    )
    if token.state(now) != "active" or not has_no_target:
        return found
    return [State("bad", "allowed nothing"), *(state for state in found if state.tone != "ok")]


def scopes_in_words(token: AccessToken) -> list[str]:
    return [Scope(scope).label for scope in token.scope_list if scope in Scope.values]
