"""What the OpenAPI document promises, held by schemathesis against what every endpoint answers."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as limits
from pytest_django import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from deployments.models import ImpactKind
from deployments.wire.openapi import document
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tokens.scopes import Scope

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_dict(document())
schema.app = application
limited = limits(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

OPERATIONS = {result.ok().label: result.ok() for result in schema.get_all_operations()}


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_documented(label: str, ci: World, settings: Settings) -> None:
    """Half of the calls name what is there, since made-up slugs seldom lead past the first look-up."""
    settings.API_RATE_LIMIT = settings.SWEETR_RATE_LIMIT = None
    names = names_of(ci)
    _, secret = make_token(ci.organization, Scope.ALL)

    @limited
    @given(case=OPERATIONS[label].as_strategy(), is_real=strategies.booleans())
    def call(case: Any, is_real: bool) -> None:
        if is_real:
            case.path_parameters = {name: names.get(name, value) for name, value in case.path_parameters.items()}
        headers = {"Authorization": f"Bearer {secret}"}
        case.call_and_validate(headers=headers, checks=CHECKS, base_url=f"http://localhost{case.base_path or ''}")

    call()


def names_of(world: World) -> dict[str, Any]:
    deploy = world.register(sha="5f0c7a1", commits=[{"revision": "5f0c7a1", "message": "Fix"}], files=[{"path": "a"}])
    change = world.record(name="Scaled up")
    return {
        "organization": world.organization.slug,
        "project": world.project.slug,
        "deployment": world.deployment.slug,
        "environment": "production",
        "deploy_id": int(deploy["X-Deploy-Id"]),
        "change_id": int(change["X-Manual-Change-Id"]),
        "sha": "5f0c7a1",
        "impact_id": str(make_impact_source(world.project, ImpactKind.METRIC).pk),
        "impact_source": make_impact_source(world.project, ImpactKind.INCIDENT).slug,
        "token": world.secret,
    }
