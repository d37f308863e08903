"""Making impact sources what a checked file says."""

from typing import Any

from deployments.impacts import sources
from deployments.models import ImpactKind, ImpactSource
from deployments.provisioning import output
from deployments.provisioning.checks import known_are
from deployments.provisioning.errors import Problems
from deployments.provisioning.items import name_of, numbered
from orgs.models import Environment, Project


def apply_impact_sources(project: Project, item: dict[str, Any], path: str, problems: Problems) -> list[dict[str, Any]]:
    """Repetitions are found here: the file need not say which environment is the default."""
    applied: list[dict[str, Any]] = []
    seen: dict[tuple[Environment, str], str] = {}
    for at, source in numbered(f"{path}.impact_sources", item):
        environment, slug = find_environment(project, source, at, problems), source["slug"]
        if environment is None:
            continue
        if (environment, slug) in seen:
            problems.add(f"{at}.slug", f"'{slug}' stands at {seen[environment, slug]} already.")
        else:
            seen[environment, slug] = at
            applied.append(apply_impact_source(environment, source, at, problems))
    return applied


def apply_impact_source(
    environment: Environment, item: dict[str, Any], path: str, problems: Problems
) -> dict[str, Any]:
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
