"""The set-up page of a deployment: a snippet for each CI, filled in, and whether the first call has come in."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from deployments.models import Call, Deploy, Deployment
from deployments.pages import choose_environment, choose_tool, find_deployment, render_text
from deployments.request_log.queries import may_see_requests, newest_call
from deployments.setup import queries
from deployments.token_limits import tokens_that_may_register
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.queries import promotion_path
from orgs.roles import Permission, role_allows


@member_page(Permission.VIEW)
def deployment_setup(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    environments = promotion_path(found.project)
    environment = choose_environment(environments, request.GET.get("environment", ""))
    tools, tool = choose_tool("deploy", request.GET.get("ci", ""))
    context = {
        "deployment": found,
        "environments": environments,
        "tools": tools,
        "tool": tool,
        "snippet": snippet(tool["slug"], found, environment),
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


def snippet(tool: str, deployment: Deployment, environment: Environment) -> str:
    """``tool`` is a slug. Inserts only slugs and the site's address. None of them can break a command or YAML."""
    register_path = reverse("register-deploy", args=[deployment.organization.slug, deployment.slug])
    context = {
        "organization": deployment.organization.slug,
        "deployment": deployment.slug,
        "environment": environment.slug,
        "site": settings.SITE_URL,
        "url": f"{settings.SITE_URL}{register_path}",
        "sweetr_url": f"{settings.SITE_URL}{reverse('sweetr-deployments')}",
    }
    return render_text(f"setup/snippets/{tool}.txt", context)
