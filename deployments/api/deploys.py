"""Deploys: the list, one with what it brought, and what one brought in full."""

from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpResponse
from rest_framework.request import Request

from deployments.api.reading import ListView, ReadView
from deployments.api.representation import (
    represent_commit,
    represent_deploy,
    represent_file,
    represent_pull_request,
    represent_with_changes,
)
from deployments.forms.read_api import DeploysForm
from deployments.models import ChangedFile, Commit, Deploy, PullRequest
from deployments.queries.change_types import with_previous_sha
from deployments.queries.deploys import commits_of
from deployments.queries.keyset import Key
from deployments.queries.timeline import read_page
from deployments.queries.visible import visible_deploys


class DeploysView(ReadView):
    """Newest first. A page of a search through more than one page can hold may be empty and yet have a next one."""

    def get(self, request: Request, organization: str) -> HttpResponse:
        key = self.cursor(Key)
        page = read_page(self.filtered_by(DeploysForm).filters(), before=key, size=self.limit())
        prefetch_related_objects(page.deploys, "organization", "links")
        return self.page([represent_deploy(deploy) for deploy in page.deploys], str(page.older or ""))


class DeployView(ReadView):
    def get(self, request: Request, organization: str, deploy_id: int) -> HttpResponse:
        return self.answer(represent_with_changes(deploy_or_404(self)))


def deploy_or_404(view: ReadView) -> Deploy:
    deploy = with_previous_sha(visible_deploys(view.token)).filter(pk=view.kwargs["deploy_id"]).first()
    if deploy is None:
        raise Http404
    return deploy


class CommitsView(ListView):
    def rows(self) -> QuerySet[Any]:
        return commits_of(deploy_or_404(self))

    def represent(self, row: Commit) -> dict[str, Any]:
        return represent_commit(row)


class FilesView(ListView):
    def rows(self) -> QuerySet[Any]:
        return deploy_or_404(self).files.all()

    def represent(self, row: ChangedFile) -> dict[str, Any]:
        return represent_file(row)


class PullRequestsView(ListView):
    def rows(self) -> QuerySet[Any]:
        return deploy_or_404(self).pull_requests.all()

    def represent(self, row: PullRequest) -> dict[str, Any]:
        return represent_pull_request(row)
