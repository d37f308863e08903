"""Applications: deployments that a call names in its body. As with Sweetr, the first call creates them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from deployments.errors import InvalidField, InvalidFields, RegistrationError, UnknownEnvironment
from deployments.models import Deployment
from deployments.registration.registration import Application
from deployments.registration.statements import TargetRow
from deployments.registration.targets import choose_target, find_deployment
from deployments.setup.services import create_deployment
from deployments.token_limits import check_allowed
from orgs.aliases import folded
from orgs.models import Environment, Organization
from orgs.rows import lock_row
from orgs.services import NO_ROOM, NewEnvironment, create_environment, create_project
from orgs.short_lived import allows, end_of, without_ended
from orgs.slugs import slug_alike
from orgs.text import shortened
from tokens.statements import TokenRow

DEFAULT_PROJECT = "Default"


class Creation(NamedTuple):
    """``kind`` is project, deployment or environment."""

    kind: str
    slug: str
    name: str


def find_target(*, token: TokenRow, application: Application, environment: str) -> TargetRow | None:
    """None if it is missing and the token may create it.

    Raises OutsideTokenLimits, also if it is missing: no limit can name what does not exist. Raises InvalidFields if it
    is missing because a person deleted it.
    """
    slug = find_slug(token, application.name)
    if slug is None:
        check_allowed(token, deployment="", new=f"the deployment '{application.name}'")
        deployments = Deployment.all_objects.filter(organization=token.organization_id)
        check_not_deleted("app", deployments, application.name)
        return None
    targets = find_deployment(token=token, slug=slug)
    target = find_environment(targets, environment)
    if target is None:
        check_allowed(token, new=f"the environment '{environment}'")
        environments = without_ended(Environment.all_objects.filter(project=targets[0].project_id))
        aliased = environments.filter(alias_rows__name=folded(environment)).exclude(deleted_at=None)
        check_not_deleted("environment", environments, environment, is_alias=aliased.exists())
        return None
    check_allowed(token, environment_id=target.environment_id)
    return target


def check_not_deleted(field: str, rows: QuerySet[Any], name: str, *, is_alias: bool = False) -> None:
    """Raises InvalidFields. What a person deleted is not made anew by the next call, which would also hinder its
    restoration."""
    slugs, in_small_letters = (name.lower(), slug_alike(name)), name.casefold()
    deleted = rows.exclude(deleted_at=None).values_list("slug", "name")
    if is_alias or any(slug in slugs or other.casefold() == in_small_letters for slug, other in deleted):
        raise InvalidFields(
            {field: f"{field} '{shortened(name, 100)}' was deleted: restore it, or create it on the pages."}
        )


def find_environment(targets: Sequence[TargetRow], name: str) -> TargetRow | None:
    """By slug, name or alias in any case, or by the slug that the name makes."""
    for said in filter(None, (name, slug_alike(name))):
        try:
            return choose_target(targets, environment=said)
        except UnknownEnvironment:
            continue
    return None


def find_slug(token: TokenRow, name: str) -> str | None:
    """The slug of the deployment with this slug, with this name in any case, or with the slug that the name makes.

    Calls name one application in several ways, and all find the deployment that the first created.
    """
    deployments = Deployment.objects.filter(organization=token.organization_id).order_by("id")
    slug, alike, folded = name.lower(), slug_alike(name), name.casefold()
    likely = dict(deployments.filter(Q(slug__in=(slug, alike)) | Q(name=name)).values_list("slug", "name"))
    if slug in likely:
        return slug
    same = [found for found, its_name in likely.items() if its_name == name]
    if not same and likely.get(alike, "").casefold() != folded:
        # Rarely needed. Each database folds case in its own way, so Python compares.
        same = [found for found, its_name in deployments.values_list("slug", "name") if its_name.casefold() == folded]
    return same[0] if same else alike if alike in likely else None


def create_target(*, token: TokenRow, application: Application, environment: str) -> tuple[TargetRow, list[Creation]]:
    """The target, and what was created for it: its project, deployment and environment, as far as they were missing.

    If several calls come at once, the first creates and the others find. Raises OutsideTokenLimits, and InvalidField
    for what the database has no room for.
    """
    with transaction.atomic():
        organization = lock_row(Organization(pk=token.organization_id))
        created: list[Creation] = []
        field = ""
        try:
            while (target := find_target(token=token, application=application, environment=environment)) is None:
                slug = find_slug(token, application.name)
                field = "environment" if slug else "app"
                if slug:
                    created.append(create_its_environment(organization, slug, environment))
                else:
                    created += create_application(organization, application, environment)
        except ValidationError as error:
            raise rejection_of(error, field) from None
    return target, created


def rejection_of(error: ValidationError, field: str) -> RegistrationError:
    """Of a call whose ``field`` names what cannot be created."""
    if getattr(error, "code", "") == NO_ROOM:
        return InvalidFields({field: str(error.message)})
    return InvalidField(" ".join(error.messages))


def create_application(organization: Organization, application: Application, environment: str) -> Iterator[Creation]:
    """In the oldest project of the organization, or in a new one if it has none."""
    project = organization.projects.order_by("id").first()
    if project is None:
        default = NewEnvironment(name=environment, is_default=True)
        project = create_project(organization=organization, name=DEFAULT_PROJECT, environments=[default])
        yield Creation("project", project.slug, project.name)
        for row in project.environments.all():
            yield Creation("environment", row.slug, row.name)
    deployment = create_deployment(
        project=project,
        name=application.name,
        repository_provider=application.repository_provider,
        repository_url=application.repository_url,
        path_includes=application.path_includes,
    )
    yield Creation("deployment", deployment.slug, deployment.name)


def create_its_environment(organization: Organization, slug: str, environment: str) -> Creation:
    deployment = organization.deployments.select_related("project").get(slug=slug)
    project = deployment.project
    ends_at = end_of(project, timezone.now()) if allows(project, environment) else None
    created = create_environment(project=project, new=NewEnvironment(name=environment, ends_at=ends_at))
    return Creation("environment", created.slug, created.name)
