from time import perf_counter
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from deployments.api.base import TokenView
from deployments.models.call import MAX_BODY_BYTES_KEPT, Outcome
from deployments.registration.errors import DuplicateDeploy
from deployments.request_log.writer import Facts, request_log
from tokens.authentication import header_secrets

OUTCOME_OF_STATUS = {401: Outcome.UNAUTHORIZED, 429: Outcome.RATE_LIMITED}


class RegistrationView(TokenView):
    """A registration endpoint, whose path names an organization: each call leaves a line in the request log."""

    exception: Exception | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        started = perf_counter()
        response = super().dispatch(request, *args, **kwargs)
        request_log.add(self.facts(request, response, duration=round((perf_counter() - started) * 1000)))
        return response

    def handle_exception(self, exc: Exception) -> Any:
        self.exception = exc
        return super().handle_exception(exc)

    def facts(self, request: HttpRequest, response: Any, *, duration: int) -> Facts:
        body, body_bytes = self.body_to_keep(request)
        token = getattr(request, "auth", None) or getattr(self.exception, "token", None)
        return Facts(
            organization_slug=self.kwargs["organization"].lower(),
            deployment_slug=self.kwargs.get("deployment", "").lower(),
            method=request.method or "",
            path=request.get_full_path(),
            content_type=request.META.get("CONTENT_TYPE", ""),
            body=body[:MAX_BODY_BYTES_KEPT],
            body_bytes=body_bytes,
            secrets=tuple(header_secrets(Request(request))),
            status=response.status_code,
            outcome=self.outcome(response.status_code),
            answer=response.content.decode() if response.status_code >= 400 else "Success",
            explanation=getattr(self.exception, "explanation", ""),
            token_id=token.id if token else None,
            token_name=token.name if token else "",
            deploy_id=int(response.headers["X-Deploy-Id"]) if "X-Deploy-Id" in response.headers else None,
            address=request.META.get("REMOTE_ADDR", ""),
            agent=request.META.get("HTTP_USER_AGENT", ""),
            request_id=request.META.get("HTTP_X_REQUEST_ID", ""),
            duration=duration,
            created_at=timezone.now(),
        )

    def body_to_keep(self, request: HttpRequest) -> tuple[bytes, int]:
        """What of the body the log keeps, and the length of all. One that nobody read is not read for the log."""
        body: bytes = getattr(request, "_body", b"")
        return body, len(body)

    def outcome(self, status: int) -> Outcome:
        if isinstance(self.exception, DuplicateDeploy):
            return Outcome.DUPLICATE
        if status >= 500:
            return Outcome.FAILED
        if status >= 400:
            return OUTCOME_OF_STATUS.get(status, Outcome.REJECTED)
        return Outcome.ACCEPTED
