"""The endpoints that register deploys, one for each wire format."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.urls import re_path
from django.urls.resolvers import URLPattern
from django.utils import timezone
from rest_framework.request import Request

from deployments.api.answers import answer_rejection
from deployments.api.dropped import dropped_header
from deployments.api.dry_run import answer_dry_run, dry_run
from deployments.errors import KeyReused, RegistrationError, UnknownEnvironment
from deployments.models import Deploy, Status
from deployments.registration.formats import FORMATS, SLEUTH, WireFormat
from deployments.registration.idempotency import answer_by_key, answer_stored, continued_deploy, digest_of_call
from deployments.registration.receive import Receipt, Sender, receive
from deployments.registration.registration import Registration
from deployments.registration.report import report_deploy, slugs_of
from deployments.registration.representation import deploy_path, represent_with_changes, with_details
from deployments.registration.statements import TargetRow
from deployments.registration.targets import branch_mismatch, choose_target, find_deployment
from deployments.registration.terraform import environment_of
from deployments.request_log.endpoint import CallView


class RegisterDeployView(CallView):
    wire: WireFormat = SLEUTH
    required_scope = SLEUTH.scope

    def get_exception_handler(self) -> Any:
        return self.wire.answer_error

    def post(self, request: Request, organization: str = "", deployment: str = "") -> HttpResponse:
        targets = find_deployment(token=self.token, slug=deployment) if deployment else []
        fields = self.read_fields()
        if name := self.wire.deployment_field:
            self.deployment_slug = str(fields.get(name, ""))
        if self.is_dry_run:
            return self.try_out(fields, targets)
        # A repeated call is answered before anything is checked that may have changed since.
        return answer_by_key(
            request,
            token_id=self.token.id,
            called=self.called(targets),
            fields=fields,
            answer=lambda: self.register(fields, targets),
            move_on=lambda deploy_id: self.move_on(fields, targets, deploy_id),
        )

    def move_on(self, fields: dict[str, Any], targets: Sequence[TargetRow], deploy_id: int) -> HttpResponse:
        """Only what a deploy that started needs is worth another sentence than that its key was used."""
        try:
            return self.register(fields, targets, continues=deploy_id)
        except RegistrationError as error:
            if Deploy.objects.filter(pk=deploy_id, status=Status.STARTED).exists():
                raise
            raise KeyReused.with_another_body() from error

    def called(self, targets: Sequence[TargetRow]) -> str:
        return f"{self.kind.replace('-', '_')} {targets[0].deployment_id if targets else ''}".strip()

    def register(
        self, fields: dict[str, Any], targets: Sequence[TargetRow], *, continues: int | None = None
    ) -> HttpResponse:
        registration = self.wire.read(fields, targets)
        if registration is None:
            return self.wire.answer()
        receipt = self.receive(registration, targets, continues=continues)
        if receipt.duplicate:
            if not may_repeat(registration, receipt):
                raise receipt.duplicate
            self.rejection = receipt.duplicate
        location = deploy_path(self.token.organization_slug, receipt.deploy_id)
        dropped = self.all_dropped(registration)
        headers = {"X-Deploy-Id": str(receipt.deploy_id), "Location": location, **dropped_header(dropped)}
        if receipt.duplicate and receipt.duplicate.is_repeat:
            headers["Idempotency-Replayed"] = "true"

        def represent() -> dict[str, Any]:
            deploy = with_details(Deploy.objects.all()).get(pk=receipt.deploy_id)
            return {**represent_with_changes(deploy), "dropped": dropped}

        return answer_stored(self.request, self.wire.answer(), headers, represent)

    def receive(
        self,
        registration: Registration,
        targets: Sequence[TargetRow],
        *,
        enforce_branch: bool = True,
        continues: int | None = None,
    ) -> Receipt:
        receipt = receive(
            sender=Sender(
                organization_id=self.token.organization_id,
                token=self.token,
                actor=self.actor,
                call_digest=digest_of_call(self.request),
            ),
            registration=registration,
            targets=targets,
            now=timezone.now(),
            enforce_branch=enforce_branch,
            continues=continues,
        )
        self.deployment_slug = receipt.target.deployment_slug
        return receipt

    def try_out(self, fields: dict[str, Any], targets: Sequence[TargetRow]) -> HttpResponse:
        """What would be stored and answered, even if the answer is a rejection."""
        registration = self.wire.read(fields, targets)
        if registration is None:
            return self.try_out_ignored(fields, targets)
        continues = continued_deploy(self.request, token_id=self.token.id, called=self.called(targets), fields=fields)
        with dry_run():
            receipt = self.receive(registration, targets, enforce_branch=False, continues=continues)
            report = report_deploy(registration=registration, receipt=receipt)
        mismatch = branch_mismatch(receipt.target, registration.branch_to_check)
        rejection = mismatch or (None if may_repeat(registration, receipt) else receipt.duplicate)
        if mismatch:
            result = "refused"
        elif receipt.duplicate:
            result = "duplicate"
        else:
            result = "rollback" if report["rollback"] else "deploy"
        return answer_dry_run(
            result,
            report | {"dropped": self.all_dropped(registration)},
            would_answer=answer_rejection(rejection) if rejection else self.wire.answer(),
        )

    def all_dropped(self, registration: Registration) -> Sequence[str]:
        return (*self.dropped.sentences(), *registration.dropped)

    def try_out_ignored(self, fields: dict[str, Any], targets: Sequence[TargetRow]) -> HttpResponse:
        """A notification that registers nothing may name an unknown environment, which is null in the report."""
        try:
            report = slugs_of(choose_target(targets, environment=environment_of(fields)), self.token.organization_slug)
        except UnknownEnvironment:
            report = slugs_of(targets[0], self.token.organization_slug) | {"environment": None}
        return answer_dry_run("ignored", report, would_answer=self.wire.answer())


def may_repeat(registration: Registration, receipt: Receipt) -> bool:
    """Whether a duplicate is what the caller intends, or its client repeats the call."""
    return registration.ignore_if_duplicate or (receipt.duplicate is not None and receipt.duplicate.is_repeat)


def routes() -> list[URLPattern]:
    return [
        re_path(
            path,
            RegisterDeployView.as_view(
                wire=wire,
                kind=wire.name,
                expected=wire.expected,
                required_scope=wire.scope,
                authentication_classes=(wire.authentication,),
                throttle_classes=(wire.throttle,),
            ),
            # Only the first path is one to hand out.
            name=wire.name if path == wire.paths[0] else None,
        )
        for wire in FORMATS.values()
        for path in wire.paths
    ]
