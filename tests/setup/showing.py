"""What the set-up page shows."""

import html
import re

from orgs.models import User
from tests.conftest import World

SITE = "https://gumshoe.example.com"


def snippet(world: World, user: User, tool: str, environment: str = "staging") -> str:
    """With which ``user`` is signed in, too."""
    world.client.force_login(user)
    page = world.client.get(f"/acme/deployments/storefront/setup?ci={tool}&environment={environment}")
    assert page.status_code == 200
    code = re.search(r'<code id="snippet">(.*?)</code>', page.content.decode(), re.DOTALL)
    assert code
    return html.unescape(code[1])
