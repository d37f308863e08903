"""What the endpoints that register deploys share, whatever they are called with."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework.request import Request

from deployments.api.answers import answer_exception_as_json, answer_refusal, answer_text
from deployments.api.body import ExpectedBody
from deployments.api.dry_run import answer_dry_run, dry_run
from deployments.errors import DuplicateDeploy, TargetMoved, UnknownEnvironment
from deployments.registration.formats import read_registration
from deployments.registration.idempotency import Answer, answer_by_key, answer_success, check_idempotency_key, success
from deployments.registration.new_targets import Creation, create_target, find_target
from deployments.registration.registration import Registration
from deployments.registration.report import named, report_deploy
from deployments.registration.representation import deploy_path, represent_with_changes, with_previous_sha
from deployments.registration.statements import TargetRow
from deployments.registration.store import register_deploy
from deployments.registration.sweetr import SweetrDeployment, read_deployment
from deployments.registration.targets import (
    branch_mismatch,
    check_branch,
    check_environment_allowed,
    choose_target,
    find_deployment,
)
from deployments.registration.terraform import environment_of
from deployments.request_log.endpoint import RegistrationView
from deployments.token_limits import deploys_with_place
from orgs.audit import Actor, acting_as
from tokens.authentication import BareKeyAuthentication
from tokens.scopes import Scope
from tokens.throttling import SweetrThrottle


class DeployRegistrationView(RegistrationView):
    required_scope = Scope.REGISTER_DEPLOY

    def store(self, place: TargetRow, registration: Registration) -> int:
        """The deploy's id; of a duplicate that is ignored, the id of the deploy it repeats."""
        try:
            return self.register(place, registration)
        except DuplicateDeploy as duplicate:
            if not registration.ignore_if_duplicate:
                raise
            self.exception = duplicate
            return duplicate.deploy_id

    def register(self, place: TargetRow, registration: Registration) -> int:
        return register_deploy(
            organization_id=self.token.organization_id,
            token_id=self.token.id,
            place=place,
            registration=registration,
            now=timezone.now(),
        )

    def headers_of(self, deploy_id: int) -> dict[str, str]:
        return {"X-Deploy-Id": str(deploy_id), "Location": deploy_path(self.token.organization_slug, deploy_id)}

    def accept(self, headers: Mapping[str, str] | None = None) -> HttpResponse:
        return answer_text(200, "Success", headers)

    def try_out(self, place: TargetRow, registration: Registration, created: Sequence[Creation] = ()) -> HttpResponse:
        """What would be answered and stored, also where that is a refusal. Call it in a trial."""
        duplicate = None
        try:
            deploy_id = self.register(place, registration)
        except DuplicateDeploy as found:
            duplicate, deploy_id = found, found.deploy_id
        report = report_deploy(
            token=self.token,
            place=place,
            registration=registration,
            deploy_id=deploy_id,
            is_duplicate=duplicate is not None,
            created=created,
        )
        mismatch = branch_mismatch(place, registration)
        refusal = mismatch or (None if registration.ignore_if_duplicate else duplicate)
        if mismatch:
            result = "refused"
        elif duplicate:
            result = "duplicate"
        else:
            result = "rollback" if report["rollback"] else "deploy"
        return answer_dry_run(result, report, would_answer=answer_refusal(refusal) if refusal else self.accept())


class RegisterDeployView(DeployRegistrationView):
    expected = ExpectedBody("sha", "commits or files")

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

    def answer(self, request: Request, fields: dict[str, Any], places: Sequence[TargetRow]) -> Answer:
        registration = read_registration(fields, places)
        if registration is None:
            return success({})
        try:
            deploy_id = self.store_in(places, registration)
        except TargetMoved:
            deploy_id = self.store_in(find_deployment(token=self.token, slug=places[0].deployment_slug), registration)

        def representation() -> dict[str, Any]:
            deploys = with_previous_sha(deploys_with_place(self.token.organization_id))
            return represent_with_changes(deploys.get(pk=deploy_id))

        return answer_success(request, self.headers_of(deploy_id), representation)

    def store_in(self, places: Sequence[TargetRow], registration: Registration) -> int:
        place = self.choose_target(places, registration)
        check_branch(place, registration)
        return self.store(place, registration)

    def try_out_fields(self, request: Request, fields: dict[str, Any], places: Sequence[TargetRow]) -> HttpResponse:
        registration = read_registration(fields, places)
        if registration is None:
            return self.try_out_ignored(fields, places)
        place = self.choose_target(places, registration)
        check_idempotency_key(request)
        with dry_run():
            return self.try_out(place, registration)

    def choose_target(self, places: Sequence[TargetRow], registration: Registration) -> TargetRow:
        place = choose_target(places, environment=registration.environment)
        check_environment_allowed(token=self.token, place=place)
        return place

    def try_out_ignored(self, fields: dict[str, Any], places: Sequence[TargetRow]) -> HttpResponse:
        """Of a notification that registers nothing, and whose environment is not looked at: an unknown one is null."""
        try:
            report = named(choose_target(places, environment=environment_of(fields)), self.token.organization_slug)
        except UnknownEnvironment:
            report = named(places[0], self.token.organization_slug) | {"environment": None}
        return answer_dry_run("ignored", report, would_answer=self.accept())


Act = Callable[[TargetRow, Registration, Sequence[Creation]], HttpResponse]


class SweetrView(DeployRegistrationView):
    """``POST /v1/deployments``. It answers once the deploy is stored, where Sweetr itself only promises to."""

    authentication_classes = (BareKeyAuthentication,)
    throttle_classes = (SweetrThrottle,)
    expected = ExpectedBody("commitHash")

    def get_exception_handler(self) -> Any:
        return answer_exception_as_json

    def answer_in_log(self, response: Any) -> str:
        return str(json.loads(response.content)["error"]) if response.status_code >= 400 else "Success"

    def post(self, request: Request) -> HttpResponse:
        fields = self.read_fields()
        self.deployment_slug = str(fields.get("app", ""))
        deployment = read_deployment(fields)
        if self.is_dry_run:
            with dry_run():
                return self.at_place(deployment, self.try_out)
        return self.at_place(deployment, self.answer_stored)

    def at_place(self, deployment: SweetrDeployment, act: Act) -> HttpResponse:
        """What ``act`` answers at the deployment's place, which is created where it is missing."""
        application, registration = deployment.application, deployment.registration
        try:
            place = find_target(token=self.token, application=application)
            if place is not None:
                self.deployment_slug = place.deployment_slug
                return act(place, registration, [])
        except TargetMoved:
            pass  # It is found again, under a lock.
        actor = Actor(label=f"access token {self.token.name}", address=self.request.META.get("REMOTE_ADDR", ""))
        with acting_as(actor), transaction.atomic():
            place, created = create_target(token=self.token, application=application)
            self.deployment_slug = place.deployment_slug
            return act(place, registration, created)

    def answer_stored(self, place: TargetRow, registration: Registration, created: Sequence[Creation]) -> HttpResponse:
        return self.accept(self.headers_of(self.store(place, registration)))

    def accept(self, headers: Mapping[str, str] | None = None) -> HttpResponse:
        return JsonResponse({"status": 202}, status=202, headers=headers)
