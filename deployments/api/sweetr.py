import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from deployments.api.answers import answer_exception_as_json
from deployments.api.registering import DeployRegistrationView
from deployments.registration.errors import PlaceMoved
from deployments.registration.new_places import Creation, create_place, find_place
from deployments.registration.registration import Registration
from deployments.registration.statements import Place
from deployments.registration.trial import rolled_back
from deployments.wire.body import Expected
from deployments.wire.sweetr import SweetrDeployment, read_deployment
from orgs.audit import Actor, acting_as
from tokens.authentication import BareKeyAuthentication
from tokens.throttling import SweetrThrottle

Act = Callable[[Place, Registration, Sequence[Creation]], HttpResponse]


class SweetrView(DeployRegistrationView):
    """``POST /v1/deployments``. It answers once the deploy is stored, where Sweetr itself only promises to."""

    authentication_classes = (BareKeyAuthentication,)
    throttle_classes = (SweetrThrottle,)
    expected = Expected("commitHash")

    def get_exception_handler(self) -> Any:
        return answer_exception_as_json

    def answer_in_log(self, response: Any) -> str:
        return str(json.loads(response.content)["error"]) if response.status_code >= 400 else "Success"

    def post(self, request: Request) -> HttpResponse:
        fields = self.read_fields()
        self.deployment_slug = str(fields.get("app", ""))
        deployment = read_deployment(fields)
        if self.is_dry_run:
            with rolled_back():
                return self.at_place(deployment, self.try_out)
        return self.at_place(deployment, self.answer_stored)

    def at_place(self, deployment: SweetrDeployment, act: Act) -> HttpResponse:
        """What ``act`` answers at the deployment's place, which is created where it is missing."""
        application, registration = deployment.application, deployment.registration
        try:
            place = find_place(token=self.token, application=application)
            if place is not None:
                self.deployment_slug = place.deployment_slug
                return act(place, registration, [])
        except PlaceMoved:
            pass  # It is found again, under a lock.
        actor = Actor(label=f"access token {self.token.name}", address=self.request.META.get("REMOTE_ADDR", ""))
        with acting_as(actor), transaction.atomic():
            place, created = create_place(token=self.token, application=application)
            self.deployment_slug = place.deployment_slug
            return act(place, registration, created)

    def answer_stored(self, place: Place, registration: Registration, created: Sequence[Creation]) -> HttpResponse:
        return self.accept(self.headers_of(self.store(place, registration)))

    def accept(self, headers: Mapping[str, str] | None = None) -> HttpResponse:
        return JsonResponse({"status": 202}, status=202, headers=headers)
