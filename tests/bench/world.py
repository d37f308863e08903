"""What is registered where: ``python -m tests.bench.world`` fills the empty database of the settings and describes it.

A process of its own, since Django's settings are read once a process.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass

import django

ORGANIZATION = "acme"
# Few, since each client of pgbench prepares its statements for each of them.
TOKENS = 4
PROJECTS = 4
DEPLOYMENTS_PER_PROJECT = 50
ENVIRONMENTS = ("staging", "production")


@dataclass(frozen=True)
class Token:
    id: int
    digest: str
    secret: str


@dataclass(frozen=True)
class World:
    """The ids of the targets are all those from ``first_target`` to ``last_target``."""

    organization_id: int
    first_target: int
    last_target: int
    paths: list[str]
    tokens: list[Token]

    @classmethod
    def from_json(cls, text: str) -> "World":
        values = json.loads(text)
        return cls(**values | {"tokens": [Token(**token) for token in values["tokens"]]})


def fill() -> World:
    """Each target has a branch mapping and a live deploy."""
    from django.core.management import call_command
    from django.utils import timezone

    from deployments.models import Deployment, Target
    from deployments.registration.registration import Registration
    from deployments.registration.statements import find_targets
    from deployments.registration.store import register_deploy
    from deployments.registration.targets import choose_target
    from deployments.setup.services import map_branch
    from orgs.services import NewEnvironment
    from tests import factories
    from tokens.scopes import Scope

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    organization = factories.make_organization(ORGANIZATION)
    deployments: list[Deployment] = []
    for number in range(PROJECTS):
        environments = [NewEnvironment(name=name.capitalize(), slug=name) for name in ENVIRONMENTS]
        project = factories.make_project(organization, f"Project {number}", environments=environments)
        for _ in range(DEPLOYMENTS_PER_PROJECT):
            deployment = factories.make_deployment(project, f"Deployment {len(deployments)}")
            deployments.append(deployment)
            for environment in project.environments.all():
                map_branch(deployment=deployment, environment=environment, branch="")
    for deployment in deployments:
        for slug in ENVIRONMENTS:
            register_deploy(
                organization_id=organization.pk,
                token_id=None,
                target=choose_target(find_targets(organization.pk, deployment.slug), environment=slug),
                registration=Registration(sha="0" * 40),
                now=timezone.now(),
            )
    tokens = [factories.make_token(organization, Scope.REGISTER_DEPLOY, Scope.IMPORT_DEPLOYS) for _ in range(TOKENS)]
    targets = list(Target.objects.order_by("id").values_list("id", flat=True))
    return World(
        organization_id=organization.pk,
        first_target=targets[0],
        last_target=targets[-1],
        paths=[
            f"/api/1/deployments/{ORGANIZATION}/{deployment.slug}/register_deploy?environment={slug}"
            for slug in ENVIRONMENTS
            for deployment in deployments
        ],
        tokens=[Token(token.pk, token.digest, secret) for token, secret in tokens],
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    json.dump(asdict(fill()), sys.stdout)
