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
    assert list(EXPLAINED_SCOPES) == list(Scope)


def test_a_provisioning_file_may_name_each_scope() -> None:
    assert load_schema("provision")["$defs"]["token"]["properties"]["scopes"]["items"]["enum"] == Scope.values


def test_the_column_holds_all_scopes_and_its_help_names_them() -> None:
    column = AccessToken._meta.get_field("scopes")

    assert set(re.findall(r"[A-Z_]{3,}", str(column.help_text))) == set(Scope.values)
    assert len(",".join(Scope.values)) <= (column.max_length or 0)


def test_the_document_names_each_scope() -> None:
    """But for ALL, which stands for the others."""
    words = " ".join(tag["description"] for tag in document()["tags"])

    assert set(re.findall(r"scope ([A-Z_]+)", words)) == {*Scope.values} - {Scope.ALL.value}


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_the_group_of_an_operation_names_its_scope(operation_id: str) -> None:
    view: Any = resolve(path_of(operation_id)).func
    # A view that several wire formats share gets its scope with its route.
    options = getattr(view, "initkwargs", {})
    scope = options.get("required_scope") or getattr(getattr(view, "cls", None), "required_scope", None)
    (tag,) = OPERATIONS[operation_id][2]["tags"]
    (words,) = (known["description"] for known in document()["tags"] if known["name"] == tag)

    assert scope is None or f"scope {scope.value}" in words, view
