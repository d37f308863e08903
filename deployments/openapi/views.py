"""The API's pages, with the reader's own slugs in the examples, and what the API says about itself."""

import json
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from deployments.api.body import FORM
from deployments.api.schemas import SCHEMA_DIR, expected_types
from deployments.api.views import ApiView
from deployments.impacts.queries import active_sources
from deployments.models import Deployment, ImpactKind
from deployments.openapi.document import document, resolved
from orgs.access import MemberRequest, member_page
from orgs.models import Membership, Organization
from orgs.roles import Permission

JSON = "application/json"
WORDS = {"string": "text", "array": "list"}


@require_safe
@member_page(Permission.VIEW)
def api_docs(request: MemberRequest) -> HttpResponse:
    return render(request, "openapi/api.html", {"groups": groups(slugs_of(request.organization))})


@require_safe
def public_api_docs(request: HttpRequest) -> HttpResponse:
    """Members go to the page of the organization that they looked at last. Others see the slugs of the document."""
    membership = (
        Membership.objects.filter(user=request.user.pk, organization=request.session.get("organization"))
        .select_related("organization")
        .first()
        if request.user.is_authenticated
        else None
    )
    if membership:
        return redirect("api-docs", organization=membership.organization.slug)
    return render(request, "openapi/api.html", {"groups": groups({})})


def slugs_of(organization: Organization) -> dict[str, str]:
    """Values of path parameters that exist in the organization."""
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


# --- The document as the page shows it ---


def groups(slugs: dict[str, str]) -> list[dict[str, Any]]:
    """The document's operations by tag. ``slugs`` take precedence over the document's examples of path parameters."""
    operations = [
        (path, method, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]
    other_paths: dict[str, list[str]] = {}
    for path, _, operation in operations:
        if "x-same-as" in operation:
            other_paths.setdefault(operation["x-same-as"], []).append(path)
    return [
        {
            **tag,
            "endpoints": [
                endpoint(path, method, operation, other_paths.get(operation["operationId"], ()), slugs)
                for path, method, operation in operations
                if tag["name"] in operation["tags"] and "x-same-as" not in operation
            ],
        }
        for tag in document()["tags"]
    ]


def endpoint(
    path: str, method: str, operation: dict[str, Any], other_paths: Iterable[str], slugs: dict[str, str]
) -> dict[str, Any]:
    """For its template. ``other_paths`` do the same; ``call`` is a command line of curl."""
    parameters = [resolved(parameter) for parameter in operation.get("parameters", ())]
    in_path = {parameter["name"]: parameter["example"] for parameter in parameters if parameter["in"] == "path"} | slugs
    responses = {status: resolved(response) for status, response in sorted(operation["responses"].items())}
    fields = [*parameter_fields(parameters), *body_fields(operation)]
    return {
        "anchor": operation["operationId"],
        "method": method.upper(),
        "path": path.format(**in_path),
        "other_paths": [other.format(**in_path) for other in other_paths],
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "fields": sorted(fields, key=lambda field: not field["required"]),
        "answers": responses,
        "call": example_call(path.format(**in_path), operation, parameters),
        "example_answers": dict(example_answers(responses)),
    }


def parameter_fields(parameters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for parameter in parameters:
        if parameter["in"] != "path":
            types = type_words(resolved(parameter["schema"])) + (" in a header" if parameter["in"] == "header" else "")
            yield {"required": False, **parameter, "types": types}


def body_fields(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "requestBody" in operation:
        _, content = body_of(operation)
        schema = resolved(content["schema"])
        for name, field in schema["properties"].items():
            field = resolved(field)
            required = name in schema["required"]
            yield {"name": name, "required": required, "description": field["description"], "types": type_words(field)}


def body_of(operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The media type and the content of the body: as a form if it can be one, which has all fields of the JSON."""
    contents: dict[str, dict[str, Any]] = operation["requestBody"]["content"]
    return (FORM, contents[FORM]) if FORM in contents else next(iter(contents.items()))


def type_words(schema: dict[str, Any]) -> str:
    if "contentMediaType" in schema:
        return f"file, {schema['contentMediaType']}"
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    return " or ".join(WORDS.get(kind, kind) for kind in expected_types(schema))


def example_call(path: str, operation: dict[str, Any], parameters: list[dict[str, Any]]) -> str:
    lines = [f"curl {settings.SITE_URL}{path}"]
    if "security" not in operation:
        lines.append('-H "Authorization: Bearer $GUMSHOE_TOKEN"')
    lines += [
        f"--get --data-urlencode {shlex.quote(parameter['name'] + '=' + parameter['example'])}"
        for parameter in parameters
        if parameter["in"] == "query" and "example" in parameter
    ]
    if "requestBody" in operation:
        lines += curl_body(*body_of(operation))
    return " \\\n  ".join(lines)


def curl_body(media_type: str, content: dict[str, Any]) -> list[str]:
    """Options of curl."""
    if media_type == JSON:
        return [f"--json {shlex.quote(json.dumps(content['example'], ensure_ascii=False))}"]
    values = dict(content["example"])
    for name, field in resolved(content["schema"])["properties"].items():
        if "contentMediaType" in field:
            values[name] = "@deploys.csv"
    if "sha" in values:
        values["sha"] = "$(git rev-parse HEAD)"
    option = "-d" if media_type == FORM else "-F"
    return [f'{option} "{name}={value}"' for name, value in values.items()]


def example_answers(responses: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The bodies of success, with their status, media type and, for one of several, when the answer looks like this."""
    for status, response in responses.items():
        for media_type, content in response.get("content", {}).items() if status.startswith("2") else ():
            examples = content.get("examples") or ({"": {"value": content["example"]}} if "example" in content else {})
            for example in examples.values():
                value = example["value"]
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
                yield f"{status} {media_type}" + (f", {example['summary']}" if "summary" in example else ""), text


# --- What the API says about itself ---


class SchemaView(ApiView):
    """The published schemas, open to all. The path admits only names of existing files."""

    def get(self, request: Request, name: str) -> HttpResponse:
        return HttpResponse((SCHEMA_DIR / f"{name}.json").read_bytes(), content_type="application/schema+json")


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())
