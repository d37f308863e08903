"""The API's pages, with the reader's own slugs in the examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from deployments.models import Deployment
from deployments.wire import openapi
from orgs.access import MemberRequest, member_page
from orgs.models import Membership, Organization
from orgs.roles import Permission

WORDS = {"string": "text", "array": "list"}


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
    return render(request, "docs/api.html", {"endpoints": list(endpoints(request.organization))})


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
    return render(request, "docs/api.html", {"endpoints": list(endpoints(None))})


def endpoints(organization: Organization | None) -> Iterator[Endpoint]:
    slugs = {"organization": "acme", "deployment": "storefront", "deploy_id": "1"}
    if organization:
        deployment = Deployment.objects.filter(organization=organization).order_by("name").first()
        slugs |= {"organization": organization.slug}
        if deployment:
            slugs["deployment"] = deployment.slug
    paths: dict[str, Any] = openapi.document()["paths"]
    for path, methods in paths.items():
        if path in openapi.REGISTER_PATHS[1:]:
            continue
        ((method, operation),) = methods.items()
        filled = path.format(**slugs)
        yield Endpoint(
            anchor=operation["operationId"],
            method=method.upper(),
            path=filled,
            other_paths=tuple(other.format(**slugs) for other in openapi.REGISTER_PATHS[1:])
            if path == openapi.REGISTER_PATHS[0]
            else (),
            summary=operation["summary"],
            description=operation.get("description", ""),
            fields=tuple(fields(operation)),
            answers=tuple(Answer(status, answer["description"]) for status, answer in operation["responses"].items()),
            example=example(method, filled, operation),
        )


def fields(operation: dict[str, Any]) -> Iterator[Field]:
    """Those of the body, as the schema describes them."""
    if "requestBody" not in operation:
        return
    schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
    if reference := schema.get("$ref"):
        schema = openapi.document()["components"]["schemas"][reference.rpartition("/")[2]]
    for name, field in schema["properties"].items():
        types = field["type"] if isinstance(field["type"], list) else [field["type"]]
        words = " or ".join(WORDS.get(str(kind), str(kind)) for kind in types)
        yield Field(name, words, name in schema["required"], field["description"])


def example(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"curl {settings.SITE_URL}{path}"]
    if "security" not in operation:
        lines.append('-H "Authorization: Bearer $GUMSHOE_TOKEN"')
    if method == "post" and list(operation["requestBody"]["content"]) == ["multipart/form-data"]:
        lines.append("-F csv_file=@deploys.csv -F environment=production")
    elif method == "post":
        lines.append('-d "sha=$(git rev-parse HEAD)" -d environment=production')
    return " \\\n  ".join(lines)
