"""Places that a call names and nobody has set up: Sweetr creates applications and environments as they come."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from deployments.errors import InvalidField, OutsideTokenLimits, UnknownEnvironment
from deployments.models import Deployment, Provider
from deployments.registration.statements import TargetRow
from deployments.registration.targets import (
    allowed_environments,
    check_deployment_allowed,
    check_environment_allowed,
    choose_target,
    find_deployment,
)
from deployments.setup.services import create_deployment
from orgs.models import Organization, Project
from orgs.rows import lock_row
from orgs.services import NewEnvironment, create_environment, create_project
from orgs.slugs import slug_alike
from tokens.statements import TokenRow

MAX_NAME_LENGTH = 100
DEFAULT_PROJECT = "Default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A deployment by its name or slug, with what it is created with; ``repository_url`` may be empty."""

    name: str
    environment: str
    repository_provider: Provider
    repository_url: str
    path_includes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Creation:
    """``kind`` is project, deployment or environment."""

    kind: str
    slug: str
    name: str


def fitting_name(name: str) -> str:
    """``name`` as it is stored. Long ones that differ stay different."""
    if len(name) <= MAX_NAME_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME_LENGTH - 1 - len(digest)]}-{digest}"


def find_target(*, token: TokenRow, application: Application) -> TargetRow | None:
    """None where it would have to be created, and may be. Raises OutsideTokenLimits: what does not exist is nothing
    that a token can be limited to."""
    slug = find_slug(token, application.name)
    if slug is None:
        check_deployment_allowed(token=token, slug="")
        check_may_create(token, f"the deployment '{application.name}'")
        return None
    place = find_environment(find_deployment(token=token, slug=slug), fitting_name(application.environment))
    if place is None:
        check_may_create(token, f"the environment '{application.environment}'")
        return None
    check_environment_allowed(token=token, place=place)
    return place


def find_environment(places: Sequence[TargetRow], name: str) -> TargetRow | None:
    """By slug, by name in any case, else by the slug that its name makes."""
    try:
        return choose_target(places, environment=name)
    except UnknownEnvironment:
        return next((place for place in places if place.environment_slug == slug_alike(name)), None)


def check_may_create(token: TokenRow, what: str) -> None:
    if token.limited_to_environments:
        raise OutsideTokenLimits(
            f"This access token is limited to {allowed_environments(token)} and may not create {what}: "
            "create it first, or use a token without limits."
        )


def find_slug(token: TokenRow, name: str) -> str | None:
    """The slug of the deployment that has this slug, else this name in any case, else the slug that its name makes.

    Calls name one application in several ways: what one of them created is what the others mean.
    """
    deployments = Deployment.objects.filter(organization=token.organization_id).order_by("id")
    name = fitting_name(name)
    slug, alike, folded = name.lower(), slug_alike(name), name.casefold()
    likely = dict(deployments.filter(Q(slug__in=(slug, alike)) | Q(name=name)).values_list("slug", "name"))
    if slug in likely:
        return slug
    same = [found for found, its_name in likely.items() if its_name == name]
    if not same and likely.get(alike, "").casefold() != folded:
        # Rarely needed, and alike on both databases only where they do not compare.
        same = [found for found, its_name in deployments.values_list("slug", "name") if its_name.casefold() == folded]
    return same[0] if same else alike if alike in likely else None


def create_target(*, token: TokenRow, application: Application) -> tuple[TargetRow, list[Creation]]:
    """The place, and what of its project, deployment and environment was missing.

    Belongs into the transaction that registers, so that nothing stays of a call that fails. Of calls that come at once
    the first creates and the others wait and find. Raises OutsideTokenLimits, and InvalidField for what the database
    has no room for.
    """
    with transaction.atomic():
        organization = lock_row(Organization(pk=token.organization_id))
        created: list[Creation] = []
        try:
            place = find_target(token=token, application=application)
            if place is None and find_slug(token, application.name) is None:
                created += create_application(organization, application)
                place = find_target(token=token, application=application)
            if place is None:
                created.append(create_its_environment(token, application))
                place = find_target(token=token, application=application)
        except ValidationError as error:
            raise InvalidField(" ".join(error.messages)) from None
    assert place is not None  # noqa: S101 - it was found or just made
    return place, created


def create_application(organization: Organization, application: Application) -> Iterator[Creation]:
    """In the organization's default project: its oldest, or a new one where it has none."""
    project: Project | None = organization.projects.order_by("id").first()
    if project is None:
        environment = NewEnvironment(name=fitting_name(application.environment), is_default=True)
        project = create_project(organization=organization, name=DEFAULT_PROJECT, environments=[environment])
        yield Creation("project", project.slug, project.name)
        for row in project.environments.all():
            yield Creation("environment", row.slug, row.name)
    deployment = create_deployment(
        project=project,
        name=fitting_name(application.name),
        repository_provider=application.repository_provider,
        repository_url=application.repository_url,
        path_includes=application.path_includes,
    )
    yield Creation("deployment", deployment.slug, deployment.name)


def create_its_environment(token: TokenRow, application: Application) -> Creation:
    deployment = Deployment.objects.select_related("project").get(
        organization=token.organization_id, slug=find_slug(token, application.name)
    )
    new = NewEnvironment(name=fitting_name(application.environment))
    environment = create_environment(project=deployment.project, new=new)
    return Creation("environment", environment.slug, environment.name)
