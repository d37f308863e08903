"""Sweetr's clients at once, each with its own connection."""

from collections import Counter

import pytest

from deployments.models import Deploy
from orgs.models import AuditEvent, Environment, Project
from tests.conftest import World
from tests.factories import make_organization, make_token
from tests.registration.test_sweetr import PATH, REQUIRED
from tests.simultaneously import post_simultaneously

CLIENTS = 8
pytestmark = pytest.mark.django_db(transaction=True)


def test_calls_at_once_create_one_application_and_one_environment(ci: World) -> None:
    bodies = [{**REQUIRED, "app": "New app", "environment": "QA", "path": PATH}] * CLIENTS

    answers = post_simultaneously(ci, bodies)

    assert Counter(answer.status_code for answer in answers) == {202: CLIENTS}
    assert {answer.headers["X-Deploy-Id"] for answer in answers} == {str(Deploy.objects.get().pk)}
    assert Deploy.objects.get().deployment.name == "New app"
    assert AuditEvent.objects.filter(actor_label="access token ci").count() == 2


def test_calls_at_once_that_write_a_name_in_several_ways_create_one(ci: World) -> None:
    spellings = ("New app", "new app", "NEW APP", "new-app")
    bodies = [{**REQUIRED, "app": name, "environment": name, "path": PATH} for name in spellings * 2]

    answers = post_simultaneously(ci, bodies)

    assert Counter(answer.status_code for answer in answers) == {202: CLIENTS}
    assert {answer.headers["X-Deploy-Id"] for answer in answers} == {str(Deploy.objects.get().pk)}
    assert AuditEvent.objects.filter(actor_label="access token ci").count() == 2


def test_calls_at_once_create_one_project(ci: World) -> None:
    ci.organization = make_organization("empty")
    _, ci.secret = make_token(ci.organization)
    bodies = [{**REQUIRED, "app": f"app-{n % 2}", "environment": f"env-{n % 2}", "path": PATH} for n in range(CLIENTS)]

    answers = post_simultaneously(ci, bodies)

    assert Counter(answer.status_code for answer in answers) == {202: CLIENTS}
    project = Project.objects.get(organization=ci.organization)
    assert project.deployments.count() == 2
    assert Environment.objects.filter(project=project).count() == 2
    assert Deploy.objects.filter(organization=ci.organization).count() == 2
