from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.api.dry_run import answer_dry_run
from deployments.api.logged import RegistrationView
from deployments.api.reading import ReadView
from deployments.api.representation import as_text
from deployments.api.success import answer_by_key, answer_success, check_idempotency_key
from deployments.forms.read_api import ManualChangesForm
from deployments.models import ManualChange
from deployments.queries.entry_key import EntryKey
from deployments.queries.manual_changes import manual_changes_for_token, read_changes
from deployments.queries.projects import promotion_path
from deployments.registration.idempotency import Answer
from deployments.registration.manual_changes import register_manual_change
from deployments.registration.places import check_allowed_in, choose_environment, find_project
from deployments.registration.trial import rolled_back
from deployments.wire.body import Expected
from deployments.wire.manual_change import read_manual_change
from orgs.audit import Actor, acting_as
from tokens.scopes import Scope

# What a dry run has no use for: the id and address of what is not stored, and when it was not.
SHOWN_OF_DRY_RUN = (
    *("organization", "project", "environment", "name", "description", "changed_at", "author", "email"),
    *("tags", "links"),
)


class RegisterManualDeployView(RegistrationView):
    required_scope = Scope.REGISTER_DEPLOY
    expected = Expected("name")
    # Sleuth's; clients compare it.
    unauthorized_text = "Unauthorized"

    def post(self, request: Request, organization: str, project: str) -> HttpResponse:
        found = find_project(token=self.token, slug=project)
        fields = self.read_fields()

        def register() -> ManualChange:
            registration = read_manual_change(fields, now=timezone.now())
            environment = choose_environment(promotion_path(found), environment=registration.environment, project=found)
            check_allowed_in(token=self.token, environment_id=environment.pk)
            with acting_as(self.actor(request)):
                return register_manual_change(
                    environment=environment, fields=registration.fields, token_id=self.token.id
                )

        if self.is_dry_run:
            check_idempotency_key(request)
            with rolled_back():
                shown = represent_manual_change(register())
            report = {name: shown[name] for name in SHOWN_OF_DRY_RUN}
            return answer_dry_run("manual_change", report, would_answer=answer_text(200, "Success"))

        def answer() -> Answer:
            change = register()
            headers = {"X-Manual-Change-Id": str(change.pk), "Location": manual_change_path(change)}
            return answer_success(request, headers, lambda: represent_manual_change(change))

        return answer_by_key(
            request,
            token_id=self.token.id,
            called=f"register_manual_deploy {found.pk}",
            fields=fields,
            answer=answer,
        )

    def actor(self, request: Request) -> Actor:
        return Actor(label=f"access token {self.token.name}", address=request.META.get("REMOTE_ADDR", ""))


class ManualChangesView(ReadView):
    """Newest first, in pages as the list of deploys."""

    def get(self, request: Request, organization: str) -> HttpResponse:
        key = self.cursor(EntryKey)
        filters = self.filtered_by(ManualChangesForm).filters()
        changes, following = read_changes(filters, before=key, size=self.limit())
        return self.page([represent_manual_change(change) for change in changes], str(following or ""))


class ManualChangeView(ReadView):
    def get(self, request: Request, organization: str, change_id: int) -> HttpResponse:
        change = manual_changes_for_token(self.token).filter(pk=change_id).first()
        if change is None:
            raise Http404
        return self.answer(represent_manual_change(change))


def manual_change_path(change: ManualChange) -> str:
    return reverse("manual-change", kwargs={"organization": change.organization.slug, "change_id": change.pk})


def represent_manual_change(change: ManualChange) -> dict[str, Any]:
    """``author`` and ``email`` are those that the caller sent; dates are in UTC."""
    return {
        "id": change.pk,
        "url": manual_change_path(change),
        "organization": change.organization.slug,
        "project": change.project.slug,
        "environment": change.environment.slug,
        "name": change.name,
        "description": change.description or None,
        "changed_at": as_text(change.changed_at),
        "registered_at": as_text(change.created_at),
        "author": change.author_email or None,
        "email": change.user_email or None,
        "tags": [f"#{tag}" for tag in change.tag_list],
        "links": dict(change.links),
    }
