"""What the endpoints that register deploys share, whatever they are called with."""

from collections.abc import Mapping, Sequence

from django.http import HttpResponse
from django.utils import timezone

from deployments.api.answers import answer_refusal, answer_text
from deployments.api.dry_run import answer_dry_run, report_deploy
from deployments.api.logged import RegistrationView
from deployments.api.representation import deploy_path
from deployments.registration.errors import DuplicateDeploy
from deployments.registration.new_places import Creation
from deployments.registration.places import branch_mismatch
from deployments.registration.register import register_deploy
from deployments.registration.registration import Registration
from deployments.registration.statements import Place
from tokens.scopes import Scope


class DeployRegistrationView(RegistrationView):
    required_scope = Scope.REGISTER_DEPLOY

    def store(self, place: Place, registration: Registration) -> int:
        """The deploy's id; of a duplicate that is ignored, the id of the deploy it repeats."""
        try:
            return self.register(place, registration)
        except DuplicateDeploy as duplicate:
            if not registration.ignore_if_duplicate:
                raise
            self.exception = duplicate
            return duplicate.deploy_id

    def register(self, place: Place, registration: Registration) -> int:
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

    def try_out(self, place: Place, registration: Registration, created: Sequence[Creation] = ()) -> HttpResponse:
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
