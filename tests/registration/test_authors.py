"""Whose deploy it is, and how long it took: from what the call says of commits and pull requests."""

from typing import Any

import pytest
from django.test import Client

from deployments.deploys.queries import stages_of
from deployments.models import Deploy
from tests.conftest import World
from tests.registration.requests import url

TOM, JONAS = "tom@example.com", {"name": "Jonas Falk", "email": "jonas@example.com"}


@pytest.mark.parametrize(
    ("email", "author", "expected"),
    [
        (TOM, JONAS, ("", TOM)),
        ("Jonas@example.com", JONAS, ("Jonas Falk", "Jonas@example.com")),
        (None, JONAS, ("Jonas Falk", "jonas@example.com")),
        (TOM, {"name": "Nobody"}, ("", TOM)),
    ],
)
def test_a_name_goes_with_its_own_address(
    ci: World, email: str | None, author: dict[str, str], expected: tuple[str, str]
) -> None:
    ci.register(sha="aaaa111", email=email, commits=[{"revision": "aaaa111", "author": author}])

    deploy = Deploy.objects.get()
    assert (deploy.author_name, deploy.author_email) == expected


def test_the_page_tells_who_deployed_from_whose_commits_they_are(ci: World, page: Client) -> None:
    ci.register(sha="aaaa111", email=TOM, commits=[{"revision": "aaaa111", "author": JONAS}])

    shown = " ".join(page.get(url("deploy-page", deploy=Deploy.objects.get().pk)).content.decode().split())

    assert f'<dt>Deployed by</dt> <dd> <span class="muted">{TOM}</span></dd>' in shown
    assert "<dt>Commits by</dt> <dd>Jonas Falk</dd>" in shown


# --- Lead time ---


@pytest.mark.parametrize(
    ("commit", "opened", "lead_time"),
    [
        # A squash merge leaves only its own date.
        ("2026-11-20T02:00:00Z", "2026-11-10T00:00:00Z", 874_800),
        ("2026-11-20T02:00:00Z", None, 3600),
        ("2026-11-20T02:00:00Z", "2026-11-20T02:30:00Z", 3600),
        (None, "2026-11-20T02:30:00Z", 1800),
        # As after a rebase.
        ("2026-11-20T04:00:00Z", "2026-11-20T02:30:00Z", 1800),
        ("2026-11-20T04:00:00Z", None, None),
    ],
)
def test_lead_time_begins_with_the_earliest(
    ci: World, page: Client, commit: str | None, opened: str | None, lead_time: int | None
) -> None:
    commits: list[dict[str, Any]] = [{"revision": "a", "message": "Feature (#12)", "date": commit}]

    ci.register(
        sha="a", date="2026-11-20T03:00:00Z", commits=commits, pull_requests=[{"number": 12, "created_at": opened}]
    )

    deploy = Deploy.objects.get()
    assert deploy.lead_time == lead_time
    assert sum(stage.seconds for stage in stages_of(deploy)) == (lead_time or 0)
    assert page.get(url("deploy-page", deploy=deploy.pk)).status_code == 200
