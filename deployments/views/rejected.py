"""Calls that were rejected today, for those who may see why."""

from collections.abc import Iterable

from deployments.models import Deployment
from deployments.queries.calls import turned_away_today, turned_away_today_by_deployment
from orgs.access import MemberRequest
from orgs.roles import Permission, role_allows


def may_see_requests(request: MemberRequest) -> bool:
    return role_allows(request.membership.role, Permission.VIEW_REQUESTS)


def count_rejected_today(request: MemberRequest) -> int:
    return turned_away_today(request.organization) if may_see_requests(request) else 0


def rejected_today_of(request: MemberRequest, deployments: Iterable[Deployment]) -> dict[int, int]:
    """By the id of each of the deployments that had any."""
    if not may_see_requests(request):
        return {}
    return turned_away_today_by_deployment(request.organization, [deployment.pk for deployment in deployments])
