"""The table of wire formats: what a row promises holds for each of them."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from deployments.api.schemas import load_schema
from deployments.errors import InvalidField
from deployments.models import Call, Deploy
from deployments.registration.formats import FORMATS, WireFormat
from deployments.registration.receive import Sender, receive
from deployments.registration.registration import Registration
from deployments.registration.statements import find_targets
from deployments.request_log.writer import request_log
from orgs.audit import Actor
from tests.calls import bearer, call
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tokens.scopes import Scope
from tokens.services import limit_token

WIRES = pytest.mark.parametrize("wire", FORMATS.values(), ids=FORMATS)


def path_of(wire: WireFormat, world: World) -> str:
    slugs = {"organization": world.organization.slug, "deployment": world.deployment.slug}
    return reverse(wire.name, kwargs={name: slug for name, slug in slugs.items() if f"<{name}>" in wire.paths[0]})


def example_of(wire: WireFormat) -> str:
    """The first example of its schema."""
    return json.dumps(load_schema(wire.schema)["examples"][0])


@WIRES
def test_the_example_of_its_schema_is_registered(wire: WireFormat, ci: World) -> None:
    answer = call(path_of(wire, ci), example_of(wire), headers=bearer(ci.secret))

    assert 200 <= answer.status_code < 300, answer.content
    assert Deploy.objects.get().pk == int(answer.headers["X-Deploy-Id"])


@WIRES
def test_a_token_that_is_limited_to_others_is_rejected(wire: WireFormat, ci: World) -> None:
    token, secret = make_token(ci.organization, Scope.ALL)
    limit_token(token=token, deployments=[make_deployment(ci.project, "Backend")])
    _, elsewhere = make_token(ci.organization, Scope.ALL, environments=[ci.project.environments.get(slug="staging")])

    for limited in (secret, elsewhere):
        assert call(path_of(wire, ci), example_of(wire), headers=bearer(limited)).status_code == 403
    assert not Deploy.objects.exists()


@WIRES
def test_its_paths_are_those_of_the_api(wire: WireFormat) -> None:
    """Other paths pass the middleware of pages, and ask for a CSRF token."""
    for path in wire.paths:
        assert path.replace("^", "/", 1).startswith(settings.API_PATH_PREFIXES), (
            "API_PATH_PREFIXES in config/settings.py"
        )


@WIRES
def test_its_schema_describes_each_field(wire: WireFormat) -> None:
    for name, field in load_schema(wire.schema)["properties"].items():
        assert field.get("description"), f"deployments/schemas/{wire.schema}.json: {name} needs a description"


@WIRES
def test_its_schema_is_published(wire: WireFormat, ci: World) -> None:
    answer = call(f"/api/1/schema/{wire.schema}", method="GET", content_type=None)

    assert (answer.status_code, answer.json()) == (200, load_schema(wire.schema))


@WIRES
def test_the_request_log_knows_its_calls_by_its_name(wire: WireFormat, ci: World) -> None:
    answer = call(path_of(wire, ci), "{}", headers=bearer(ci.secret))
    request_log.flush()

    assert 400 <= answer.status_code < 500
    assert Call.objects.get().kind == wire.name


@pytest.mark.parametrize("column", [field for field in Deploy._meta.concrete_fields if field.max_length], ids=str)
def test_a_column_holds_what_the_schema_accepts(column: Any) -> None:
    field = load_schema("register_deploy")["properties"].get(column.name, {})

    assert field.get("maxLength") in (None, column.max_length)


def test_a_sha_of_white_space_is_rejected_whatever_the_format(ci: World) -> None:
    (target, *_) = find_targets(ci.organization.pk, ci.deployment.slug)
    sender = Sender(organization_id=ci.organization.pk, token=None, actor=Actor(label="somebody"))

    for sha in ("", " ", "\n", " abc"):
        with pytest.raises(InvalidField, match="white space"):
            receive(sender=sender, registration=Registration(sha=sha), targets=[target], now=timezone.now())
