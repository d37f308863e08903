"""Every operation of the OpenAPI document, called as the document allows: what comes back is as the document says.

Schemathesis makes the calls. Most of them name what is there, so that more is reached than what is not found.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from deployments.models import Deploy, ImpactKind, ImpactSource, ManualChange
from deployments.openapi.document import document
from tests.calls import bearer
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tests.impacts.reporting import make_reporter
from tests.shared import shared_fixture
from tokens.scopes import Scope

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(document())))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
# The same calls each time, so that nobody's change fails by another one's luck.
EXAMPLES = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True)
def _no_limit(settings: Settings) -> None:
    settings.API_RATE_LIMIT = settings.SWEETR_RATE_LIMIT = None


@shared_fixture
def names(ci: World) -> dict[str, Any]:
    """What paths and filters can name of a world that has one of everything; the token may do anything."""
    ci.register(
        sha="5f0c7a1",
        tags="#a",
        links={"a": "https://example.com"},
        commits=[{"revision": "5f0c7a1", "message": "Fix", "author": {"name": "Ann"}, "files": ["a"]}],
        files=[{"path": "a.py", "additions": 1}],
        pull_requests=[{"number": 1, "title": "Fix", "issue_keys": ["X-1"]}],
    )
    ci.record(name="Scaled up", tags="#a", links={"a": "https://example.com"})
    incidents = make_reporter(ci, ImpactKind.INCIDENT)
    incidents.tell("triggered", id="1", title="Down")
    return {
        "organization": ci.organization.slug,
        "project": ci.project.slug,
        "environment": incidents.source.environment.slug,
        "deployment": ci.deployment.slug,
        "deploy_id": Deploy.objects.get().pk,
        "sha": "5f0c",
        "change_id": ManualChange.objects.get().pk,
        "impact_source": incidents.source.slug,
        "source": incidents.source.slug,
        "impact_id": str(make_impact_source(ci.project, ImpactKind.METRIC).pk),
        "token": make_token(ci.organization, Scope.ALL)[1],
    }


@contextmanager
def connection_kept() -> Iterator[None]:
    """Between requests Django closes a connection that is in a transaction, as the test's is."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def test_the_whole_document_is_understood() -> None:
    assert len(OPERATIONS) == sum(len(operations) for operations in document()["paths"].values())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.definition.raw["operationId"])
def test_answers_are_as_documented(names: dict[str, Any], operation: Any) -> None:
    @EXAMPLES
    @given(case=operation.as_strategy(), made_up=st.just(set()) | st.sets(st.sampled_from(sorted(names))))
    def call(case: Any, made_up: set[str]) -> None:
        for values in (case.path_parameters, case.query):
            values.update({name: names[name] for name in values if name in names and name not in made_up})
        # Else it would take no second value for two minutes.
        ImpactSource.objects.update(last_value_at=None)
        case.call_and_validate(app=application, headers=bearer(names["token"]), checks=CHECKS)

    with connection_kept():
        call()
