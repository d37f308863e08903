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

# The pages of an entry of RAIL whose addresses do not begin with that of the entry.
PAGES = {
    "timeline": "deploy-page project-timeline environment-timeline "
    "manual-change-page edit-manual-change new-manual-change",
    "projects": "new-project deleted deployment deployment-setup deployment-settings move-deployment new-deployment "
    "imports import-draft",
    "members": "revoke-invitation",
}
ENTRIES = {page: entry for entry, pages in PAGES.items() for page in pages.split()}


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
        # All pages are below home.
        is_below = url_name != "home" and request.path.startswith(f"{url}/")
        yield {
            "label": label,
            "icon": icon,
            "url": url,
            "group": group,
            "is_current": url_name == entry if entry else request.path == url or is_below,
        }
        group = ""
