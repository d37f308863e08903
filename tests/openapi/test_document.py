"""The OpenAPI document beside the code: routes, limits, schemas, examples."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.urls import Resolver404, URLPattern, resolve
from jsonschema_rs import meta

from deployments import api_urls
from deployments.api.dry_run import NO, YES
from deployments.api.schemas import load_schema
from deployments.graphql.api import MAX_QUERY_LENGTH
from deployments.impacts.sources import INTERVAL
from deployments.imports.rows import MOST_LINES
from deployments.live.api import FACTS
from deployments.live.status import MOST_BEHIND
from deployments.models import Health, Status
from deployments.openapi.document import FILE, SCHEMAS, document, resolved
from deployments.registration.idempotency import MAX_KEY_LENGTH
from deployments.registration.representation import CHANGES_SHOWN, ChangeType
from deployments.timeline import queries, read_api
from deployments.timeline.export import FORMATS
from deployments.timeline.forms import KINDS, KINDS_OF_DEPLOYS
from orgs.deletion import RESTORABLE
from tests.documented import validator_of

OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}


def parameters_of(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = (resolved(parameter) for parameter in operation.get("parameters", ()))
    return {parameter["name"]: parameter for parameter in found}


def path_of(operation_id: str) -> str:
    """With the examples of its parameters."""
    path, _, operation = OPERATIONS[operation_id]
    return filled(path, operation)


def filled(path: str, operation: dict[str, Any]) -> str:
    return str(path.format(**{name: found.get("example") for name, found in parameters_of(operation).items()}))


def methods_of(pattern: URLPattern) -> Iterator[str]:
    """HEAD goes without saying, wherever there is a GET."""
    view = getattr(pattern.callback, "cls", None)
    for method in view.http_method_names if view else ["get"]:
        if method != "head" and (view is None or hasattr(view, method)):
            yield method


# --- Completeness ---


def test_every_route_and_method_is_documented_and_nothing_else() -> None:
    documented = {(resolve(path_of(name)).route, method) for name, (_, method, _) in OPERATIONS.items()}

    assert documented == {
        (str(pattern.pattern), method) for pattern in api_urls.urlpatterns for method in methods_of(pattern)
    }


def other_spellings(path: str) -> Iterator[str]:
    for segment in path.split("/"):
        if "{" not in segment:
            yield path.replace(segment, segment.replace("_", "-"))
            yield path.replace(segment, segment.replace("-", "_"))


def test_both_spellings_of_a_route_are_documented() -> None:
    for name, (path, _, operation) in OPERATIONS.items():
        for other in other_spellings(path):
            with suppress(Resolver404):
                if resolve(filled(other, operation)).route == resolve(path_of(name)).route:
                    assert other in document()["paths"]


def test_the_paths_of_one_operation_differ_in_nothing_else() -> None:
    for name, (_, _, operation) in OPERATIONS.items():
        if "x-same-as" in operation:
            _, _, same = OPERATIONS[operation["x-same-as"]]
            assert operation == same | {"operationId": name, "x-same-as": same["operationId"]}


def test_every_operation_has_one_of_the_tags() -> None:
    tags = [tag["name"] for tag in document()["tags"]]

    assert [len(operation["tags"]) for _, _, operation in OPERATIONS.values()] == [1] * len(OPERATIONS)
    assert {tag for _, _, operation in OPERATIONS.values() for tag in operation["tags"]} == set(tags)


def test_every_reference_is_there_and_every_component_is_used() -> None:
    text = json.dumps(document())
    components = {
        f"#/components/{kind}/{name}"
        for kind, named in document()["components"].items()
        for name in named
        if kind != "securitySchemes"
    }

    assert {part.partition('"')[0] for part in text.split('"$ref": "')[1:]} == components


# --- Schemas ---


def test_executed_schemas_are_in_the_document() -> None:
    components = document()["components"]["schemas"]
    definitions: dict[str, Any] = {}
    for name, schema in yaml.safe_load(FILE.read_bytes())["components"]["schemas"].items():
        if schema.get("$ref", "").startswith("../"):
            executed = load_schema(name)
            assert schema["$ref"] == f"../schemas/{name}.json"
            assert components[name].get("required") == executed.get("required")
            assert list(components[name]["properties"]) == list(executed["properties"])
            for definition, found in executed.get("$defs", {}).items():
                assert definitions.setdefault(definition, found) == found
    assert definitions.keys() <= components.keys()


@pytest.mark.parametrize("name", document()["components"]["schemas"])
def test_schemas_are_valid(name: str) -> None:
    schema = document()["components"]["schemas"][name]

    assert meta.is_valid(schema)
    required = schema.get("required", [])
    assert [field for field in schema.get("properties", {}) if field in required] == required
    if name in SCHEMAS:
        assert list(schema["properties"])[: len(required)] == required


# --- Examples ---


def contents() -> Iterator[Any]:
    """Each body of a request or of an answer, with whether it has to have an example."""
    for name, (_, _, operation) in OPERATIONS.items():
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield pytest.param(content, True, id=f"{name} {media_type}")
        successes = [status for status in operation["responses"] if status.startswith("2")]
        first = next(iter(resolved(operation["responses"][successes[0]])["content"]))
        for status, response in operation["responses"].items():
            for media_type, content in resolved(response).get("content", {}).items():
                is_needed = status == successes[0] and media_type == first
                yield pytest.param(content, is_needed, id=f"{name} {status} {media_type}")


@pytest.mark.parametrize(("content", "is_needed"), list(contents()))
def test_examples_are_valid(content: dict[str, Any], is_needed: bool) -> None:
    examples = [example["value"] for example in content.get("examples", {}).values()]
    examples += [content["example"]] if "example" in content else []

    assert examples or not is_needed
    for example in examples:
        assert [error.message for error in validator_of(content["schema"]).iter_errors(example)] == []


def test_parameters_have_valid_examples() -> None:
    for _, _, operation in OPERATIONS.values():
        for parameter in parameters_of(operation).values():
            assert "example" in parameter or not parameter.get("required")
            if "example" in parameter:
                assert validator_of(parameter["schema"]).is_valid(parameter["example"])


# --- Limits and choices ---


def parameter(operation_id: str, name: str) -> dict[str, Any]:
    return parameters_of(OPERATIONS[operation_id][2])[name]


def choices(operation_id: str, name: str) -> set[str]:
    return set(parameter(operation_id, name)["schema"]["enum"])


def properties(component: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["schemas"][component]["properties"]
    return found


def test_choices_are_those_of_the_code() -> None:
    schemas = document()["components"]["schemas"]

    assert choices("register_deploy", "dry_run") == {*YES, *NO}
    assert choices("export_timeline", "format") == set(FORMATS)
    assert choices("export_timeline", "kind") == {kind for kind, _ in KINDS if kind}
    assert choices("list_deploys", "kind") == {kind for kind, _ in KINDS_OF_DEPLOYS if kind}
    assert choices("read_schema", "name") == set(SCHEMAS)
    assert schemas["change_type"]["enum"] == [*ChangeType.values, None]
    assert schemas["status"]["enum"] == Status.values
    assert properties("deploy")["health"]["enum"] == [*Health.values, None]
    assert list(properties("live_target")) == ["environment", "name", *FACTS]


def test_limits_are_those_of_the_code() -> None:
    assert document()["components"]["schemas"]["graphql_query"]["maxLength"] == MAX_QUERY_LENGTH
    assert parameter("register_deploy", "Idempotency-Key")["schema"]["maxLength"] == MAX_KEY_LENGTH
    assert parameter("list_deploys", "limit")["schema"]["maximum"] == read_api.MOST_A_PAGE


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (parameter("register_deploy", "Idempotency-Key"), f"for {settings.IDEMPOTENCY_KEY_HOURS} hours"),
        (parameter("list_deploys", "limit"), f"{queries.PAGE_SIZE} for lists in the order of time"),
        (parameter("list_deploys", "limit"), f"{read_api.PAGE_SIZE} for others"),
        (OPERATIONS["list_deploys"][2], f"{queries.PAGE_SIZE} a page"),
        (OPERATIONS["list_manual_changes"][2], f"{queries.PAGE_SIZE} a page"),
        (OPERATIONS["list_incidents"][2], f"{queries.PAGE_SIZE} a page"),
        (OPERATIONS["read_deploy"][2], f"the first {CHANGES_SHOWN} of"),
        (document()["components"]["schemas"]["deploy"], f"the first {CHANGES_SHOWN} of"),
        (properties("live_target")["behind"], f"at most {MOST_BEHIND}"),
        (OPERATIONS["import_deploys"][2], f"for {RESTORABLE.days} days"),
        (OPERATIONS["import_deploys"][2]["responses"]["400"], f"up to {MOST_LINES:,} of them"),
        (OPERATIONS["register_metric"][2], f"every {INTERVAL.seconds} seconds"),
        (OPERATIONS["register_metric"][2]["responses"]["429"], f"than {INTERVAL.seconds} seconds ago"),
        (OPERATIONS["sweetr_create_deployment"][2]["responses"]["429"], "100 a minute by default"),
    ],
)
def test_numbers_in_descriptions_are_those_of_the_code(part: dict[str, Any], words: str) -> None:
    assert words in part["description"]


def test_the_default_rate_limit_of_sweetr() -> None:
    assert settings.SWEETR_RATE_LIMIT == "100/m"


# --- The loader ---


def test_only_a_reader_of_the_document_loads_it() -> None:
    program = (
        "import django; django.setup(); import deployments.api_urls; from deployments.openapi.document import document;"
        "assert document.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
