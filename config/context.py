"""What the frame of every page shows: the navigation, and the organizations of the person."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from orgs.models import Membership
from orgs.roles import Permission, role_allows

# Label, icon, URL name, permission needed to see it, and the heading if a new group begins here.
RAIL: tuple[tuple[str, str, str, Permission, str], ...] = (
    ("Live", "live", "home", Permission.VIEW, ""),
    ("Timeline", "timeline", "timeline", Permission.VIEW, ""),
    ("Projects", "projects", "projects", Permission.VIEW, ""),
    ("Requests", "requests", "requests", Permission.VIEW_REQUESTS, "Registering"),
    ("Access tokens", "tokens", "tokens", Permission.MANAGE_TOKENS, ""),
    ("API", "docs", "api-docs", Permission.VIEW, ""),
    ("Members", "members", "members", Permission.VIEW, "Organization"),
    ("Audit log", "audit", "audit-log", Permission.VIEW_AUDIT_LOG, ""),
    ("Settings", "settings", "organization-settings", Permission.MANAGE_ORGANIZATION, ""),
)

# The entry of RAIL for pages whose address does not begin with that of their entry.
ENTRIES = {
    "deploy-page": "timeline",
    "project-timeline": "timeline",
    "environment-timeline": "timeline",
    "manual-change-page": "timeline",
    "edit-manual-change": "timeline",
    "new-manual-change": "timeline",
    "deployment": "projects",
    "deployment-setup": "projects",
    "deployment-settings": "projects",
    "move-deployment": "projects",
    "imports": "projects",
    "import-draft": "projects",
    "new-deployment": "projects",
    "new-project": "projects",
    "deleted": "projects",
    "revoke-invitation": "members",
}


def frame(request: HttpRequest) -> dict[str, Any]:
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {}
    return {
        "rail": list(rail(request, membership)),
        "memberships": Membership.objects.filter(user=membership.user_id)
        .select_related("organization")
        .order_by("organization__name"),
    }


def rail(request: HttpRequest, membership: Membership) -> Iterator[dict[str, Any]]:
    page = request.resolver_match.url_name if request.resolver_match else None
    entry = ENTRIES.get(page or "")
    group = ""
    for label, icon, url_name, permission, new_group in RAIL:
        group = new_group or group
        if not role_allows(membership.role, permission):
            continue
        url = reverse(url_name, kwargs={"organization": membership.organization.slug})
        yield {
            "label": label,
            "icon": icon,
            "url": url,
            "group": group,
            "is_current": url_name == entry if entry else is_within(request.path, url, url_name),
        }
        group = ""


def is_within(path: str, url: str, url_name: str) -> bool:
    """Whether the page is below ``url``, as all are below home."""
    return path == url or (url_name != "home" and path.startswith(f"{url}/"))
