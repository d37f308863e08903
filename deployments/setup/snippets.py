"""How a CI registers deploys of a deployment, filled in, and whether its first call came."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from deployments.models import Call, Deploy, Deployment
from deployments.pages import filled_in, find_deployment
from deployments.request_log.queries import may_see_requests, newest_call
from deployments.setup import queries
from deployments.token_limits import tokens_that_may_register
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.queries import promotion_path
from orgs.roles import Permission, role_allows


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that can call us. ``slug`` also names its template in templates/setup/snippets/."""

    slug: str
    name: str
    place: str
    secret: str


TOOLS = (
    Tool("curl", "curl", "In the script that deploys, after the deploy.", "Set GUMSHOE_TOKEN in its environment."),
    Tool(
        "github-actions",
        "GitHub Actions",
        "In .github/workflows, as the step after the one that deploys.",
        "Store the token as the repository's secret GUMSHOE_TOKEN: Settings, Secrets and variables, Actions.",
    ),
    Tool(
        "gitlab-ci",
        "GitLab CI",
        "In .gitlab-ci.yml.",
        "Store the token as the masked variable GUMSHOE_TOKEN: Settings, CI/CD, Variables.",
    ),
    Tool(
        "jenkins",
        "Jenkins",
        "In the Jenkinsfile, as the stage after the one that deploys.",
        "Store the token as a credential of the kind secret text with the id gumshoe-token.",
    ),
    Tool(
        "circleci",
        "CircleCI",
        "In .circleci/config.yml, as the last step of the job that deploys.",
        "Store the token as GUMSHOE_TOKEN in the project's environment variables or in a context.",
    ),
    Tool(
        "bitbucket-pipelines",
        "Bitbucket Pipelines",
        "In bitbucket-pipelines.yml, as the step after the one that deploys.",
        "Store the token as the secured repository variable GUMSHOE_TOKEN.",
    ),
    Tool(
        "azure-pipelines",
        "Azure Pipelines",
        "In azure-pipelines.yml, as the step after the one that deploys.",
        "Store the token as the secret variable GUMSHOE_TOKEN of the pipeline.",
    ),
    Tool(
        "buildkite",
        "Buildkite",
        "In .buildkite/pipeline.yml, after the step that deploys.",
        "Store the token as the cluster's secret GUMSHOE_TOKEN.",
    ),
    Tool(
        "argo-cd",
        "Argo CD",
        "In the ConfigMap of Argo CD's notifications, and one annotation on the Application.",
        "Store the token under the key gumshoe-token in the Secret argocd-notifications-secret.",
    ),
    Tool(
        "powershell",
        "PowerShell",
        "In the script that deploys, after the deploy. It runs in Windows PowerShell 5.1 and in PowerShell 7.",
        "Set GUMSHOE_TOKEN in its environment.",
    ),
    Tool(
        "sweetr",
        "Sweetr",
        "Where a pipeline calls Sweetr: change the host, or call it like this.",
        "Set GUMSHOE_TOKEN in its environment.",
    ),
    Tool(
        "terraform-cloud",
        "Terraform Cloud",
        "In the workspace's settings, under Notifications: a webhook with the trigger Completed and this address.",
        "Write the token in the place of $GUMSHOE_TOKEN: one that is limited to this deployment, since others read it.",
    ),
    Tool(
        "sleuth-cli",
        "Sleuth CLI",
        "In the script that deploys, in a clone with its history: the CLI sends commits and files, too.",
        "Set GUMSHOE_TOKEN in its environment.",
    ),
)


@member_page(Permission.VIEW)
def deployment_setup(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    environments = promotion_path(found.project)
    environment = chosen(environments, request.GET.get("environment", ""))
    tool = next((tool for tool in TOOLS if tool.slug == request.GET.get("ci")), TOOLS[0])
    context = {
        "deployment": found,
        "environments": environments,
        "tools": TOOLS,
        "tool": tool,
        "snippet": snippet(tool, found, environment),
        "tokens": tokens_for(request, found),
        **arrival(request, found, environment),
    }
    return render(request, "setup/setup.html", context)


def tokens_for(request: MemberRequest, deployment: Deployment) -> list[str] | None:
    """The names of the tokens that may register it; none for who manages no tokens, and has to ask an admin."""
    if not role_allows(request.membership.role, Permission.MANAGE_TOKENS):
        return None
    return [token.name for token in tokens_that_may_register(deployment, timezone.now())]


@member_page(Permission.VIEW)
def first_call(request: MemberRequest, deployment: str) -> HttpResponse:
    """The part of the page that waits, asked for again and again until the call is there and was accepted."""
    found = find_deployment(request, deployment)
    environment = chosen(promotion_path(found.project), request.GET.get("environment", ""))
    context = {"deployment": found, **arrival(request, found, environment)}
    return render(request, "setup/_first_call.html", context)


def chosen(environments: list[Environment], slug: str) -> Environment:
    """The environment of that slug, else the default one."""
    named = (environment for environment in environments if environment.slug == slug)
    return next(named, next(environment for environment in environments if environment.is_default))


def arrival(request: MemberRequest, deployment: Deployment, environment: Environment) -> dict[str, object]:
    deploy = queries.newest_deploy(deployment, environment)
    return {
        "environment": environment,
        "deploy": deploy,
        "elsewhere": queries.newest_deploy(deployment),
        "refused": refused_since(request, deployment, deploy),
    }


def refused_since(request: MemberRequest, deployment: Deployment, deploy: Deploy | None) -> Call | None:
    """The newest call to the deployment, if it was turned away after ``deploy`` came."""
    if not may_see_requests(request):
        return None
    call = newest_call(deployment)
    if call is None or not call.was_rejected or (deploy and deploy.created_at > call.created_at):
        return None
    return call


def snippet(tool: Tool, deployment: Deployment, environment: Environment) -> str:
    """Only slugs and the site's address are filled in: nothing a shell or YAML could take for its own."""
    path = reverse("register-deploy", args=[deployment.organization.slug, deployment.slug])
    context = {
        "organization": deployment.organization.slug,
        "deployment": deployment.slug,
        "environment": environment.slug,
        "site": settings.SITE_URL,
        "url": f"{settings.SITE_URL}{path}",
    }
    return filled_in(f"setup/snippets/{tool.slug}.txt", context)
