"""Where a person was who creates a token: what its form suggests, what is tried, and where the secret's page leads."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from deployments.models import Deployment, ImpactSource
from orgs.access import MemberRequest
from orgs.models import Environment
from orgs.pages import ROW_ID
from orgs.slugs import is_slug
from tokens.scopes import Scope


@dataclass(frozen=True, slots=True)
class Origin:
    """``back`` is the address of the page, and ``initial`` what the token's form suggests. ``deployment`` is None where
    the person came from an impact source."""

    back: str
    name: str
    initial: dict[str, Any]
    deployment: Deployment | None = None
    environment: Environment | None = None


def origin_of(request: MemberRequest) -> Origin | None:
    """By the query string: ``deployment``, with the ``environment`` and the ``ci`` that its set-up page shows, or
    ``source``, the id of an impact source. None if it names nothing that exists."""
    if deployment := find_deployment(request, request.GET.get("deployment", "")):
        return from_deployment(request, deployment)
    if source := find_source(request, request.GET.get("source", "")):
        return from_source(request, source)
    return None


def find_deployment(request: MemberRequest, slug: str) -> Deployment | None:
    deployments = Deployment.objects.filter(organization=request.organization).select_related("organization")
    return deployments.filter(slug=slug).first() if is_slug(slug) else None


def from_deployment(request: MemberRequest, deployment: Deployment) -> Origin:
    shown = {name: request.GET[name] for name in ("environment", "ci") if request.GET.get(name)}
    path = reverse("deployment-setup", args=[request.organization.slug, deployment.slug])
    environments = Environment.objects.filter(project=deployment.project_id)
    return Origin(
        back=f"{path}?{urlencode(shown)}" if shown else path,
        name=f"the set-up of {deployment}",
        initial={
            "limit_deployments": "some",
            "deployments": [str(deployment.pk)],
            "name": f"CI of {deployment}",
        },
        deployment=deployment,
        environment=next((item for item in environments if item.slug == shown.get("environment")), None),
    )


def find_source(request: MemberRequest, pk: str) -> ImpactSource | None:
    sources = ImpactSource.objects.filter(
        organization=request.organization, project__deleted_at=None, environment__deleted_at=None
    )
    return sources.select_related("project").filter(pk=int(pk)).first() if ROW_ID.fullmatch(pk) else None


def from_source(request: MemberRequest, source: ImpactSource) -> Origin:
    return Origin(
        back=reverse("impact-source", args=[request.organization.slug, source.project.slug, source.pk]),
        name=str(source),
        initial={
            "scopes": [Scope.REGISTER_IMPACT],
            "limit_environments": "some",
            "environments": [str(source.environment_id)],
            "name": f"Reports of {source}",
        },
    )
