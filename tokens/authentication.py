"""Finding the access token of an API call, wherever its client puts it.

It may be in the header ``Authorization: Bearer`` (Sleuth's current pages and CLI) or ``Authorization: apikey`` (its
older pages, a Go library), the user name of HTTP Basic, the field ``api_key`` of a JSON, form or multipart body (the
GitHub Action, most curl scripts) or of the query string (Terraform Cloud), or the last segment of the path (Sleuth's
incident webhook, for Grafana OnCall and others).
"""

import base64
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from orgs.models import FormerSlug
from orgs.outages import outage
from orgs.slugs import is_slug
from orgs.text import digest, ip_address_or_none, problem_in_text
from tokens.models import AccessToken, RetiredSecret
from tokens.scopes import Scope, allows
from tokens.statements import TokenRow, find_token

logger = logging.getLogger(__name__)

# One text for all reasons, so that callers cannot find out which tokens, organizations and deployments exist.
UNAUTHORIZED = "Unauthorized: the access token is not valid, or the deployment is not in its organization."
NO_TOKEN = "No access token: send it as 'Authorization: Bearer <token>' or as api_key in the body."
UNKNOWN_SECRET = "No access token of this organization has this secret."
LACKS_SCOPE = "The access token lacks the scope {}: use a token that has it, or ALL."
NO_SCHEME = "The Authorization header has no scheme: write 'Authorization: Bearer <token>'."

# Clients such as wget --user and Ansible's url_username send HTTP Basic only after a challenge.
AUTHENTICATE = 'Bearer realm="Gumshoe", Basic realm="Gumshoe"'
TOKEN_SCHEMES = ("bearer", "apikey")
LAST_USED_PRECISION = timedelta(minutes=1)


class TokenRejected(AuthenticationFailed):
    """The caller gets the text UNAUTHORIZED. ``explanation`` is for the organization of the path, and ``token`` is set
    only if it belongs to that organization."""

    def __init__(self, explanation: str, *, token: TokenRow | None = None) -> None:
        super().__init__(UNAUTHORIZED)
        self.explanation = explanation
        self.token = token


class AccessTokenAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the TokenRow of the call. There is no user.

    An ``organization`` in the path must be the token's, by its present slug or a former one.
    """

    def authenticate(self, request: Request) -> tuple[None, TokenRow]:
        secret = next(self.secrets(request), "")
        if not secret:
            raise NotAuthenticated(no_secret_sentence(request))
        token = find_token(digest(secret))
        now = timezone.now()
        if token is None:
            raise TokenRejected(UNKNOWN_SECRET)
        organization = request.parser_context["kwargs"].get("organization")
        if organization is not None and not names_organization(organization.lower(), token):
            raise TokenRejected("The access token belongs to another organization.")
        if token.revoked_at:
            raise TokenRejected(f"The access token was revoked on {token.revoked_at:%Y-%m-%d}.", token=token)
        if token.expires_at and token.expires_at <= now:
            raise TokenRejected(f"The access token expired on {token.expires_at:%Y-%m-%d}.", token=token)
        if token.retired and token.retired.works_until <= now:
            raise TokenRejected(
                f"The access token got a new secret on {token.retired.retired_at:%Y-%m-%d}. The call was made with "
                f"the old one, which stopped working on {token.retired.works_until:%Y-%m-%d at %H:%M} UTC.",
                token=token,
            )
        last_used_at = (token.retired or token).last_used_at
        if last_used_at is None or now - last_used_at >= LAST_USED_PRECISION:
            note_use(token, request)
        return None, token

    def secrets(self, request: Request) -> Iterator[str]:
        return sent_secrets(request)

    def authenticate_header(self, request: Request) -> str:
        return AUTHENTICATE


class BareKeyAuthentication(AccessTokenAuthentication):
    """Also takes a header ``Authorization: <token>`` without a scheme, as Sweetr does."""

    def secrets(self, request: Request) -> Iterator[str]:
        words = request.META.get("HTTP_AUTHORIZATION", "").split()
        if len(words) == 1 and words[0].lower() not in TOKEN_SCHEMES:
            yield words[0]
        yield from sent_secrets(request)


def names_organization(slug: str, token: TokenRow) -> bool:
    return slug == token.organization_slug or (
        is_slug(slug) and FormerSlug.objects.filter(organization=token.organization_id, slug=slug).exists()
    )


def sent_secrets(request: Request) -> Iterator[str]:
    """The secrets of a call by precedence: path, header, query string, body. The body is read only if needed."""
    if in_path := request.parser_context["kwargs"].get("token", "").strip():
        yield in_path
    scheme, credentials = authorization(request)
    if scheme in TOKEN_SCHEMES and credentials:
        yield credentials
    if scheme == "basic" and (user := basic_user(credentials)):
        yield user
    yield from api_keys(request.query_params)
    yield from api_keys(request.data)


def api_keys(fields: Any) -> Iterator[str]:
    api_key = fields.get("api_key") if isinstance(fields, Mapping) else None
    if isinstance(api_key, str) and api_key.strip():
        yield api_key.strip()


def header_secrets(request: Request) -> Iterator[str]:
    """The credentials of the Authorization header as they are, and the user of HTTP Basic."""
    _, credentials = authorization(request)
    if credentials:
        yield credentials
        yield basic_user(credentials)


def basic_user(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0].strip()
    except ValueError:  # not base64, or not UTF-8
        return ""


def authorization(request: Request) -> tuple[str, str]:
    """The scheme in lower case, and the credentials after it."""
    scheme, *credentials = request.META.get("HTTP_AUTHORIZATION", "").split(None, 1) or ("",)
    return scheme.lower(), credentials[0].strip() if credentials else ""


def no_secret_sentence(request: Request) -> str:
    scheme, credentials = authorization(request)
    return NO_SCHEME if scheme and not credentials and scheme not in (*TOKEN_SCHEMES, "basic") else NO_TOKEN


def note_use(token: TokenRow, request: Request) -> None:
    """Write when and from where the secret was last used, at most once a minute."""
    now = timezone.now()
    agent = request.META.get("HTTP_USER_AGENT", "")[:200]
    used: QuerySet[Any] = AccessToken.objects.filter(pk=token.id)
    if token.retired:
        used = RetiredSecret.objects.filter(pk=token.retired.id)
    try:
        used.exclude(last_used_at__gt=now - LAST_USED_PRECISION).update(
            last_used_at=now,
            last_used_address=ip_address_or_none(request.META.get("REMOTE_ADDR", "")),
            last_used_agent="" if problem_in_text(agent) else agent,
        )
    except DatabaseError as error:
        # Whoever only reads needs nothing written.
        if outage(error) is None:
            raise
        logger.warning("The last use of an access token is not noted: %s", error)


class TokenAllows(BasePermission):
    """403 unless the token has the view's ``required_scope``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope: Scope = view.required_scope  # type: ignore[attr-defined]  # a view without one must fail
        token: TokenRow = request.auth  # type: ignore[assignment]  # the stubs know only DRF's own tokens
        self.message = LACKS_SCOPE.format(scope)
        return allows(token.scopes, scope)
