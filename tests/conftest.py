import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.test import Client, override_settings
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from deployments.models import Deployment
from deployments.request_log.writer import DailyBudget, request_log
from orgs.models import Organization, Project, User
from orgs.roles import Role
from tests.factories import make_deployment, make_member, make_organization, make_project, make_token, signed_in
from tests.flushing import flushing_by_deletion
from tests.operator import OperatorClient
from tests.shared import fixtures_of, shared, shared_fixture
from tokens.models import AccessToken
from tokens.scopes import Scope

# Other examples in each run; many more of them by `make test ARGS='--hypothesis-profile thorough'`.
hypothesis_settings.register_profile("quick", max_examples=25)
hypothesis_settings.register_profile("thorough", max_examples=500)
hypothesis_settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    forget()
    yield
    forget()


def forget() -> None:
    """Rate limits count by primary key, and keys come again. What waits for the log names rows that will be gone."""
    caches["counters"].clear()
    request_log.waiting.clear()
    request_log.budget = DailyBudget()


@pytest.fixture(scope="session", autouse=True)
def _settings_of_all_tests() -> Iterator[None]:
    with override_settings(
        # A thread would have a connection of its own, which sees nothing of a test's transaction.
        REQUEST_LOG_THREAD=False,
        # Pages name static files by plain names, since tests collect none.
        STORAGES=settings.STORAGES
        | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
        # The real hash takes most of a second of every sign-in.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        # A code may end between the test that makes it and the page that checks it.
        MFA_TOTP_TOLERANCE=1,
    ):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Shared rows are there from the second test on."""
    shared.blocker = django_db_blocker
    with flushing_by_deletion():
        yield
    shared.hold([])


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, since some wait: for a browser, a server's start, a time-out."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    shared.hold(shared.names_of(item))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests first, since they take long; then by what they share. A random order is kept within."""
    items.sort(key=lambda item: ("chromium" not in fixtures_of(item), shared.names_of(item)))


@dataclass
class World:
    """Acme with project shop, its environments staging and production (default), deployment storefront and a token,
    which registers and imports."""

    organization: Organization
    project: Project
    deployment: Deployment
    token: AccessToken
    secret: str
    client: Client = field(default_factory=Client)

    def __deepcopy__(self, memo: dict[int, Any]) -> "World":
        """With a client of its own."""
        rows = (self.organization, self.project, self.deployment, self.token)
        return World(*copy.deepcopy(rows, memo), self.secret)

    @property
    def path(self) -> str:
        return f"/api/1/deployments/{self.organization.slug}/{self.deployment.slug}/register_deploy"

    def register(self, *, secret: str | None = None, path: str | None = None, headers: Any = None, **body: Any) -> Any:
        """Post a JSON body to the deployment's register_deploy as its CI would."""
        return self.client.post(
            path or self.path,
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret or self.secret}", **(headers or {})},
        )

    @property
    def manual_path(self) -> str:
        return f"/api/1/deployments/{self.organization.slug}/{self.project.slug}/register_manual_deploy"

    def record(self, *, headers: Any = None, **body: Any) -> Any:
        """Post a JSON body to the project's register_manual_deploy."""
        return self.register(path=self.manual_path, headers=headers, **body)


def make_world(slug: str) -> World:
    organization = make_organization(slug)
    project = make_project(organization)
    deployment = make_deployment(project)
    token, secret = make_token(organization, Scope.REGISTER_DEPLOY, Scope.IMPORT_DEPLOYS, name="ci")
    return World(organization, project, deployment, token, secret)


@shared_fixture
def ci() -> World:
    return make_world("acme")


@shared_fixture
def other() -> World:
    """Another organization with the same slugs below it."""
    return make_world("globex")


@shared_fixture
def owner(ci: World) -> User:
    return make_member(ci.organization, Role.OWNER)


@shared_fixture
def admin(ci: World) -> User:
    return make_member(ci.organization, Role.ADMIN)


@shared_fixture
def developer(ci: World) -> User:
    return make_member(ci.organization, Role.DEVELOPER)


@shared_fixture
def observer(ci: World) -> User:
    return make_member(ci.organization, Role.OBSERVER)


@shared_fixture
def stranger(other: World) -> User:
    return make_member(other.organization, Role.ADMIN)


@shared_fixture
def operator() -> OperatorClient:
    return OperatorClient()


@pytest.fixture
def page(admin: User) -> Client:
    """An admin's browser."""
    return signed_in(admin)


@pytest.fixture
def reader(ci: World) -> str:
    """The secret of a token that reads."""
    return make_token(ci.organization, Scope.READ, name="reader")[1]
