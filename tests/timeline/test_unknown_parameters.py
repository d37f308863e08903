"""A parameter that a call of the read API does not have is rejected by its name, and not ignored."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.calls import assert_sentence, bearer, call
from tests.conftest import World
from tests.openapi.test_document import OPERATIONS, parameters_of

READING = [name for name, (_, method, operation) in OPERATIONS.items() if operation["tags"] == ["Reading"]]


@pytest.fixture
def paths(ci: World, reader: str) -> dict[str, str]:
    """Of what is there, by the name of the operation."""
    deploy = ci.register(sha="abcd").headers["X-Deploy-Id"]
    change = ci.record(name="Resize").headers["X-Manual-Change-Id"]
    known = {"organization": "acme", "deploy_id": deploy, "change_id": change, "sha": "abcd"}
    return {name: OPERATIONS[name][0].format(**known) for name in READING}


def ask(path: str, secret: str, query: str) -> Any:
    return call(f"{path}?{query}", method="GET", content_type=None, headers=bearer(secret))


@pytest.mark.parametrize("name", READING)
def test_each_call_takes_what_the_document_has_and_nothing_else(paths: dict[str, str], reader: str, name: str) -> None:
    parameters = parameters_of(OPERATIONS[name][2]).values()
    documented = {item["name"] for item in parameters if item["in"] == "query"}
    sentence = assert_sentence(ask(paths[name], reader, "page=1"))

    assert sentence.startswith("This call has no parameter 'page': it takes ")
    taken = sentence.removesuffix(".").split("it takes ")[1].split(", ")
    assert set(taken) == (documented or {"none"})
    for parameter in ("page=", "deployment[]=d", "Limit=1", "limit[]=1", "%20format=csv", "live=true", "%00=1", "=1"):
        assert ask(paths[name], reader, parameter).status_code == 400, parameter
    for parameter in ("", *(f"{taken}=" for taken in documented)):
        assert ask(paths[name], reader, parameter).status_code == 200, parameter
    assert call(f"{paths[name]}?api_key={reader}", method="GET", content_type=None).status_code == 200


def test_who_may_not_read_is_told_that(ci: World, paths: dict[str, str]) -> None:
    for path in paths.values():
        assert ask(path, "gum_wrong", "page=1").status_code == 401
        assert ask(path, ci.secret, "page=1").status_code == 403


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_name(paths: dict[str, str], reader: str, name: str) -> None:
    answer = ask(paths["read_live"], reader, f"{quote(name)}=1")

    assert answer.status_code == (400 if name != "api_key" else 401)
    assert_sentence(answer)
