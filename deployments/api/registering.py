"""What the endpoints that register deploys share, whatever they are called with."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils import timezone

from deployments.api.dry_run import answer_dry_run, report_deploy
from deployments.api.logged import RegistrationView
from deployments.api.representation import deploy_path
from deployments.registration.errors import DuplicateDeploy
from deployments.registration.new_places import Creation
from deployments.registration.register import register_deploy
from deployments.registration.registration import Registration
from deployments.registration.statements import Place
from tokens.scopes import Scope


class DeployRegistrationView(RegistrationView):
    required_scope = Scope.REGISTER_DEPLOY

    def store(self, place: Place, registration: Registration) -> int:
        """The deploy's id; of a duplicate that is ignored, the id of the deploy it repeats."""
        try:
            return register_deploy(
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
            return duplicate.deploy_id

    def headers_of(self, deploy_id: int) -> dict[str, str]:
        return {"X-Deploy-Id": str(deploy_id), "Location": deploy_path(self.token.organization_slug, deploy_id)}

    def answer_trial(
        self, place: Place, registration: Registration, deploy_id: int, created: Sequence[Creation] = ()
    ) -> HttpResponse:
        """Call it before the trial ends."""
        report = report_deploy(
            token=self.token,
            place=place,
            registration=registration,
            deploy_id=deploy_id,
            is_duplicate=isinstance(self.exception, DuplicateDeploy),
            created=created,
        )
        return answer_dry_run(report)
