"""Which branches an environment takes, and which environment a call means."""

from typing import Any

import pytest

from deployments.models import Deploy
from deployments.setup.services import map_branch
from orgs.services import NewEnvironment, create_environment, set_default_environment
from tests.conftest import World
from tests.factories import make_project, make_token

EXACT = "Branch '{}' does not match: production of storefront takes branch 'main'."
PREFIX = "Branch '{}' does not match: production of storefront takes branches that begin with 'release/'."
PREFIX_WITHOUT = "branch is required: production of storefront takes branches that begin with 'release/'."


@pytest.mark.parametrize(
    ("mapping", "branch", "refusal"),
    [
        (None, None, ""),
        (None, "anything", ""),
        ("", None, ""),
        ("*", "anything", ""),
        ("main", None, ""),
        ("main", "", ""),
        ("main", "main", ""),
        ("main", " main ", ""),
        ("main", "Main", EXACT),
        ("main", "main2", EXACT),
        ("main", "refs/heads/main", ""),
        ("main", "refs/remotes/origin/main", ""),
        ("main", "origin/main", ""),
        ("main", "refs/heads/origin/main", ""),
        ("main", "upstream/main", EXACT),
        ("main", "origin/main2", EXACT),
        ("main", "refs/tags/main", EXACT),
        ("release/*", "refs/heads/release/1.0", ""),
        ("release/*", "origin/release/1.0", ""),
        ("release/*", "origin/main", PREFIX),
        ("origin/main", "origin/main", ""),
        ("refs/heads/main", "main", ""),
        ("refs/heads/release/*", "refs/heads/release/1", ""),
        ("", "origin/main", ""),
        ("release/*", "release/1", ""),
        ("release/*", "release/", ""),
        ("release/*", "release", PREFIX),
        ("release/*", "Release/1", PREFIX),
        ("release/*", "my-release/1", PREFIX),
        ("release/*", None, PREFIX_WITHOUT),
        ("release/*", "", PREFIX_WITHOUT),
        # These are texts, not patterns.
        ("ma.n", "main", "Branch 'main' does not match: production of storefront takes branch 'ma.n'."),
        ("100%*", "100%-sure", ""),
    ],
)
def test_branch_mapping(ci: World, mapping: str | None, branch: str | None, refusal: str) -> None:
    if mapping is not None:
        production = ci.project.environments.get(slug="production")
        map_branch(deployment=ci.deployment, environment=production, branch=mapping)

    response = ci.register(sha="a", branch=branch)

    if refusal:
        assert (response.status_code, response.content.decode()) == (400, refusal.format(branch))
        assert not Deploy.objects.exists()
    else:
        assert (response.status_code, response.content) == (200, b"Success")
        stored = (branch or "").strip().removeprefix("refs/heads/").removeprefix("refs/remotes/origin/")
        if mapping != stored and mapping:
            stored = stored.removeprefix("origin/")
        assert Deploy.objects.get().branch == stored


def test_each_environment_has_a_mapping_of_its_own(ci: World) -> None:
    for environment, branch in (("production", "main"), ("staging", "develop")):
        map_branch(deployment=ci.deployment, environment=ci.project.environments.get(slug=environment), branch=branch)

    assert ci.register(sha="a", branch="main").status_code == 200
    assert ci.register(sha="a", branch="main", environment="staging").status_code == 400
    assert ci.register(sha="a", branch="develop", environment="staging").status_code == 200


def test_a_mapping_that_changes_keeps_the_live_deploy(ci: World) -> None:
    ci.register(sha="a")
    production = ci.project.environments.get(slug="production")

    target = map_branch(deployment=ci.deployment, environment=production, branch="main")

    assert target.live_deploy == Deploy.objects.get()


@pytest.mark.parametrize(
    ("sent", "slug"),
    [
        (None, "production"),
        ("", "production"),
        ("  ", "production"),
        ("staging", "staging"),
        ("Staging", "staging"),
        (" STAGING\n", "staging"),
        ("pre-prod-eu", "pre-prod-eu"),
        ("Pre Prod (EU)", "pre-prod-eu"),
        ("pre prod (eu)", "pre-prod-eu"),
        ("größe", "grosse"),
        ("GRÖSSE", "grosse"),
        # The slug of one is the name of another: the slug counts.
        ("canary", "canary"),
    ],
)
def test_which_environment_a_call_means(ci: World, sent: str | None, slug: str) -> None:
    for name, own_slug in (("Pre Prod (EU)", "pre-prod-eu"), ("Größe", "grosse"), ("Canary", "x"), ("Y", "canary")):
        create_environment(project=ci.project, new=NewEnvironment(name=name, slug=own_slug))

    assert ci.register(sha="a", environment=sent).status_code == 200
    assert Deploy.objects.get().target.environment.slug == slug


def test_an_unknown_environment_is_refused_with_those_there_are(ci: World) -> None:
    response = ci.register(sha="a", environment="prod")

    assert (response.status_code, response.content.decode()) == (
        400,
        "No environment 'prod' in project shop: it has staging, production.",
    )
    assert not Deploy.objects.exists()


def test_environments_of_other_projects_do_not_count(ci: World) -> None:
    make_project(ci.organization, name="Billing", environments=[NewEnvironment(name="Sandbox")])

    assert ci.register(sha="a", environment="sandbox").status_code == 400


def test_the_default_environment_is_the_one_marked(ci: World) -> None:
    set_default_environment(environment=ci.project.environments.get(slug="staging"))

    ci.register(sha="a")

    assert Deploy.objects.get().target.environment.slug == "staging"


@pytest.mark.parametrize(("environment", "status"), [("staging", 200), (None, 403), ("production", 403)])
def test_a_token_limited_to_an_environment(ci: World, environment: str | None, status: int) -> None:
    staging = ci.project.environments.get(slug="staging")
    _, secret = make_token(ci.organization, environments=[staging])

    response: Any = ci.register(sha="a", environment=environment, secret=secret)

    assert response.status_code == status
    assert Deploy.objects.count() == (status == 200)
    if status == 403:
        assert response.content == b"This access token is limited to the environments staging."
