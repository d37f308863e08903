"""Making impact sources what a checked file says."""

from typing import Any

from deployments.impacts import sources
from deployments.models import ImpactKind, ImpactSource
from deployments.provisioning import output
from deployments.provisioning.checks import known_are
from deployments.provisioning.errors import Problems
from deployments.provisioning.items import name_of
from orgs.models import Environment, Project


def apply_impact_source(project: Project, item: dict[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    environment = find_environment(project, item, path, problems)
    if environment is None:
        return {}
    source = ImpactSource.objects.filter(environment=environment, slug=item["slug"]).first()
    created, kind = source is None, ImpactKind(item["kind"])
    with problems.at(path):
        if source is None:
            source = sources.create_impact_source(
                environment=environment, kind=kind, name=name_of(item), slug=item["slug"]
            )
        else:
            sources.check_kind(source, kind)
            sources.rename_impact_source(source=source, name=item.get("name", source.name))
    return output.describe_impact_source(source, created=created) if source else {}


def find_environment(project: Project, item: dict[str, Any], path: str, problems: Problems) -> Environment | None:
    environments = {environment.slug: environment for environment in project.environments.all()}
    if "environment" not in item:
        return next(environment for environment in environments.values() if environment.is_default)
    slug = item["environment"]
    if slug not in environments:
        problems.add(
            f"{path}.environment",
            f"no environment '{slug}' in project {project.slug}{known_are(environments, slug)}",
        )
    return environments.get(slug)
