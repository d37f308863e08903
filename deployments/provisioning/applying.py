"""Organizations and what belongs to them become what a file says. The result describes them in the file's words."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from deployments.api.dates import EARLIEST, parse_date
from deployments.impacts import sources
from deployments.models import ImpactKind, ImpactSource
from deployments.provisioning.checks import add_repetition, check_document, known_words
from deployments.provisioning.document import Item, Problems, ProvisioningError, one_line
from deployments.setup.services import branch_mapping, create_deployment, map_branch, update_deployment
from orgs import services
from orgs.models import Environment, Organization, Project, User
from orgs.roles import Role
from orgs.services import NewEnvironment
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import create_token, limit_token, update_token

Result = dict[str, Any]
Applied = TypeVar("Applied")
Found = TypeVar("Found")


@transaction.atomic
def provision(document: Any, *, now: datetime) -> tuple[Result, list[str]]:
    """Apply the file. Returns what ``manage.py provision`` prints, with the secrets of new tokens, and the warnings.

    All or nothing: raises ProvisioningError with every problem found.
    """
    problems = Problems()
    check_document(document, problems)
    result: Result = {}
    if not problems.lines:
        organizations = Item(document, "", problems).items("organizations")
        result["organizations"] = apply_each(organizations, lambda item: apply_organization(item, now))
    if problems.lines:
        raise ProvisioningError(problems.lines)
    return result, problems.warnings


def apply_each(items: Iterable[Item], apply: Callable[[Item], Applied]) -> list[Applied]:
    """What ``apply`` returns for each item. What it raises as ValidationError becomes problems of the item."""
    applied = []
    for item in items:
        try:
            applied.append(apply(item))
        except ValidationError as error:
            item.add_problems(error)
    return applied


def find(known: Mapping[str, Found], slug: str, words: tuple[str, str], item: Item, key: str) -> Found | None:
    """``words`` say what is looked for, and where. If it is not known, ``key`` of the item has a problem."""
    if slug not in known:
        what, where = words
        item.add_problem(key, f"no {what} '{slug}' in {where}{known_words(known, slug)}")
    return known.get(slug)


def apply_organization(item: Item, now: datetime) -> Result:
    organization = Organization.objects.filter(slug=item["slug"]).first()
    created = organization is None
    if organization is None:
        organization = services.create_organization(name=item.name, slug=item["slug"])
    else:
        services.update_organization(organization=organization, **item.given("name"))
    members = apply_members(organization, item)
    # Tokens may be limited to what the file creates, so they come after the projects.
    projects = apply_each(item.items("projects"), lambda project: apply_project(organization, project))
    tokens = apply_each(item.items("tokens"), lambda token: apply_token(organization, token, now))
    return {
        "slug": organization.slug,
        "name": organization.name,
        "created": created,
        "members": members,
        "tokens": tokens,
        "projects": projects,
    }


# --- Members ---


def apply_members(organization: Organization, item: Item) -> list[Result]:
    """Owners come first, so that the last owner can hand over to another one further down."""
    members = item.items("members")
    owners_first = sorted(members, key=lambda member: member.get("role") != Role.OWNER)
    applied = apply_each(owners_first, lambda member: apply_member(organization, member))
    order = {member["email"].strip().lower(): index for index, member in enumerate(members)}
    return sorted(applied, key=lambda member: order[member["email"].lower()])


def apply_member(organization: Organization, item: Item) -> Result:
    user = User.objects.filter(email__iexact=item["email"].strip()).first()
    if user is None:
        warn_of_weak_password(item)
        # The operator decides, as with createsuperuser.
        user = services.create_user(**item.given("email", "name", "password"), accept_weak_password=True)
    elif "name" in item:
        services.rename_user(user=user, name=item["name"])
    membership = organization.memberships.filter(user=user).first()
    created = membership is None
    if membership is None:
        role = Role(item.get("role", Role.DEVELOPER))
        membership = services.add_member(organization=organization, user=user, role=role)
    elif "role" in item:
        try:
            services.change_role(membership=membership, role=Role(item["role"]))
        except ValidationError as error:
            raise ValidationError({"role": error.messages}) from None
    return {"email": user.email, "name": user.name, "role": str(membership.role), "created": created}


def warn_of_weak_password(item: Item) -> None:
    if "password" in item:
        try:
            validate_password(item["password"], User(**item.given("email", "name")))
        except ValidationError as error:
            item.problems.warnings.append(one_line(f"{item.path}.password: {' '.join(error.messages)}"))


# --- Projects and environments ---


def apply_project(organization: Organization, item: Item) -> Result:
    project = organization.projects.filter(slug=item["slug"]).first()
    created = project is None
    known = set(project.environments.values_list("slug", flat=True)) if project else set()
    if project is None:
        new = [new_environment(environment) for environment in item.items("environments")]
        project = services.create_project(
            organization=organization, name=item.name, slug=item["slug"], environments=new
        )
    services.update_project(project=project, **item.given("name", "short_lived_patterns", "short_lived_days"))
    environments = apply_each(item.items("environments"), lambda environment: apply_environment(project, environment))
    services.order_environments(project=project, environments=environments)
    check_default(project, item)
    for environment in environments:
        environment.refresh_from_db()
    return {
        "slug": project.slug,
        "name": project.name,
        "short_lived_patterns": project.short_lived_patterns,
        "short_lived_days": project.short_lived_days,
        "created": created,
        "environments": [
            {
                "slug": environment.slug,
                "name": environment.name,
                "description": environment.description,
                "colour": environment.colour,
                "default": environment.is_default,
                "aliases": environment.aliases,
                "created": environment.slug not in known,
            }
            for environment in environments
        ],
        "deployments": apply_each(item.items("deployments"), lambda deployment: apply_deployment(project, deployment)),
        "impact_sources": apply_impact_sources(project, item.items("impact_sources")),
    }


def new_environment(item: Item) -> NewEnvironment:
    fields = item.given("slug", "description", "colour", "aliases")
    return NewEnvironment(name=item.name, is_default=item.get("default", False), **fields)


def apply_environment(project: Project, item: Item) -> Environment:
    environment = project.environments.filter(slug=item["slug"]).first()
    if environment is None:
        return services.create_environment(project=project, new=new_environment(item))
    services.update_environment(environment=environment, **item.given("name", "description", "colour", "aliases"))
    if item.get("default"):
        services.set_default_environment(environment=environment)
    return environment


def check_default(project: Project, item: Item) -> None:
    """``default: false`` cannot take the default away: only another environment can."""
    default = project.environments.filter(is_default=True).first()
    for environment in item.items("environments"):
        if default and environment["slug"] == default.slug and environment.get("default") is False:
            environment.add_problem(
                "default",
                f"a project needs a default: write default: true at an environment other than {default.slug}.",
            )


def environments_of(project: Project) -> dict[str, Environment]:
    return {environment.slug: environment for environment in project.environments.all()}


# --- Deployments and impact sources ---


def apply_deployment(project: Project, item: Item) -> Result:
    deployment = project.organization.deployments.filter(slug=item["slug"]).select_related("project").first()
    if deployment and deployment.project_id != project.pk:
        message = (
            f"deployment '{deployment.slug}' belongs to project '{deployment.project.slug}': "
            "a deployment's slug is unique in the organization."
        )
        raise ValidationError({"slug": message})
    created = deployment is None
    if deployment is None:
        deployment = create_deployment(project=project, slug=item["slug"], name=item.name)
    environments, words = environments_of(project), ("environment", f"project {project.slug}")
    for slug, branch in item.get("branches", {}).items():
        if environment := find(environments, slug, words, item, f"branches.{slug}"):
            map_branch(deployment=deployment, environment=environment, branch=branch)
    repository = {f"repository_{key}": value for key, value in item.get("repository", {}).items()}
    update_deployment(
        deployment=deployment, **item.given("name", "path_includes", "path_excludes", "records_redeploys"), **repository
    )
    targets = deployment.targets.select_related("environment").order_by("environment__position", "environment_id")
    return {
        "slug": deployment.slug,
        "name": deployment.name,
        "repository": {"provider": str(deployment.repository_provider), "url": deployment.repository_url},
        "path_includes": deployment.path_includes,
        "path_excludes": deployment.path_excludes,
        "records_redeploys": deployment.records_redeploys,
        "branches": {target.environment.slug: branch_mapping(target) for target in targets},
        "created": created,
    }


def apply_impact_sources(project: Project, items: Iterable[Item]) -> list[Result]:
    """Finds repetitions, too: the file need not say which environment is the default."""
    environments, words = environments_of(project), ("environment", f"project {project.slug}")
    default = next(slug for slug, environment in environments.items() if environment.is_default)
    paths: dict[tuple[str, str], str] = {}

    def apply(item: Item) -> Result:
        slug = item.get("environment", default)
        environment = find(environments, slug, words, item, "environment")
        if environment is None:
            return {}
        if first_path := paths.get((slug, item["slug"])):
            add_repetition(item, "slug", first_path)
            return {}
        paths[slug, item["slug"]] = item.path
        return apply_impact_source(environment, item)

    return apply_each(items, apply)


def apply_impact_source(environment: Environment, item: Item) -> Result:
    source = ImpactSource.objects.filter(environment=environment, slug=item["slug"]).first()
    created, kind = source is None, ImpactKind(item["kind"])
    if source is None:
        source = sources.create_impact_source(environment=environment, kind=kind, name=item.name, slug=item["slug"])
    else:
        sources.check_kind(source, kind)
        sources.rename_impact_source(source=source, name=item.get("name", source.name))
    return {
        "id": source.pk,
        "slug": source.slug,
        "name": source.name,
        "kind": str(source.kind),
        "environment": source.environment.slug,
        "register_url": f"{settings.SITE_URL}{sources.register_path(source)}",
        "created": created,
    }


# --- Access tokens ---


def apply_token(organization: Organization, item: Item, now: datetime) -> Result:
    token = organization.tokens.filter(name=item["name"], revoked_at=None).first()
    fields: dict[str, Any] = {}
    if "scopes" in item:
        fields["scopes"] = [Scope(scope) for scope in item["scopes"]]
    if "expires" in item:
        fields["expires_at"] = read_expiry(item, is_new=token is None, now=now)
    secret = ""
    if token is None:
        scopes = [Scope.REGISTER_DEPLOY]
        token, secret = create_token(organization=organization, name=item["name"], **{"scopes": scopes} | fields)
    else:
        update_token(token=token, **fields)
    apply_limits(token, item)
    deployments = token.deployments.order_by("slug").values_list("slug", flat=True)
    environments = token.environments.order_by("project__slug", "slug").values_list("project__slug", "slug")
    result = {
        "name": token.name,
        "scopes": token.scope_list,
        "deployments": list(deployments) if token.limited_to_deployments else None,
        "environments": ["/".join(slugs) for slugs in environments] if token.limited_to_environments else None,
        "expires": token.expires_at.isoformat() if token.expires_at else None,
        "created": bool(secret),
    }
    return result | {"token": secret} if secret else result


def read_expiry(item: Item, *, is_new: bool, now: datetime) -> datetime | None:
    if item["expires"] is None:
        return None
    expires_at = parse_date(item["expires"])
    if expires_at is None or expires_at < EARLIEST:
        item.add_problem("expires", "must be a date such as 2030-01-01, or a moment such as 2030-01-01T18:00:00Z.")
    elif is_new and expires_at <= now:
        item.add_problem("expires", f"{item['expires']} is in the past: a new token must expire in the future.")
    return expires_at


def apply_limits(token: AccessToken, item: Item) -> None:
    """An unknown name is a problem; the run is rolled back then. ``null`` lifts a limit."""
    organization = token.organization
    if "deployments" in item:
        known = {deployment.slug: deployment for deployment in organization.deployments.all()}
        words = ("deployment", f"organization {organization.slug}")
        names = item["deployments"]
        chosen = [find(known, slug, words, item, f"deployments[{n}]") for n, slug in enumerate(names or ())]
        limit_token(token=token, deployments=[d for d in chosen if d] if names is not None else None)
    if "environments" in item:
        environments = Environment.objects.filter(project__organization=organization).select_related("project")
        by_path = {f"{environment.project.slug}/{environment.slug}": environment for environment in environments}
        paths = item["environments"]
        found = [find_by_path(by_path, name, item, f"environments[{n}]") for n, name in enumerate(paths or ())]
        limit_token(token=token, environments=[e for e in found if e] if paths is not None else None)


def find_by_path(by_path: Mapping[str, Environment], name: str, item: Item, key: str) -> Environment | None:
    """By project/environment, or by the environment's slug alone if only one project has it."""
    matching = [path for path in by_path if name in (path, path.partition("/")[2])]
    if len(matching) == 1:
        return by_path[matching[0]]
    if matching:
        item.add_problem(key, f"'{name}' is in several projects: write one of {', '.join(matching)}.")
    else:
        item.add_problem(key, f"no environment '{name}'{known_words(by_path, name)}")
    return None
