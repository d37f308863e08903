"""Pages about signing in that differ from allauth's."""

import logging
from typing import Any
from urllib.parse import urlencode

from allauth.account import views
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from requests import RequestException

from orgs.invitations import sends_mail
from orgs.models import User

logger = logging.getLogger(__name__)


class LoginView(views.LoginView):  # type: ignore[misc]  # allauth has no types
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            **single_sign_on(self.request),
            "there_are_users": User.objects.exists(),
        }


class PasswordResetView(views.PasswordResetView):  # type: ignore[misc]  # allauth has no types
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sends_mail": sends_mail()}


class PasswordResetDoneView(views.PasswordResetDoneView):  # type: ignore[misc]  # allauth has no types
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sends_mail": sends_mail()}


def single_sign_on(request: HttpRequest, following: str = "") -> dict[str, str]:
    """For templates/account/_single_sign_on.html, which shows nothing without an issuer."""
    if not settings.OIDC_ISSUER:
        return {}
    url = reverse("openid_connect_login", kwargs={"provider_id": "sso"})
    if following := following or get_next_redirect_url(request) or "":
        url = f"{url}?{urlencode({'next': following})}"
    return {"single_sign_on_url": url, "single_sign_on_name": settings.OIDC_NAME}


def go_to_issuer(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    try:
        response: HttpResponseBase = openid_connect.login(request, provider_id)
    except RequestException as error:
        logger.error("The OpenID Connect issuer does not answer: %s", error)
        return render(request, "socialaccount/authentication_error.html", status=503)
    return response


def signup_closed(request: HttpRequest) -> HttpResponse:
    return render(request, "account/signup_closed.html")


def sign_in_for_admin(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """Replaces Django admin's own form. Others than staff get a 403, since a redirect would never end."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        raise PermissionDenied("Only staff may use the operator's pages.")
    if request.user.is_authenticated:
        return redirect("admin:index")
    following = get_next_redirect_url(request) or reverse("admin:index")
    return redirect(f"{reverse('account_login')}?{urlencode({'next': following})}")
