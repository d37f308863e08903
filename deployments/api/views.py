from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from deployments.api.base import ApiView
from deployments.api.logged import RegistrationView
from deployments.api.representation import deploy_path, represent_with_changes
from deployments.api.success import answer_by_key, answer_success
from deployments.queries import deploys_with_place
from deployments.registration.errors import DuplicateDeploy, PlaceMoved
from deployments.registration.idempotency import Answer
from deployments.registration.places import check_branch, check_environment_allowed, choose_place, find_deployment
from deployments.registration.register import register_deploy
from deployments.registration.registration import Registration
from deployments.registration.statements import Place
from deployments.wire.openapi import document
from deployments.wire.schemas import SCHEMA_DIR
from deployments.wire.sleuth import read_registration
from tokens.scopes import Scope


class RegisterDeployView(RegistrationView):
    required_scope = Scope.REGISTER_DEPLOY

    def post(self, request: Request, organization: str, deployment: str) -> HttpResponse:
        places = find_deployment(token=self.token, slug=deployment)
        registration = read_registration(self.fields)
        place = self.choose_place(places, registration)

        def answer() -> Answer:
            try:
                return self.register(request, place, registration)
            except PlaceMoved:
                now_at = find_deployment(token=self.token, slug=deployment)
                return self.register(request, self.choose_place(now_at, registration), registration)

        return answer_by_key(request, organization_id=self.token.organization_id, answer=answer)

    def choose_place(self, places: Sequence[Place], registration: Registration) -> Place:
        place = choose_place(places, environment=registration.environment)
        check_environment_allowed(token=self.token, place=place)
        check_branch(place, registration.branch)
        return place

    def register(self, request: Request, place: Place, registration: Registration) -> Answer:
        try:
            deploy_id = register_deploy(
                organization_id=self.token.organization_id,
                token_id=self.token.id,
                place=place,
                registration=registration,
                now=timezone.now(),
            )
        except DuplicateDeploy as duplicate:
            if not registration.ignore_if_duplicate:
                raise
            self.exception = duplicate
            deploy_id = duplicate.deploy_id
        headers = {
            "X-Deploy-Id": str(deploy_id),
            "Location": deploy_path(self.token.organization_slug, deploy_id),
        }

        def representation() -> dict[str, Any]:
            return represent_with_changes(deploys_with_place(self.token.organization_id).get(pk=deploy_id))

        return answer_success(request, headers, representation)


class SchemaView(ApiView):
    """The published schemas, open to all; the path admits only names of files that are there."""

    def get(self, request: Request, name: str) -> HttpResponse:
        return HttpResponse((SCHEMA_DIR / f"{name}.json").read_bytes(), content_type="application/schema+json")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())
