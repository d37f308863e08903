from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from deployments.api.base import ApiView
from deployments.api.dry_run import answer_dry_run, named
from deployments.api.registering import DeployRegistrationView
from deployments.api.representation import represent_with_changes
from deployments.api.success import answer_by_key, answer_success, check_idempotency_key, success
from deployments.queries import deploys_with_place
from deployments.queries.change_types import with_previous_sha
from deployments.registration.errors import PlaceMoved, UnknownEnvironment
from deployments.registration.idempotency import Answer
from deployments.registration.places import check_branch, check_environment_allowed, choose_place, find_deployment
from deployments.registration.registration import Registration
from deployments.registration.statements import Place
from deployments.registration.trial import rolled_back
from deployments.wire.body import Expected
from deployments.wire.openapi import document
from deployments.wire.register_deploy import read_registration
from deployments.wire.schemas import SCHEMA_DIR
from deployments.wire.terraform import environment_of


class RegisterDeployView(DeployRegistrationView):
    expected = Expected("sha", "commits or files")

    def post(self, request: Request, organization: str, deployment: str) -> HttpResponse:
        places = find_deployment(token=self.token, slug=deployment)
        fields = self.read_fields()
        if self.is_dry_run:
            return self.try_out_fields(request, fields, places)
        # A call that was answered is answered again before anything is checked that may have changed since.
        return answer_by_key(
            request,
            token_id=self.token.id,
            called=f"register_deploy {places[0].deployment_id}",
            fields=fields,
            answer=lambda: self.answer(request, fields, places),
        )

    def answer(self, request: Request, fields: dict[str, Any], places: Sequence[Place]) -> Answer:
        registration = read_registration(fields, places)
        if registration is None:
            return success({})
        try:
            deploy_id = self.store_in(places, registration)
        except PlaceMoved:
            deploy_id = self.store_in(find_deployment(token=self.token, slug=places[0].deployment_slug), registration)

        def representation() -> dict[str, Any]:
            deploys = with_previous_sha(deploys_with_place(self.token.organization_id))
            return represent_with_changes(deploys.get(pk=deploy_id))

        return answer_success(request, self.headers_of(deploy_id), representation)

    def store_in(self, places: Sequence[Place], registration: Registration) -> int:
        place = self.choose_place(places, registration)
        check_branch(place, registration)
        return self.store(place, registration)

    def try_out_fields(self, request: Request, fields: dict[str, Any], places: Sequence[Place]) -> HttpResponse:
        registration = read_registration(fields, places)
        if registration is None:
            return self.try_out_ignored(fields, places)
        place = self.choose_place(places, registration)
        check_idempotency_key(request)
        with rolled_back():
            return self.try_out(place, registration)

    def choose_place(self, places: Sequence[Place], registration: Registration) -> Place:
        place = choose_place(places, environment=registration.environment)
        check_environment_allowed(token=self.token, place=place)
        return place

    def try_out_ignored(self, fields: dict[str, Any], places: Sequence[Place]) -> HttpResponse:
        """Of a notification that registers nothing, and whose environment is not looked at: an unknown one is null."""
        try:
            report = named(choose_place(places, environment=environment_of(fields)), self.token.organization_slug)
        except UnknownEnvironment:
            report = named(places[0], self.token.organization_slug) | {"environment": None}
        return answer_dry_run("ignored", report, would_answer=self.accept())


class SchemaView(ApiView):
    """The published schemas, open to all; the path admits only names of files that are there."""

    def get(self, request: Request, name: str) -> HttpResponse:
        return HttpResponse((SCHEMA_DIR / f"{name}.json").read_bytes(), content_type="application/schema+json")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())
