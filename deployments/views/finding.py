"""What the address of a page names, in the member's organization, or 404."""

from django.http import Http404
from django.shortcuts import get_object_or_404

from deployments.models import Deployment
from deployments.queries.projects import deployment_of
from orgs.access import MemberRequest
from orgs.models import Environment, Project


def find_project(request: MemberRequest, slug: str) -> Project:
    found: Project = get_object_or_404(Project, organization=request.organization, slug=slug)
    return found


def find_environment(request: MemberRequest, project: str, slug: str) -> Environment:
    environments = Environment.objects.select_related("project__organization")
    found: Environment = get_object_or_404(environments, project=find_project(request, project), slug=slug)
    return found


def find_deployment(request: MemberRequest, slug: str) -> Deployment:
    deployment = deployment_of(request.organization, slug)
    if deployment is None:
        raise Http404
    return deployment
