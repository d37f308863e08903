"""Making access tokens and their limits what a checked file says."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from deployments.access_tokens.services import limit_token
from deployments.api.fields import parse_date
from deployments.models import Deployment
from deployments.provisioning import output
from deployments.provisioning.checks import known_are
from deployments.provisioning.document import Problems
from orgs.models import Environment, Organization
from tokens import services
from tokens.scopes import Scope
from tokens.services import TokenFields

Found = TypeVar("Found")


def apply_token(
    organization: Organization, item: dict[str, Any], path: str, problems: Problems, now: datetime
) -> dict[str, Any]:
    """The token without its limits where something is wrong with them; the run is rolled back then."""
    token = organization.tokens.filter(name=item["name"], revoked_at=None).first()
    created, secret = token is None, ""
    fields = fields_of(item, path, problems)
    with problems.at(path, expires_at="expires"):
        if token is None:
            if (expires_at := fields.get("expires_at")) and expires_at <= now:
                problems.add(f"{path}.expires", f"{item['expires']} is past: a new token must be good for a while.")
            token, secret = services.create_token(
                organization=organization,
                name=item["name"],
                scopes=fields.get("scopes", [Scope.REGISTER_DEPLOY]),
                expires_at=expires_at,
            )
        else:
            services.update_token(token=token, **fields)
    if token is None:
        return {}
    if "deployments" in item:
        deployments = {deployment.slug: deployment for deployment in organization.deployments.all()}

        def find_deployment(slug: str, place: str) -> Deployment | None:
            if slug not in deployments:
                problems.add(
                    place,
                    f"no deployment '{slug}' in organization {organization.slug}{known_are(deployments, slug)}",
                )
            return deployments.get(slug)

        limit_token(token=token, deployments=find_all(item["deployments"], f"{path}.deployments", find_deployment))
    if "environments" in item:
        environments = list(Environment.objects.filter(project__organization=organization).select_related("project"))

        def find_environment(name: str, place: str) -> Environment | None:
            return environment_called(name, environments, place, problems)

        services.limit_token_environments(
            token=token, environments=find_all(item["environments"], f"{path}.environments", find_environment)
        )
    result = output.describe_token(token, created=created)
    if created:
        result["token"] = secret
    return result


def fields_of(item: dict[str, Any], path: str, problems: Problems) -> TokenFields:
    fields = TokenFields()
    if "scopes" in item:
        fields["scopes"] = [Scope(scope) for scope in item["scopes"]]
    if "expires" in item:
        expires = item["expires"]
        fields["expires_at"] = parse_date(expires) if expires is not None else None
        if expires is not None and fields["expires_at"] is None:
            problems.add(
                f"{path}.expires", "must be a date such as 2030-01-01, or a moment such as 2030-01-01T18:00:00Z."
            )
    return fields


def find_all(names: list[str] | None, path: str, find: Callable[[str, str], Found | None]) -> list[Found] | None:
    """What ``find`` finds for each name; it reports those it does not find. ``None`` is no limit."""
    if names is None:
        return None
    found = (find(name, f"{path}[{index}]") for index, name in enumerate(names))
    return [item for item in found if item is not None]


def environment_called(
    name: str, environments: list[Environment], place: str, problems: Problems
) -> Environment | None:
    """By ``project/environment``, or by the environment's slug alone where that is enough."""
    by_path = {f"{environment.project.slug}/{environment.slug}": environment for environment in environments}
    matching = [path for path in by_path if name in (path, path.partition("/")[2])]
    if len(matching) == 1:
        return by_path[matching[0]]
    if matching:
        problems.add(place, f"'{name}' is in several projects: write one of {', '.join(matching)}.")
    else:
        problems.add(place, f"no environment '{name}'{known_are(by_path, name)}")
    return None
