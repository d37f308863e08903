import pytest

from orgs.models import User
from orgs.services import create_user
from tests.conftest import World
from tests.orgs.signing_in import EMAIL, PASSWORD


@pytest.fixture
def ada(ci: World) -> User:
    return create_user(email=EMAIL, name="Ada", password=PASSWORD)
