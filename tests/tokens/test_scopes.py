"""A scope stands in several places: a new one fails here until it is in all of them."""

import re
from typing import Any

import pytest
from django.urls import resolve

from deployments.access_tokens.forms import EXPLAINED_SCOPES
from deployments.api.schemas import load_schema
from deployments.openapi.document import document
from tests.openapi.test_document import OPERATIONS, path_of
from tokens.models import AccessToken
from tokens.scopes import Scope


def test_the_form_explains_each_scope() -> None:
    assert list(EXPLAINED_SCOPES) == list(Scope), "EXPLAINED_SCOPES in deployments/access_tokens/forms.py"


def test_a_provisioning_file_may_name_each_scope() -> None:
    assert load_schema("provision")["$defs"]["token"]["properties"]["scopes"]["items"]["enum"] == Scope.values, (
        "deployments/schemas/provision.json"
    )


def test_the_column_holds_all_scopes_and_its_help_names_them() -> None:
    column = AccessToken._meta.get_field("scopes")

    assert set(re.findall(r"[A-Z_]{3,}", str(column.help_text))) == set(Scope.values), "tokens/models.py"
    assert len(",".join(Scope.values)) <= (column.max_length or 0)


def scope_of(operation_id: str) -> Scope | None:
    view: Any = resolve(path_of(operation_id)).func
    # A view that several wire formats share gets its scope with its route.
    options = getattr(view, "initkwargs", {})
    return options.get("required_scope") or getattr(getattr(view, "cls", None), "required_scope", None)


def test_the_document_names_the_scopes_of_its_operations() -> None:
    words = " ".join(tag["description"] for tag in document()["tags"])
    used = {scope.value for operation_id in OPERATIONS if (scope := scope_of(operation_id))}

    assert set(re.findall(r"scope ([A-Z_]+)", words)) == used, "the descriptions of tags in openapi.yaml"


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_the_group_of_an_operation_names_its_scope(operation_id: str) -> None:
    scope = scope_of(operation_id)
    (tag,) = OPERATIONS[operation_id][2]["tags"]
    (words,) = (known["description"] for known in document()["tags"] if known["name"] == tag)

    assert scope is None or f"scope {scope.value}" in words, operation_id
