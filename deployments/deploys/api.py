"""The API's deploys: the list, one deploy with its changes, its complete changes, and where a commit is."""

from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpResponse
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.deploys.commits import Ambiguous, CommitLocation, find_commit
from deployments.models import ChangedFile, Commit, Deploy, PullRequest
from deployments.models.deploy import MAX_SHA_LENGTH
from deployments.registration.representation import (
    as_text,
    commits_of,
    deploy_path,
    represent_commit,
    represent_deploy,
    represent_file,
    represent_pull_request,
    represent_with_changes,
    with_details,
)
from deployments.timeline.queries import read_page
from deployments.timeline.read_api import PAGING, DeploysForm, ListView, ReadView
from deployments.token_limits import visible
from orgs.text import printable, problem_in_text, shortened


class DeploysView(ReadView):
    """Newest first. A scan may end with an empty page although there is a next one."""

    takes = (*DeploysForm.names(), *PAGING)

    def get(self, request: Request, organization: str) -> HttpResponse:
        key, filters = self.cursor(), self.filtered_by(DeploysForm).filters()
        deploys, following = read_page(filters, Deploy, before=key, size=self.limit())
        prefetch_related_objects(deploys, "organization", "links")
        return self.page([represent_deploy(deploy) for deploy in deploys], str(following or ""))


class DeployView(ReadView):
    def get(self, request: Request, organization: str, deploy_id: int) -> HttpResponse:
        return self.answer(represent_with_changes(deploy_or_404(self)))


def deploy_or_404(view: ReadView) -> Deploy:
    deploys = with_details(visible(Deploy.objects.all(), view.token))
    deploy = deploys.filter(pk=view.kwargs["deploy_id"]).first()
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


REVISIONS_LISTED = 5


class CommitView(ReadView):
    """Which environments have a commit and since when."""

    def get(self, request: Request, organization: str, sha: str) -> HttpResponse:
        if (problem := problem_in_text(sha)) or len(sha) > MAX_SHA_LENGTH:
            return answer_text(400, f"The sha {problem or f'is longer than {MAX_SHA_LENGTH} characters'}.")
        try:
            deploys = Deploy.objects.select_related("project", "deployment", "environment")
            found = find_commit(visible(deploys, self.token), sha)
        except Ambiguous as ambiguous:
            return answer_text(409, ambiguous_sentence(sha, ambiguous.revisions))
        if found is None:
            return answer_text(404, f"No deploy has a commit {printable(shortened(sha, 100))}.")
        whole_sha, locations = found
        return self.answer(
            {
                "sha": whole_sha,
                "environments": [self.represent(each) for each in locations if not each.rolled_back_by],
                "rolled_back": [self.represent(each) for each in locations if each.rolled_back_by],
            }
        )

    def represent(self, location: CommitLocation) -> dict[str, Any]:
        deploy, rollback = location.deploy, location.rolled_back_by
        return {
            "project": deploy.project.slug,
            "deployment": deploy.deployment.slug,
            "environment": deploy.environment.slug,
            "since": as_text(deploy.deployed_at),
            "deploy": self.represent_deploy(deploy.pk),
            "until": as_text(rollback.deployed_at) if rollback else None,
            "rolled_back_by": self.represent_deploy(rollback.pk) if rollback else None,
        }

    def represent_deploy(self, deploy_id: int) -> dict[str, Any]:
        return {"id": deploy_id, "url": deploy_path(self.token.organization_slug, deploy_id)}


def ambiguous_sentence(sha: str, revisions: list[str]) -> str:
    listed = ", ".join(shortened(revision, 64) for revision in revisions[:REVISIONS_LISTED])
    more = f" and {len(revisions) - REVISIONS_LISTED} more" if len(revisions) > REVISIONS_LISTED else ""
    return printable(f"{len(revisions)} commits begin with {sha}: write more of it ({listed}{more}).")
