"""Sleuth's ``register_manual_deploy``: fields of a request → a manual change.

https://help.sleuth.io/sleuth-api; what its clients really send is in tests/compat.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.api.body import ExpectedBody, without_absent
from deployments.api.dates import check_dates, read_date
from deployments.api.dropped import Dropped, dropped_header
from deployments.api.dry_run import answer_dry_run, dry_run
from deployments.api.fields import read_tags, split_link, split_tags
from deployments.api.schemas import accepted_fields
from deployments.errors import NameMissing, UnknownEnvironment, UnknownProject
from deployments.manual_changes.services import ManualChangeFields, register_manual_change
from deployments.models import Deployment, ManualChange
from deployments.registration.idempotency import answer_by_key, answer_stored, read_key
from deployments.registration.representation import as_text
from deployments.registration.short_lived import find_or_create
from deployments.registration.targets import choose
from deployments.request_log.endpoint import CallView
from deployments.timeline.queries import read_page, with_related
from deployments.timeline.read_api import PAGING, ReadForm, ReadView
from deployments.token_limits import check_allowed, visible
from orgs.aliases import environment_of_alias
from orgs.audit import acting_as
from orgs.models import Environment, Project
from orgs.queries import promotion_path
from orgs.short_lived import allows
from orgs.slugs import is_slug
from orgs.text import shortened
from tokens.scopes import Scope
from tokens.statements import TokenRow

SCHEMA = "register_manual_deploy"


def read_manual_change(fields: dict[str, Any], *, now: datetime, dropped: Dropped) -> tuple[str, ManualChangeFields]:
    """The environment's slug or name, which is empty for the default one, and the change. Without a date it was
    ``now``. Raises NameMissing, and InvalidField for the first problem with what names the change."""
    fields = without_absent(fields)
    if "name" not in fields:
        # The text is Sleuth's; clients compare it.
        raise NameMissing("Name is required.")
    check_dates(fields.get("date"))
    if isinstance(fields.get("tags"), str):
        fields["tags"] = split_tags(fields["tags"])
    if isinstance(fields.get("links"), str):
        fields["links"] = split_link(fields["links"], dropped)
    fields = accepted_fields(SCHEMA, fields, dropped)
    return fields.get("environment", ""), ManualChangeFields(
        name=fields["name"],
        changed_at=min(read_date(fields.get("date")) or now, now),
        description=fields.get("description", ""),
        author_email=fields.get("author", ""),
        user_email=fields.get("email", ""),
        tags=read_tags(fields.get("tags", []), dropped) or (),
        links=tuple(fields.get("links", {}).items()),
    )


# A dry run stores nothing that these could name.
ONLY_OF_STORED = ("id", "url", "registered_at")


class RegisterManualDeployView(CallView):
    kind = "register-manual-deploy"
    required_scope = Scope.REGISTER_DEPLOY
    expected = ExpectedBody("name")
    # Sleuth's; clients compare it.
    unauthorized_text = "Unauthorized"

    def post(self, request: Request, organization: str, project: str) -> HttpResponse:
        found = find_project(self.token, project)
        fields = self.read_fields()

        def register() -> ManualChange:
            named, change = read_manual_change(fields, now=timezone.now(), dropped=self.dropped)
            path = promotion_path(found, with_short_lived=True)
            choices = [(row.slug, row.name, row.is_default, row) for row in path]
            known: dict[int | None, Environment] = {row.pk: row for row in path}
            with acting_as(self.actor), transaction.atomic():
                try:
                    environment = choose(
                        choices,
                        named,
                        project_slug=found.slug,
                        aliased=lambda name: known.get(environment_of_alias(found.pk, name)),
                    )
                except UnknownEnvironment:
                    if not allows(found, named):
                        raise
                    environment, _ = find_or_create(token=self.token, project=found, name=named)
                check_allowed(self.token, environment_id=environment.pk)
                return register_manual_change(environment=environment, fields=change, token_id=self.token.id)

        if self.is_dry_run:
            read_key(request)
            with dry_run():
                shown = represent_manual_change(register())
            report = {name: value for name, value in shown.items() if name not in ONLY_OF_STORED}
            report["dropped"] = self.dropped.sentences()
            return answer_dry_run("manual_change", report, would_answer=answer_text(200, "Success"))

        def answer() -> HttpResponse:
            change = register()
            dropped = self.dropped.sentences()
            headers = {
                "X-Manual-Change-Id": str(change.pk),
                "Location": manual_change_path(change),
                **dropped_header(dropped),
            }

            def represent() -> dict[str, Any]:
                return {**represent_manual_change(change), "dropped": dropped}

            return answer_stored(request, answer_text(200, "Success"), headers, represent)

        return answer_by_key(
            request,
            token_id=self.token.id,
            called=f"register_manual_deploy {found.pk}",
            fields=fields,
            answer=answer,
            or_by_bytes=True,
        )


def find_project(token: TokenRow, slug: str) -> Project:
    """A project of the token's organization, with its organization.

    Raises OutsideTokenLimits (whether or not there is such a project) and UnknownProject.
    """
    check_allowed(token, shared="a manual change")
    slug = slug.lower()
    if is_slug(slug):
        of_slug = {"organization": token.organization_id, "slug": slug}
        if project := Project.objects.filter(**of_slug).select_related("organization").first():
            return project
        if deployment := Deployment.objects.filter(**of_slug).select_related("project").first():
            raise UnknownProject(f"'{slug}' is a deployment: write its project's slug, '{deployment.project.slug}'.")
    raise UnknownProject(f"There is no project '{shortened(slug, 100)}' in this organization.")


class ManualChangesForm(ReadForm):
    without = ("kind", "status", "deployment", "sha", "version")


class ManualChangesView(ReadView):
    """Newest first. A scan may end with an empty page although there is a next one."""

    takes = (*ManualChangesForm.names(), *PAGING)

    def get(self, request: Request, organization: str) -> HttpResponse:
        key = self.cursor(of_changes=True)
        filters = self.filtered_by(ManualChangesForm).filters()
        changes, following = read_page(filters, ManualChange, before=key, size=self.limit())
        return self.page([represent_manual_change(change) for change in changes], str(following or ""))


class ManualChangeView(ReadView):
    def get(self, request: Request, organization: str, change_id: int) -> HttpResponse:
        change = visible(with_related(ManualChange.objects.all()), self.token).filter(pk=change_id).first()
        if change is None:
            raise Http404
        return self.answer(represent_manual_change(change))


def manual_change_path(change: ManualChange) -> str:
    return reverse("manual-change", kwargs={"organization": change.organization.slug, "change_id": change.pk})


def represent_manual_change(change: ManualChange) -> dict[str, Any]:
    """``author`` and ``email`` are the caller's; dates are in UTC."""
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
