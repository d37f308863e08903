"""The command that tries a new secret. It stores nothing."""

from dataclasses import dataclass
from shlex import quote

from django.conf import settings
from django.urls import reverse

from deployments.access_tokens.origin import Origin
from deployments.access_tokens.queries import sorted_deployments
from deployments.models import BranchMatch, Deployment, Target
from deployments.pages import render_text
from deployments.token_limits import visible
from orgs.models import Environment
from tokens.models import AccessToken
from tokens.scopes import Scope, allows

# A name for "the commit that is deployed", in a shell that may be in no repository.
EXAMPLE_SHA = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True, slots=True)
class Trial:
    """``does`` says in a sentence what the command does, and why with this deployment."""

    command: str
    does: str


def trial_of(token: AccessToken, secret: str, origin: Origin | None) -> Trial | None:
    """None if the token may do nothing that a command could try yet."""
    if allows(token.scopes, Scope.REGISTER_DEPLOY) and (chosen := choose_deployment(token, origin)):
        deployment, why = chosen
        return register_trial(token, secret, deployment, why, origin.environment if origin else None)
    if allows(token.scopes, Scope.READ):
        url = settings.SITE_URL + reverse("live", args=[token.organization.slug])
        command = render_text("access_tokens/try_reading.txt", {"secret": secret, "url": url})
        return Trial(command, "It reads what is live where.")
    return None


def choose_deployment(token: AccessToken, origin: Origin | None) -> tuple[Deployment, str] | None:
    """A deployment that the token may register, and why this one."""
    deployments = list(visible(sorted_deployments(), token)[:2])
    if origin and (named := origin.deployment) and visible(Deployment.objects.filter(pk=named.pk), token).exists():
        return named, "the deployment that you came from"
    if not deployments:
        return None
    if len(deployments) == 1:
        return deployments[0], "the only one that the token may register"
    return deployments[0], "the first by name of those that the token may register"


def register_trial(
    token: AccessToken, secret: str, deployment: Deployment, why: str, wanted: Environment | None
) -> Trial:
    allowed = visible(Environment.objects.filter(project=deployment.project_id), token)
    environments = list(allowed.order_by("-is_default", "position"))
    environment = wanted if wanted in environments else environments[0]
    path = reverse("register-deploy", args=[token.organization.slug, deployment.slug])
    fields = {
        "secret": secret,
        "sha": EXAMPLE_SHA,
        "environment": environment.slug,
        "branch": quote(f"branch={branch}") if (branch := example_branch(deployment, environment)) else "",
        "url": f"{settings.SITE_URL}{path}?dry_run=1",
    }
    return Trial(
        render_text("access_tokens/try_registering.txt", fields),
        f"It is a dry run: the answer says what a deploy of {deployment} to {environment} would do, and nothing is "
        f"stored. {deployment} is {why}.",
    )


def example_branch(deployment: Deployment, environment: Environment) -> str:
    """A branch that the environment takes; empty if it takes any."""
    mapping = Target.objects.filter(deployment=deployment, environment=environment).exclude(branch="").first()
    if mapping is None:
        return ""
    return mapping.branch + "example" if mapping.branch_match == BranchMatch.PREFIX else mapping.branch
