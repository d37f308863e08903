"""The wire formats in which calls register deploys: a row for each.

Another format takes a module with its reader, a row here, a schema in ``deployments/schemas``, an operation in
``openapi.yaml`` and a test file. The route, dry runs, replays and the request log come with the row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.throttling import BaseThrottle

from deployments.api.answers import answer_exception, answer_exception_as_json, answer_text
from deployments.api.body import ExpectedBody
from deployments.registration import sleuth, sweetr
from deployments.registration.registration import Registration
from deployments.registration.statements import TargetRow
from tokens.authentication import AccessTokenAuthentication, BareKeyAuthentication
from tokens.scopes import Scope
from tokens.throttling import SweetrThrottle, TokenThrottle

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFormat:
    """The request log shows ``name``. ``paths`` are regular expressions, and ``reverse(name)`` gives the first.

    ``read`` takes the fields of a call and the targets of the deployment that its path names, if it names one. It
    returns None for a call that registers nothing, and raises RegistrationError. ``deployment_field`` is the field that
    names the deployment if the path does not.
    """

    name: str
    paths: tuple[str, ...]
    schema: str
    expected: ExpectedBody
    read: Callable[[Fields, Sequence[TargetRow]], Registration | None]
    answer: Callable[[], HttpResponse] = lambda: answer_text(200, "Success")
    answer_error: Callable[[Exception, dict[str, Any]], HttpResponse] = answer_exception
    scope: Scope = Scope.REGISTER_DEPLOY
    authentication: type[BaseAuthentication] = AccessTokenAuthentication
    throttle: type[BaseThrottle] = TokenThrottle
    deployment_field: str = ""


SLEUTH = WireFormat(
    name="register-deploy",
    paths=(
        # A deployment's segment may be anything, even lines: what cannot be a slug gets its own answer. Sleuth's
        # PowerShell sample has the hyphen.
        r"^api/1/deployments/(?P<organization>[^/]+)/(?P<deployment>(?s:.+))/register[_-]deploy\Z",
        # Two clients still use Sleuth's former path.
        r"^api/1/(?P<organization>[^/]+)/(?P<deployment>[^/]+)/register_deploy\Z",
    ),
    schema=sleuth.SCHEMA,
    expected=ExpectedBody("sha", "commits or files"),
    read=sleuth.read_call,
)
SWEETR = WireFormat(
    name="sweetr-deployments",
    paths=(r"^v1/deployments\Z",),
    schema=sweetr.SCHEMA,
    expected=ExpectedBody("commitHash"),
    read=sweetr.read_registration,
    # Sweetr itself answers before it stores.
    answer=lambda: JsonResponse({"status": 202}, status=202),
    answer_error=answer_exception_as_json,
    authentication=BareKeyAuthentication,
    throttle=SweetrThrottle,
    deployment_field="app",
)
FORMATS = {wire.name: wire for wire in (SLEUTH, SWEETR)}
