import json
from collections.abc import Callable, Sequence

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from deployments.api.answers import TEXT, answer_text
from deployments.api.base import ApiView, TokenView
from deployments.api.dry_run import answer_dry_run
from deployments.api.registering import DeployRegistrationView
from deployments.api.representation import represent_deploy
from deployments.queries import deploys_with_place
from deployments.registration.errors import PlaceMoved
from deployments.registration.idempotency import Answer, answer_once, check_key, fingerprint
from deployments.registration.places import check_branch, check_environment_allowed, choose_place, find_deployment
from deployments.registration.registration import Registration
from deployments.registration.statements import Place
from deployments.registration.trial import rolled_back
from deployments.wire.dry_run import asks_for_dry_run
from deployments.wire.openapi import document
from deployments.wire.register_deploy import read_registration
from deployments.wire.schemas import SCHEMA_DIR
from tokens.scopes import Scope


class RegisterDeployView(DeployRegistrationView):
    def post(self, request: Request, organization: str, deployment: str) -> HttpResponse:
        places = find_deployment(token=self.token, slug=deployment)
        fields = self.fields
        self.is_dry_run = asks_for_dry_run(fields)
        registration = read_registration(fields, places)
        if registration is None:
            return answer_dry_run({"result": "ignored"}) if self.is_dry_run else answer_text(200, "Success")
        place = self.choose_place(places, registration)

        def store() -> tuple[Place, int]:
            try:
                return place, self.store(place, registration)
            except PlaceMoved:
                now_at = self.choose_place(find_deployment(token=self.token, slug=deployment), registration)
                return now_at, self.store(now_at, registration)

        key = request.headers.get("Idempotency-Key")
        if self.is_dry_run:
            if key is not None:
                check_key(key)
            with rolled_back():
                tried, deploy_id = store()
                return self.answer_trial(tried, registration, deploy_id)
        if key is None:
            return as_response(self.answer_success(request, store), replayed=False)
        answered, replayed = answer_once(
            organization_id=self.token.organization_id,
            key=key,
            fingerprint=fingerprint(request.get_full_path().encode(), request.body),
            now=timezone.now(),
            answer=lambda: self.answer_success(request, store),
        )
        return as_response(answered, replayed=replayed)

    def choose_place(self, places: Sequence[Place], registration: Registration) -> Place:
        place = choose_place(places, environment=registration.environment)
        check_environment_allowed(token=self.token, place=place)
        check_branch(place, registration.branch)
        return place

    def answer_success(self, request: Request, store: Callable[[], tuple[Place, int]]) -> Answer:
        _, deploy_id = store()
        headers = self.headers_of(deploy_id)
        if "return=representation" in request.headers.get("Prefer", "").replace(" ", "").lower():
            deploy = deploys_with_place(self.token.organization_id).get(pk=deploy_id)
            headers |= {"Content-Type": "application/json", "Preference-Applied": "return=representation"}
            return {"headers": headers, "body": json.dumps(represent_deploy(deploy))}
        return {"headers": headers | {"Content-Type": TEXT}, "body": "Success"}


def as_response(answer: Answer, *, replayed: bool) -> HttpResponse:
    """The body is text already, since PostgreSQL would give the members of a remembered object in another order."""
    response = HttpResponse(answer["body"], headers=answer["headers"])
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response


class DeployView(TokenView):
    required_scope = Scope.READ

    def get(self, request: Request, organization: str, deploy_id: int) -> HttpResponse:
        deploys = deploys_with_place(self.token.organization_id)
        if self.token.limited_to_deployments:
            deploys = deploys.filter(target__deployment__tokens=self.token.id)
        if self.token.limited_to_environments:
            deploys = deploys.filter(target__environment__tokens=self.token.id)
        deploy = deploys.filter(pk=deploy_id).first()
        if deploy is None:
            raise Http404
        return JsonResponse(represent_deploy(deploy))


class SchemaView(ApiView):
    """The published schemas, open to all; the path admits only names of files that are there."""

    def get(self, request: Request, name: str) -> HttpResponse:
        return HttpResponse((SCHEMA_DIR / f"{name}.json").read_bytes(), content_type="application/schema+json")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())
