import pytest
from django.test import Client

from orgs.models import User
from tests.conftest import World
from tests.factories import signed_in


@pytest.fixture
def client(ci: World, admin: User) -> Client:
    return signed_in(admin)
