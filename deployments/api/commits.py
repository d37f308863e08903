from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from deployments.api.answers import answer_text
from deployments.api.reading import ReadView
from deployments.api.representation import as_text, deploy_path
from deployments.models.deploy import MAX_SHA_LENGTH
from deployments.queries.commits import Stay, find_commit
from deployments.queries.revisions import Ambiguous
from deployments.queries.visible import visible_deploys
from orgs.text import printable, problem_in_text, shortened

NAMED_REVISIONS = 5


class CommitView(ReadView):
    """Which environments have a commit, and since when."""

    def get(self, request: Request, organization: str, sha: str) -> HttpResponse:
        if (problem := problem_in_text(sha)) or len(sha) > MAX_SHA_LENGTH:
            return answer_text(400, f"The sha {problem or f'is longer than {MAX_SHA_LENGTH} characters'}.")
        try:
            found = find_commit(visible_deploys(self.token), sha)
        except Ambiguous as ambiguous:
            return answer_text(409, ambiguous_sentence(sha, ambiguous.revisions))
        if found is None:
            return answer_text(404, f"No deploy has a commit {printable(shortened(sha, 100))}.")
        return self.answer(
            {
                "sha": found.sha,
                "environments": [self.represent(stay) for stay in found.stays if not stay.undone_by],
                "rolled_back": [self.represent(stay) for stay in found.stays if stay.undone_by],
            }
        )

    def represent(self, stay: Stay) -> dict[str, Any]:
        deploy, ended = stay.deploy, stay.undone_by
        return {
            "project": deploy.project.slug,
            "deployment": deploy.deployment.slug,
            "environment": deploy.environment.slug,
            "since": as_text(deploy.deployed_at),
            "deploy": self.represent_deploy(deploy.pk),
            "until": as_text(ended.deployed_at) if ended else None,
            "rolled_back_by": self.represent_deploy(ended.pk) if ended else None,
        }

    def represent_deploy(self, deploy_id: int) -> dict[str, Any]:
        return {"id": deploy_id, "url": deploy_path(self.token.organization_slug, deploy_id)}


def ambiguous_sentence(sha: str, revisions: list[str]) -> str:
    named = ", ".join(shortened(revision, 64) for revision in revisions[:NAMED_REVISIONS])
    more = f" and {len(revisions) - NAMED_REVISIONS} more" if len(revisions) > NAMED_REVISIONS else ""
    return printable(f"{len(revisions)} commits begin with {sha}: write more of it ({named}{more}).")
