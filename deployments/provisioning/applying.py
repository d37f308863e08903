"""Making organizations, their members, projects and environments what a checked file says."""

from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from deployments.provisioning import output
from deployments.provisioning.checks import check_document
from deployments.provisioning.deployments import apply_deployment
from deployments.provisioning.errors import Problems, ProvisioningError
from deployments.provisioning.impact_sources import apply_impact_sources
from deployments.provisioning.items import name_of, numbered
from deployments.provisioning.tokens import apply_token
from orgs import services
from orgs.models import Environment, Organization, Project, User
from orgs.roles import Role
from orgs.services import NewEnvironment


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
