from time import perf_counter
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from deployments.api.body import read_query
from deployments.api.dry_run import asks_for_dry_run
from deployments.api.views import TokenView
from deployments.errors import DuplicateDeploy
from deployments.models.call import MAX_BODY_BYTES_KEPT, Outcome
from deployments.request_log.writer import LoggedCall, request_log
from tokens.authentication import header_secrets
from tokens.secrets import without_secrets
from tokens.statements import TokenRow

DRY_RUN = "Dry run: nothing was stored."
OUTCOME_OF_STATUS = {401: Outcome.UNAUTHORIZED, 429: Outcome.RATE_LIMITED}


class RegistrationView(TokenView):
    """A registration endpoint: each call leaves a line in the request log of the organization that its path names or,
    where it names none, whose token it came with. There a call without a valid token is nobody's."""

    exception: Exception | None = None
    is_dry_run = False
    deployment_slug = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        started = perf_counter()
        response = super().dispatch(request, *args, **kwargs)
        duration = round((perf_counter() - started) * 1000)
        token = getattr(request, "auth", None) or getattr(self.exception, "token", None)
        if organization := self.kwargs.get("organization", token.organization_slug if token else ""):
            request_log.add(self.facts(request, response, organization=organization, token=token, duration=duration))
        return response

    def read_fields(self) -> dict[str, Any]:
        """The fields of the call, without secrets: a link or a message may repeat the token it came with.

        From here on it is known whether it is a dry run. Raises as ``fields``.
        """
        fields, body = self.fields, self.request.data
        query = read_query(self.request.META.get("QUERY_STRING", ""))
        self.is_dry_run = asks_for_dry_run(query=query, body=body)  # type: ignore[arg-type]  # as in ``fields``
        without: dict[str, Any] = without_secrets(fields)
        return without

    def handle_exception(self, exc: Exception) -> Any:
        self.exception = exc
        return super().handle_exception(exc)

    def facts(
        self, request: HttpRequest, response: Any, *, organization: str, token: TokenRow | None, duration: int
    ) -> LoggedCall:
        body, body_bytes = self.body_to_keep(request)
        return LoggedCall(
            organization_slug=organization.lower(),
            deployment_slug=self.kwargs.get("deployment", self.deployment_slug).lower(),
            project_slug=self.kwargs.get("project", "").lower(),
            method=request.method or "",
            path=request.get_full_path(),
            content_type=request.META.get("CONTENT_TYPE", ""),
            body=body[:MAX_BODY_BYTES_KEPT],
            body_bytes=body_bytes,
            secrets=(self.kwargs.get("token", ""), *header_secrets(Request(request))),
            status=response.status_code,
            outcome=self.outcome(response.status_code),
            answer=DRY_RUN if self.is_dry_run and response.status_code < 400 else self.answer_in_log(response),
            explanation=self.explanation(),
            token_id=token.id if token else None,
            token_name=token.name if token else "",
            deploy_id=id_in(response, "X-Deploy-Id"),
            manual_change_id=id_in(response, "X-Manual-Change-Id"),
            address=request.META.get("REMOTE_ADDR", ""),
            agent=request.META.get("HTTP_USER_AGENT", ""),
            request_id=request.META.get("HTTP_X_REQUEST_ID", ""),
            duration=duration,
            created_at=timezone.now(),
        )

    def explanation(self) -> str:
        """What the answer left unsaid."""
        if self.unauthorized_text and isinstance(self.exception, NotAuthenticated):
            return str(self.exception.detail)
        explanation: str = getattr(self.exception, "explanation", "")
        return explanation

    def answer_in_log(self, response: Any) -> str:
        return response.content.decode() if response.status_code >= 400 else "Success"

    def body_to_keep(self, request: HttpRequest) -> tuple[bytes, int]:
        """What of the body the log keeps, and the length of all. One that nobody read is not read for the log."""
        body: bytes = getattr(request, "_body", b"")
        return body, len(body)

    def outcome(self, status: int) -> Outcome:
        if self.is_dry_run and status < 500:
            return Outcome.DRY_RUN
        if isinstance(self.exception, DuplicateDeploy):
            return Outcome.DUPLICATE
        if status >= 500:
            return Outcome.FAILED
        if status >= 400:
            return OUTCOME_OF_STATUS.get(status, Outcome.REJECTED)
        return Outcome.ACCEPTED


def id_in(response: Any, header: str) -> int | None:
    return int(response.headers[header]) if header in response.headers else None
