"""Making code deployments and their branch mappings what a checked file says."""

from typing import Any

from deployments import services
from deployments.models import Deployment, Provider
from deployments.provisioning import output
from deployments.provisioning.checks import known_are
from deployments.provisioning.errors import Problems
from deployments.provisioning.items import name_of
from deployments.services import DeploymentFields
from orgs.models import Project


def apply_deployment(project: Project, item: dict[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    deployment = project.organization.deployments.filter(slug=item["slug"]).select_related("project").first()
    if deployment and deployment.project_id != project.pk:
        problems.add(
            f"{path}.slug",
            f"deployment '{deployment.slug}' belongs to project '{deployment.project.slug}': "
            "a deployment's slug is unique in the organization.",
        )
        return {}
    created = deployment is None
    with problems.at(path, repository_url="repository.url"):
        if deployment is None:
            deployment = services.create_deployment(project=project, slug=item["slug"], name=name_of(item))
        services.update_deployment(deployment=deployment, **fields_of(item))
    if deployment is None:
        return {}
    apply_branches(deployment, item.get("branches", {}), f"{path}.branches", problems)
    return output.describe_deployment(deployment, created=created)


def fields_of(item: dict[str, Any]) -> DeploymentFields:
    fields = DeploymentFields()
    repository = item.get("repository", {})
    if "name" in item:
        fields["name"] = item["name"]
    if "provider" in repository:
        fields["repository_provider"] = Provider(repository["provider"])
    if "url" in repository:
        fields["repository_url"] = repository["url"]
    if "path_includes" in item:
        fields["path_includes"] = item["path_includes"]
    if "path_excludes" in item:
        fields["path_excludes"] = item["path_excludes"]
    return fields


def apply_branches(deployment: Deployment, branches: dict[str, str], path: str, problems: Problems) -> None:
    environments = {environment.slug: environment for environment in deployment.project.environments.all()}
    for slug, branch in branches.items():
        if environment := environments.get(slug):
            with problems.at(f"{path}.{slug}"):
                services.map_branch(deployment=deployment, environment=environment, branch=branch)
        else:
            problems.add(
                f"{path}.{slug}",
                f"no environment '{slug}' in project {deployment.project.slug}{known_are(environments, slug)}",
            )
