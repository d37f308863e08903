"""The API's pages, with the reader's own slugs in the examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from deployments.api.schemas import SCHEMA_DIR, expected_types
from deployments.api.views import ApiView
from deployments.impacts.queries import active_sources
from deployments.models import Deployment, ImpactKind
from deployments.openapi import document as openapi
from orgs.access import MemberRequest, member_page
from orgs.models import Membership, Organization
from orgs.roles import Permission

EXAMPLE_SLUGS = {
    "organization": "acme",
    "deployment": "storefront",
    "deploy_id": "1",
    "project": "shop",
    "environment": "production",
    "impact_source": "alerts",
    "impact_id": "1",
    "change_id": "1",
    "sha": "5f0c7a1",
    "token": "$GUMSHOE_TOKEN",
}
FORM = "application/x-www-form-urlencoded"
WORDS = {"string": "text", "array": "list"}
# Of curl, after the token.
EXAMPLE_OPTIONS = {
    ("/graphql", "post"): ['--json \'{"query": "{__schema {queryType {fields {name description}}}}"}\''],
    ("/graphql", "get"): ["--get --data-urlencode 'query={__typename}'"],
}


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    types: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """``other_paths`` do the same; ``example`` is a call of curl."""

    anchor: str
    method: str
    path: str
    other_paths: tuple[str, ...]
    summary: str
    description: str
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]
    example: str


@require_safe
@member_page(Permission.VIEW)
def api_docs(request: MemberRequest) -> HttpResponse:
    return render(request, "openapi/api.html", {"endpoints": list(endpoints(request.organization))})


@require_safe
def public_api_docs(request: HttpRequest) -> HttpResponse:
    """For who is not signed in the examples name what the documentation names."""
    membership = (
        Membership.objects.filter(user=request.user.pk, organization=request.session.get("organization"))
        .select_related("organization")
        .first()
        if request.user.is_authenticated
        else None
    )
    if membership:
        return redirect("api-docs", organization=membership.organization.slug)
    return render(request, "openapi/api.html", {"endpoints": list(endpoints(None))})


def slugs_of(organization: Organization) -> dict[str, str]:
    """What paths name, from what the organization has."""
    slugs = {"organization": organization.slug}
    deployments = Deployment.objects.filter(organization=organization).select_related("project")
    if deployment := deployments.order_by("name").first():
        slugs |= {"deployment": deployment.slug, "project": deployment.project.slug}
    sources = active_sources(organization.pk).order_by("name")
    if incidents := sources.filter(kind=ImpactKind.INCIDENT).first():
        slugs |= {"project": incidents.project.slug, "environment": incidents.environment.slug}
        slugs["impact_source"] = incidents.slug
    if metric := sources.filter(kind=ImpactKind.METRIC).first():
        slugs["impact_id"] = str(metric.pk)
    return slugs


def endpoints(organization: Organization | None) -> Iterator[Endpoint]:
    slugs = EXAMPLE_SLUGS | (slugs_of(organization) if organization else {})
    paths: dict[str, Any] = openapi.document()["paths"]
    repeated = {other for others in openapi.OTHER_PATHS.values() for other in others}
    operations = [(path, *operation) for path, methods in paths.items() for operation in methods.items()]
    for path, method, operation in operations:
        if path in repeated:
            continue
        filled = path.format(**slugs)
        yield Endpoint(
            anchor=operation["operationId"],
            method=method.upper(),
            path=filled,
            other_paths=tuple(other.format(**slugs) for other in openapi.OTHER_PATHS.get(path, ())),
            summary=operation["summary"],
            description=operation.get("description", ""),
            fields=tuple(fields(operation)),
            answers=tuple(Answer(status, answer["description"]) for status, answer in operation["responses"].items()),
            example=example(method, filled, operation),
        )


def fields(operation: dict[str, Any]) -> Iterator[Field]:
    """Those of the query string and of the body, as the document describes them."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            words = type_words(parameter["schema"])
            yield Field(parameter["name"], words, parameter.get("required", False), parameter["description"])
    if "requestBody" not in operation:
        return
    schema = body_of(operation)["schema"]
    if reference := schema.get("$ref"):
        schema = openapi.document()["components"]["schemas"][reference.rpartition("/")[2]]
    for name, field in schema["properties"].items():
        yield Field(name, type_words(field), name in schema["required"], field["description"])


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    """As a form, which has all the fields that JSON may have, where there is one."""
    content: dict[str, dict[str, Any]] = operation["requestBody"]["content"]
    return content.get(FORM) or next(iter(content.values()))


def type_words(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    return " or ".join(WORDS.get(kind, kind) for kind in expected_types(schema))


def example(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"curl {settings.SITE_URL}{path}"]
    if "security" not in operation:
        lines.append('-H "Authorization: Bearer $GUMSHOE_TOKEN"')
    if (path, method) in EXAMPLE_OPTIONS:
        lines += EXAMPLE_OPTIONS[path, method]
    elif "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
        values = body_of(operation)["example"]
        values = values | ({"sha": "$(git rev-parse HEAD)"} if "sha" in values else {})
        option = "-d" if FORM in operation["requestBody"]["content"] else "-F"
        lines.append(" ".join(f'{option} "{name}={value}"' for name, value in values.items()))
    return " \\\n  ".join(lines)


class SchemaView(ApiView):
    """The published schemas, open to all; the path admits only names of files that are there."""

    def get(self, request: Request, name: str) -> HttpResponse:
        return HttpResponse((SCHEMA_DIR / f"{name}.json").read_bytes(), content_type="application/schema+json")


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi.document())
