"""The table of wire formats: what a row promises holds for each of them."""

import pytest
from django.urls import reverse

from deployments.api.schemas import load_schema
from deployments.models import Call
from deployments.registration.formats import FORMATS, WireFormat
from deployments.request_log.writer import request_log
from tests.calls import bearer, call
from tests.conftest import World

WIRES = pytest.mark.parametrize("wire", FORMATS.values(), ids=FORMATS)


def path_of(wire: WireFormat, world: World) -> str:
    slugs = {"organization": world.organization.slug, "deployment": world.deployment.slug}
    return reverse(wire.name, kwargs={name: slug for name, slug in slugs.items() if f"<{name}>" in wire.paths[0]})


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
