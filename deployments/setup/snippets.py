"""The set-up page of a deployment: a snippet for each CI, filled in, and whether the first call has come in."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from deployments.models import Call, Deploy, Deployment
from deployments.pages import Tool, choose_environment, choose_tool, find_deployment, render_text
from deployments.request_log.queries import may_see_requests, newest_call
from deployments.setup import queries
from deployments.token_limits import tokens_that_may_register
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.queries import promotion_path
from orgs.roles import Permission, role_allows

# Their templates are in templates/setup/snippets/.
TOOLS = (
    Tool(
        "curl",
        "curl",
        "Add this to the script that deploys, after the deploy.",
        "Set GUMSHOE_TOKEN in the environment of the script.",
    ),
    Tool(
        "github-actions",
        "GitHub Actions",
        "Add this to the workflow in .github/workflows, after the step that deploys.",
        "Store the token as the repository's secret GUMSHOE_TOKEN: Settings, Secrets and variables, Actions.",
    ),
    Tool(
        "gitlab-ci",
        "GitLab CI",
        "Add this to .gitlab-ci.yml.",
        "Store the token as the masked variable GUMSHOE_TOKEN: Settings, CI/CD, Variables.",
    ),
    Tool(
        "jenkins",
        "Jenkins",
        "Add this to the Jenkinsfile, after the stage that deploys.",
        "Store the token as a credential of the kind “Secret text” with the id gumshoe-token.",
    ),
    Tool(
        "circleci",
        "CircleCI",
        "Add this to .circleci/config.yml, as the last step of the job that deploys.",
        "Store the token as GUMSHOE_TOKEN in the project's environment variables or in a context.",
    ),
    Tool(
        "bitbucket-pipelines",
        "Bitbucket Pipelines",
        "Add this to bitbucket-pipelines.yml, after the step that deploys.",
        "Store the token as the secured repository variable GUMSHOE_TOKEN.",
    ),
    Tool(
        "azure-pipelines",
        "Azure Pipelines",
        "Add this to azure-pipelines.yml, after the step that deploys.",
        "Store the token as the secret variable GUMSHOE_TOKEN of the pipeline.",
    ),
    Tool(
        "buildkite",
        "Buildkite",
        "Add this to .buildkite/pipeline.yml, after the step that deploys.",
        "Store the token as the cluster's secret GUMSHOE_TOKEN.",
    ),
    Tool(
        "argo-cd",
        "Argo CD",
        "Add this to the ConfigMap of Argo CD's notifications, and the annotation to the Application.",
        "Store the token under the key gumshoe-token in the Secret argocd-notifications-secret.",
    ),
    Tool(
        "powershell",
        "PowerShell",
        "Add this to the script that deploys, after the deploy. It runs in Windows PowerShell 5.1 and PowerShell 7.",
        "Set GUMSHOE_TOKEN in the environment of the script.",
    ),
    Tool(
        "sweetr",
        "Sweetr",
        "Change the host name in your pipeline's call to Sweetr, or call it like this.",
        "Set GUMSHOE_TOKEN in the environment of the pipeline.",
    ),
    Tool(
        "terraform-cloud",
        "Terraform Cloud",
        "Under Notifications in the workspace's settings, add a webhook with the trigger Completed and this address.",
        "Replace $GUMSHOE_TOKEN with the token. Others can read it, so use one that is limited to this deployment.",
    ),
    Tool(
        "sleuth-cli",
        "Sleuth CLI",
        "Add this to the script that deploys, in a clone with its history: the CLI also sends commits and files.",
        "Set GUMSHOE_TOKEN in the environment of the script.",
    ),
)


@member_page(Permission.VIEW)
def deployment_setup(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    environments = promotion_path(found.project)
    environment = choose_environment(environments, request.GET.get("environment", ""))
    tool = choose_tool(TOOLS, request.GET.get("ci", ""))
    context = {
        "deployment": found,
        "environments": environments,
        "tools": TOOLS,
        "tool": tool,
        "snippet": snippet(tool, found, environment),
        "tokens": usable_tokens(request, found),
        **first_call_context(request, found, environment),
    }
    return render(request, "setup/setup.html", context)


def usable_tokens(request: MemberRequest, deployment: Deployment) -> list[str] | None:
    """The names of the tokens that may register it, or None if the member may not manage tokens."""
    if not role_allows(request.membership.role, Permission.MANAGE_TOKENS):
        return None
    return [token.name for token in tokens_that_may_register(deployment, timezone.now())]


@member_page(Permission.VIEW)
def first_call(request: MemberRequest, deployment: str) -> HttpResponse:
    """The part of the page that refreshes itself until a call was accepted."""
    found = find_deployment(request, deployment)
    environment = choose_environment(promotion_path(found.project), request.GET.get("environment", ""))
    context = {"deployment": found, **first_call_context(request, found, environment)}
    return render(request, "setup/_first_call.html", context)


def first_call_context(request: MemberRequest, deployment: Deployment, environment: Environment) -> dict[str, object]:
    deploy = queries.newest_deploy(deployment, environment)
    return {
        "environment": environment,
        "deploy": deploy,
        "elsewhere": queries.newest_deploy(deployment),
        "rejected": rejected_since(request, deployment, deploy),
    }


def rejected_since(request: MemberRequest, deployment: Deployment, deploy: Deploy | None) -> Call | None:
    """The newest call to the deployment, if it was rejected after ``deploy`` came in."""
    if not may_see_requests(request):
        return None
    call = newest_call(deployment)
    if call is None or not call.was_rejected or (deploy and deploy.created_at > call.created_at):
        return None
    return call


def snippet(tool: Tool, deployment: Deployment, environment: Environment) -> str:
    """Inserts only slugs and the site's address, none of which can break a shell command or YAML."""
    register_path = reverse("register-deploy", args=[deployment.organization.slug, deployment.slug])
    context = {
        "organization": deployment.organization.slug,
        "deployment": deployment.slug,
        "environment": environment.slug,
        "site": settings.SITE_URL,
        "url": f"{settings.SITE_URL}{register_path}",
        "sweetr_url": f"{settings.SITE_URL}{reverse('sweetr-deployments')}",
    }
    return render_text(f"setup/snippets/{tool.slug}.txt", context)
