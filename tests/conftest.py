from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from deployments.models import Deployment
from deployments.request_log.writer import DailyBudget, request_log
from orgs.models import Organization, Project, User
from orgs.roles import Role
from tests.factories import make_deployment, make_member, make_organization, make_project, make_token
from tokens.models import AccessToken


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits count by primary key, and keys come again."""
    for cache in caches.all():
        cache.clear()
    yield
    for cache in caches.all():
        cache.clear()


@pytest.fixture(autouse=True)
def _request_log_without_thread(settings: Settings) -> None:
    """A thread would have a connection of its own, which sees nothing of a test's transaction.

    What an earlier test left in the queue names rows that are gone.
    """
    settings.REQUEST_LOG_THREAD = False
    request_log.waiting.clear()
    request_log.budget = DailyBudget()


@pytest.fixture(autouse=True)
def _static_files_without_manifest(settings: Settings) -> None:
    """Pages name static files by plain names, since tests collect none."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """The real hash takes most of a second of every sign-in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _patient_second_factor(settings: Settings) -> None:
    """A code may end between the test that makes it and the page that checks it."""
    settings.MFA_TOTP_TOLERANCE = 1


@dataclass
class World:
    """Acme with project shop, its environments staging and production (default), deployment storefront and a token."""

    organization: Organization
    project: Project
    deployment: Deployment
    token: AccessToken
    secret: str
    client: Client = field(default_factory=Client)

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
    token, secret = make_token(organization, name="ci")
    return World(organization, project, deployment, token, secret)


@pytest.fixture
def ci(db: None) -> World:
    return make_world("acme")


@pytest.fixture
def other(db: None) -> World:
    """Another organization with the same slugs below it."""
    return make_world("globex")


@pytest.fixture
def owner(ci: World) -> User:
    return make_member(ci.organization, Role.OWNER)


@pytest.fixture
def admin(ci: World) -> User:
    return make_member(ci.organization, Role.ADMIN)


@pytest.fixture
def developer(ci: World) -> User:
    return make_member(ci.organization, Role.DEVELOPER)


@pytest.fixture
def observer(ci: World) -> User:
    return make_member(ci.organization, Role.OBSERVER)


@pytest.fixture
def stranger(other: World) -> User:
    return make_member(other.organization, Role.ADMIN)
