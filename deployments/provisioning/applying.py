"""Making code deployments and their branch mappings what a checked file says."""

from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from deployments.impacts import sources
from deployments.models import Deployment, ImpactKind, ImpactSource, Provider
from deployments.provisioning import output
from deployments.provisioning.checks import check_document, known_are
from deployments.provisioning.document import Problems, ProvisioningError, name_of, numbered
from deployments.provisioning.tokens import apply_token
from deployments.setup import services as setup_services
from deployments.setup.services import DeploymentFields
from orgs import services
from orgs.models import Environment, Organization, Project, User
from orgs.roles import Role
from orgs.services import NewEnvironment


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
            deployment = setup_services.create_deployment(project=project, slug=item["slug"], name=name_of(item))
        setup_services.update_deployment(deployment=deployment, **fields_of(item))
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
                setup_services.map_branch(deployment=deployment, environment=environment, branch=branch)
        else:
            problems.add(
                f"{path}.{slug}",
                f"no environment '{slug}' in project {deployment.project.slug}{known_are(environments, slug)}",
            )


# --- Making impact sources what a checked file says ---


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


# --- Making organizations, their members, projects and environments what a checked file says ---


@transaction.atomic
def provision(document: Any, *, now: datetime) -> tuple[dict[str, Any], list[str]]:
    """Apply the file and return what ``manage.py provision`` prints, with the secrets of new tokens, and its warnings.

    All or nothing: raises ProvisioningError with every problem found.
    """
    problems = Problems()
    check_document(document, problems)
    result: dict[str, Any] = {}
    if not problems.lines:
        result["organizations"] = [
            apply_organization(item, path, problems, now) for path, item in numbered("organizations", document)
        ]
    if problems.lines:
        raise ProvisioningError(problems.lines)
    return result, problems.warnings


def apply_organization(item: dict[str, Any], path: str, problems: Problems, now: datetime) -> dict[str, Any]:
    organization = Organization.objects.filter(slug=item["slug"]).first()
    created = organization is None
    with problems.at(path):
        if organization is None:
            organization = services.create_organization(name=name_of(item), slug=item["slug"])
        elif "name" in item:
            services.update_organization(organization=organization, name=item["name"])
    if organization is None:
        return {}
    result = output.describe_organization(organization, created=created)
    result["members"] = apply_members(organization, item, path, problems)
    # Tokens may be limited to what the file creates, so they come after the projects.
    projects = [
        apply_project(organization, project, at, problems) for at, project in numbered(f"{path}.projects", item)
    ]
    result["tokens"] = [
        apply_token(organization, token, at, problems, now) for at, token in numbered(f"{path}.tokens", item)
    ]
    result["projects"] = projects
    return result


def apply_members(
    organization: Organization, item: dict[str, Any], path: str, problems: Problems
) -> list[dict[str, Any]]:
    """Owners first, so that one whom the file makes something else is not the last. Given in the file's order."""
    members = list(numbered(f"{path}.members", item))
    owners_first = sorted(members, key=lambda place_and_member: place_and_member[1].get("role") != Role.OWNER)
    applied = {at: apply_member(organization, member, at, problems) for at, member in owners_first}
    return [applied[at] for at, _ in members]


def apply_member(organization: Organization, item: dict[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    user = User.objects.filter(email__iexact=item["email"].strip()).first()
    with problems.at(path):
        if user is None:
            warn_of_weak_password(item, path, problems)
            user = services.create_user(
                email=item["email"],
                name=item.get("name", ""),
                password=item.get("password"),
                accept_weak_password=True,
            )
        elif "name" in item:
            services.rename_user(user=user, name=item["name"])
    if user is None:
        return {}
    membership = organization.memberships.filter(user=user).first()
    created = membership is None
    if membership is None:
        membership = services.add_member(
            organization=organization, user=user, role=Role(item.get("role", Role.DEVELOPER))
        )
    elif "role" in item:
        with problems.at(f"{path}.role"):
            services.change_role(membership=membership, role=Role(item["role"]))
    return output.describe_member(membership, created=created)


def warn_of_weak_password(item: dict[str, Any], path: str, problems: Problems) -> None:
    """The operator's word counts, as it does with createsuperuser."""
    if "password" in item:
        try:
            validate_password(item["password"], User(email=item["email"], name=item.get("name", "")))
        except ValidationError as error:
            problems.warn(f"{path}.password", " ".join(error.messages))


def apply_project(organization: Organization, item: dict[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    project = organization.projects.filter(slug=item["slug"]).first()
    created = project is None
    known = set(project.environments.values_list("slug", flat=True)) if project else set()
    with problems.at(path):
        if project is None:
            project = services.create_project(
                organization=organization,
                name=name_of(item),
                slug=item["slug"],
                environments=[new_environment(environment) for environment in item.get("environments", [])],
            )
        elif "name" in item:
            services.update_project(project=project, name=item["name"])
    if project is None:
        return {}
    environments = [
        apply_environment(project, environment, at, problems)
        for at, environment in numbered(f"{path}.environments", item)
    ]
    services.order_environments(project=project, environments=environments)
    check_default(project, item, path, problems)
    for environment in environments:
        environment.refresh_from_db()
    result = output.describe_project(project, created=created)
    result["environments"] = [
        output.describe_environment(environment, created=environment.slug not in known) for environment in environments
    ]
    result["deployments"] = [
        apply_deployment(project, deployment, at, problems) for at, deployment in numbered(f"{path}.deployments", item)
    ]
    result["impact_sources"] = apply_impact_sources(project, item, path, problems)
    return result


def new_environment(item: dict[str, Any]) -> NewEnvironment:
    return NewEnvironment(
        name=name_of(item),
        slug=item["slug"],
        description=item.get("description", ""),
        colour=item.get("colour", ""),
        is_default=item.get("default", False),
    )


def apply_environment(project: Project, item: dict[str, Any], path: str, problems: Problems) -> Environment:
    environment = project.environments.filter(slug=item["slug"]).first()
    if environment is None:
        return services.create_environment(project=project, new=new_environment(item))
    with problems.at(path):
        fields = {key: item[key] for key in ("name", "description", "colour") if key in item}
        services.update_environment(environment=environment, **fields)
    if item.get("default") and not environment.is_default:
        services.set_default_environment(environment=environment)
    return environment


def check_default(project: Project, item: dict[str, Any], path: str, problems: Problems) -> None:
    """``default: false`` cannot take the default away: only another environment can."""
    default = project.environments.filter(is_default=True).first()
    for at, environment in numbered(f"{path}.environments", item):
        if default and environment["slug"] == default.slug and environment.get("default") is False:
            problems.add(
                f"{at}.default", f"a project needs a default: write default: true at another than {default.slug}."
            )
