"""The command beside a new secret tries it and stores nothing, and the page leads back to where the person was."""

import html as entities
import json
import re
import subprocess
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from deployments.models import Deploy, ImpactKind
from deployments.setup.services import map_branch
from orgs.models import User
from tests.access_tokens.token_pages import FORM, NEW, html, rotate, secrets_in
from tests.conftest import World
from tests.factories import make_deployment, make_impact_source, signed_in
from tokens.models import AccessToken


def command_in(answer: Any) -> str:
    found = re.search(r'<code id="call"[^>]*>(.*?)</code>', html(answer), re.DOTALL)
    assert found
    return entities.unescape(found[1])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mapping", ["", "main", "release/*", "it's;id|&#/*"])
def test_it_is_a_dry_run_that_would_pass(
    ci: World, admin: User, live_server: LiveServer, settings: Settings, mapping: str
) -> None:
    settings.SITE_URL = live_server.url
    make_deployment(ci.project, name="Api")
    production = ci.project.environments.get(slug="production")
    if mapping:
        map_branch(deployment=ci.deployment, environment=production, branch=mapping)
    limit = {"limit_deployments": "some", "deployments": [ci.deployment.pk]}

    command = command_in(signed_in(admin).post(NEW, FORM | limit))
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)

    answer = json.loads(done.stdout)
    assert answer["dry_run"]
    assert answer["would_answer"] == {"status": 200, "text": "Success"}
    assert not Deploy.objects.exists()


def test_it_says_of_which_deployment_and_why(ci: World, page: Client) -> None:
    only = html(page.post(NEW, FORM | {"nonce": "1"}))
    assert "what a deploy of Storefront to Production would do" in only
    assert "Storefront is the only one that the token may register." in only

    make_deployment(ci.project, name="Api")
    first = page.post(NEW, FORM | {"nonce": "2", "name": "second"})
    assert "Api is the first by name of those that the token may register." in html(first)
    assert "/acme/api/register_deploy?dry_run=1" in command_in(first)

    there = page.post(f"{NEW}?deployment=storefront&environment=staging", FORM | {"nonce": "3", "name": "third"})
    assert "a deploy of Storefront to Staging" in html(there)
    assert "Storefront is the deployment that you came from." in html(there)
    assert "/acme/storefront/register_deploy?dry_run=1" in command_in(there)
    assert "environment=staging" in command_in(there)


def test_it_stays_within_the_limits_of_the_token(ci: World, page: Client) -> None:
    api, staging = make_deployment(ci.project, name="Api"), ci.project.environments.get(slug="staging")
    limits = {
        "limit_deployments": "some",
        "deployments": [api.pk],
        "limit_environments": "some",
        "environments": [staging.pk],
    }

    answer = page.post(f"{NEW}?deployment=storefront&environment=production", FORM | limits)

    assert "/acme/api/register_deploy?dry_run=1" in command_in(answer)
    assert "environment=staging" in command_in(answer)


def test_a_rotated_token_is_tried_alike(ci: World, page: Client) -> None:
    assert "dry_run=1" in command_in(rotate(page, ci.token))


@pytest.mark.parametrize(
    ("origin", "back", "name"),
    [
        ("", "/acme/tokens/{token}", "I have stored it"),
        ("?deployment=storefront", "/acme/deployments/storefront/setup", "Leads back to the set-up of Storefront."),
        (
            "?deployment=storefront&environment=staging&ci=jenkins",
            "/acme/deployments/storefront/setup?environment=staging&amp;ci=jenkins",
            "Leads back to the set-up of Storefront.",
        ),
        ("?source={source}", "/acme/projects/shop/impact-sources/{source}", "Leads back to Alerts."),
        ("?source=0", "/acme/tokens/{token}", "I have stored it"),
        ("?deployment=%00&source=x", "/acme/tokens/{token}", "I have stored it"),
    ],
)
def test_it_leads_back(ci: World, page: Client, origin: str, back: str, name: str) -> None:
    source = make_impact_source(ci.project, ImpactKind.INCIDENT, "Alerts").pk

    answer = html(page.post(NEW + origin.format(source=source), FORM))

    token = AccessToken.objects.get(name="deployer").pk
    assert f'href="{back.format(source=source, token=token)}">I have stored it' in answer
    assert name in answer


def test_the_set_up_page_leads_to_a_token_and_back(ci: World, page: Client) -> None:
    AccessToken.objects.update(scopes="READ")
    setup = html(page.get("/acme/deployments/storefront/setup?environment=staging&ci=jenkins"))

    assert f'{NEW}?deployment=storefront&amp;environment=staging&amp;ci=jenkins"' in setup


def test_an_impact_source_presets_what_its_calls_need(ci: World, other: World, page: Client) -> None:
    source = make_impact_source(ci.project, ImpactKind.METRIC, "Errors")
    foreign = make_impact_source(other.project, ImpactKind.METRIC, "Errors")
    address = f"{NEW}?source={source.pk}"

    assert f'href="{address}"' in html(page.get(f"/acme/projects/shop/impact-sources/{source.pk}"))
    form = page.get(address).context["form"]
    assert form["scopes"].value() == ["REGISTER_IMPACT"]
    assert form["limit_deployments"].value() == "all", "an impact belongs to no deployment"
    assert form["environments"].value() == [str(source.environment_id)]
    suggested = {name: form[name].value() for name in form.fields}
    (secret,) = secrets_in(page.post(address, {name: value for name, value in suggested.items() if value}))
    call = ci.register(secret=secret, path=f"/api/1/impact/{source.pk}/register_impact", value=1)
    assert (call.status_code, call.content) == (200, b"Success")
    assert page.get(f"{NEW}?source={foreign.pk}").context["form"]["scopes"].value() == ["REGISTER_DEPLOY"]
