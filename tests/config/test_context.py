"""The frame of the pages: which room of the rail a page is in."""

import re

import pytest

from deployments.models import Deploy, ManualChange
from orgs.models import User
from tests.conftest import World
from tests.factories import signed_in


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("/acme", "Live"),
        ("/acme/timeline", "Timeline"),
        ("/acme/projects/shop/timeline", "Timeline"),
        ("/acme/projects/shop/environments/staging/timeline", "Timeline"),
        ("/acme/deploys/{deploy}", "Timeline"),
        ("/acme/manual-changes/{change}", "Timeline"),
        ("/acme/manual-changes/{change}/edit", "Timeline"),
        ("/acme/projects", "Projects"),
        ("/acme/projects/shop", "Projects"),
        ("/acme/projects/shop/environments/staging/settings", "Projects"),
        ("/acme/new-project", "Projects"),
        ("/acme/deleted", "Projects"),
        ("/acme/new-deployment", "Projects"),
        ("/acme/deployments/storefront", "Projects"),
        ("/acme/deployments/storefront/setup", "Projects"),
        ("/acme/deployments/storefront/settings", "Projects"),
        ("/acme/deployments/storefront/move", "Projects"),
        ("/acme/deployments/storefront/imports", "Projects"),
        ("/acme/projects/shop/impact-sources", "Projects"),
        ("/acme/requests", "Requests"),
        ("/acme/tokens/new", "Access tokens"),
        ("/acme/api", "API"),
        ("/acme/members/invite", "Members"),
        ("/acme/audit", "Audit log"),
        ("/acme/settings", "Settings"),
    ],
)
def test_each_page_is_in_one_room(ci: World, admin: User, path: str, room: str) -> None:
    ci.register(sha="abc")
    ci.record(name="Scaled up")
    address = path.format(deploy=Deploy.objects.get().pk, change=ManualChange.objects.get().pk)

    page = signed_in(admin).get(address).content.decode()

    nav = page.split('class="rail-nav"')[1].split("</nav>")[0]
    current = re.findall(r'aria-current="page"><svg.*?</svg>(.*?)</a>', nav)
    assert current == [room]
