"""Where a filled organization deploys to: projects of fifty deployments, each through the same environments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deployments.models import Deployment, Target
from deployments.services import create_deployment
from orgs.models import Organization
from orgs.services import NewEnvironment, create_project

DEPLOYMENTS_IN_A_PROJECT = 50
# In promotion order; the number says which are left out first where there are to be fewer.
ENVIRONMENTS = {
    "Development": 4,
    "Integration": 6,
    "Testing": 3,
    "Acceptance": 5,
    "Staging": 2,
    "Pre-production": 8,
    "Canary": 7,
    "Production": 1,
}
AREAS = (
    *("Shop", "Payments", "Accounts", "Search", "Shipping", "Billing", "Catalogue", "Support", "Marketing", "Platform"),
    *("Identity", "Analytics", "Pricing", "Returns", "Warehouse", "Partners", "Mobile", "Content", "Reporting", "News"),
)
KINDS = (
    *("API", "Worker", "Web", "Gateway", "Jobs", "Admin", "Mailer", "Importer", "Exporter", "Cache", "Indexer", "Sync"),
    *("Scheduler", "Webhooks", "Reports", "Ledger", "Router", "Resizer", "Notifier", "Proxy", "Archive", "Events"),
    *("Rules", "Audit", "Tools"),
)


@dataclass(frozen=True, slots=True)
class Lane:
    """A deployment in an environment: where one history goes."""

    deployment: Deployment
    environment_slug: str
    target: Target


def make_lanes(organization: Organization, *, deployments: int, environments: int) -> list[list[Lane]]:
    """For each new deployment its lanes in promotion order."""
    made = []
    for number, begin in enumerate(range(0, deployments, DEPLOYMENTS_IN_A_PROJECT)):
        area = numbered(AREAS, number)
        project = create_project(
            organization=organization, name=area, environments=list(new_environments(environments))
        )
        path = list(project.environments.order_by("position", "id"))
        for place in range(min(DEPLOYMENTS_IN_A_PROJECT, deployments - begin)):
            deployment = create_deployment(project=project, name=f"{area} {numbered(KINDS, place)}")
            targets = Target.objects.bulk_create(
                Target(deployment=deployment, environment=environment) for environment in path
            )
            made.append(
                [Lane(deployment, environment.slug, target) for environment, target in zip(path, targets, strict=True)]
            )
    return made


def new_environments(count: int) -> Iterator[NewEnvironment]:
    for name, rank in ENVIRONMENTS.items():
        if rank <= count:
            yield NewEnvironment(name=name, is_default=rank == 1)


def numbered(names: Sequence[str], number: int) -> str:
    again, place = divmod(number, len(names))
    return f"{names[place]} {again + 1}" if again else names[place]
