from functools import cached_property
from time import perf_counter
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import APIException, NotAuthenticated, Throttled
from rest_framework.request import Request

from deployments.api.body import fields_to_store
from deployments.api.dropped import HEADER as DROPPED
from deployments.api.dropped import Dropped
from deployments.api.dry_run import FIELD, asks_for_dry_run
from deployments.api.views import TokenView
from deployments.errors import DuplicateDeploy, RegistrationError
from deployments.models.call import MAX_BODY_BYTES_KEPT, Outcome
from deployments.request_log.writer import LoggedCall, request_log
from orgs.audit import Actor
from tokens.authentication import AccessTokenAuthentication, header_secrets
from tokens.services import token_actor
from tokens.statements import TokenRow

DRY_RUN = "Dry run: nothing was stored."
OUTCOME_OF_STATUS = {401: Outcome.UNAUTHORIZED, 429: Outcome.RATE_LIMITED}


class PerhapsToken(AccessTokenAuthentication):
    """Nobody is turned away."""

    def authenticate(self, request: Request) -> tuple[None, TokenRow] | None:  # type: ignore[override]
        try:
            return super().authenticate(request)
        except (APIException, RegistrationError):
            return None


class CallView(TokenView):
    """An endpoint that stores what calls bring, and writes each call into the request log.

    The log is that of the organization which the path names or, if it names none, of the token's. ``kind`` is the name
    of the endpoint there.
    """

    kind = ""
    # For the log: why the call was rejected or ignored, and which deployment its body names.
    rejection: Exception | None = None
    is_dry_run = False
    deployment_slug = ""

    @cached_property
    def dropped(self) -> Dropped:
        """What of the call was changed."""
        return Dropped()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        started = perf_counter()
        response = super().dispatch(request, *args, **kwargs)
        duration = round((perf_counter() - started) * 1000)
        token = getattr(request, "auth", None) or getattr(self.rejection, "token", None)
        if organization := self.kwargs.get("organization", token.organization_slug if token else ""):
            request_log.add(self.logged(request, response, organization=organization, token=token, duration=duration))
        return response

    @property
    def actor(self) -> Actor:
        """The token, for the audit log."""
        return token_actor(self.token, address=self.request.META.get("REMOTE_ADDR", ""))

    def read_fields(self) -> dict[str, Any]:
        """Also finds out whether this is a dry run. Raises UnreadableBody, BodyTooLarge and InvalidField."""
        body: dict[str, Any] = self.request.data  # type: ignore[assignment]  # FieldsParser gives an object
        fields = fields_to_store(self.query, body, self.dropped)
        self.is_dry_run = asks_for_dry_run(in_query=self.query.get(FIELD), in_body=body.get(FIELD))
        return fields

    def handle_exception(self, exc: Exception) -> Any:
        self.rejection = exc
        return super().handle_exception(exc)

    def logged(
        self, request: HttpRequest, response: Any, *, organization: str, token: TokenRow | None, duration: int
    ) -> LoggedCall:
        body, body_bytes = self.body_to_keep(request)
        meta = request.META
        return LoggedCall(
            organization_slug=organization.lower(),
            outcome=self.outcome(response.status_code),
            body=body[:MAX_BODY_BYTES_KEPT],
            secrets=(self.kwargs.get("token", ""), *header_secrets(Request(request))),
            columns={
                "kind": self.kind,
                "deployment_slug": self.kwargs.get("deployment", self.deployment_slug).lower(),
                "project_slug": self.kwargs.get("project", "").lower(),
                "method": request.method or "",
                "path": request.get_full_path(),
                "content_type": meta.get("CONTENT_TYPE", ""),
                "body_bytes": body_bytes,
                "status": response.status_code,
                "answer": self.answer_in_log(response),
                "explanation": self.explanation(),
                "dropped": response.headers.get(DROPPED, ""),
                "token_id": token.id if token else None,
                "token_name": token.name if token else "",
                "deploy_id": response.headers.get("X-Deploy-Id"),
                "manual_change_id": response.headers.get("X-Manual-Change-Id"),
                "address": meta.get("REMOTE_ADDR", ""),
                "agent": meta.get("HTTP_USER_AGENT", ""),
                "request_id": meta.get("HTTP_X_REQUEST_ID", ""),
                "duration": duration,
                "created_at": timezone.now(),
            },
        )

    def explanation(self) -> str:
        """What the answer leaves out, because the caller may be a stranger."""
        if self.unauthorized_text and isinstance(self.rejection, NotAuthenticated):
            return str(self.rejection.detail)
        explanation: str = getattr(self.rejection, "explanation", "")
        return explanation

    def answer_in_log(self, response: Any) -> str:
        if response.status_code < 400:
            return DRY_RUN if self.is_dry_run else "Success"
        # Sweetr's answers are JSON.
        return getattr(response, "sentence", "") or str(response.content.decode())

    def body_to_keep(self, request: HttpRequest) -> tuple[bytes, int]:
        """What the log keeps of the body, and the length of the whole. The log itself reads no body."""
        body: bytes = getattr(request, "_body", b"")
        return body, len(body)

    def outcome(self, status: int) -> Outcome:
        if self.is_dry_run and status < 500:
            return Outcome.DRY_RUN
        if isinstance(self.rejection, DuplicateDeploy):
            return Outcome.DUPLICATE
        if isinstance(self.rejection, Throttled):
            return Outcome.RATE_LIMITED
        if status >= 500:
            return Outcome.FAILED
        if status >= 400:
            return OUTCOME_OF_STATUS.get(status, Outcome.REJECTED)
        return Outcome.ACCEPTED


class UnknownPathView(CallView):
    """A path of the API that leads nowhere. A call with a token is logged, so that somebody sees that it was lost."""

    kind = "unknown-path"
    authentication_classes = (PerhapsToken,)
    permission_classes = ()
    throttle_classes = ()
    http_method_names = []  # noqa: RUF012 - Django's own

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answers all methods, since there is none that this view has."""
        raise Http404
