import pytest

from deployments.models import ImpactKind
from tests.conftest import World
from tests.impacts.reporting import Reporter, make_reporter


@pytest.fixture
def alerts(ci: World) -> Reporter:
    return make_reporter(ci, ImpactKind.INCIDENT, "Alerts")


@pytest.fixture
def metric(ci: World) -> Reporter:
    return make_reporter(ci, ImpactKind.METRIC, "Errors")
