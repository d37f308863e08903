"""Whatever is asked of GraphQL and of the read API: an answer below 500 as documented, and nothing written."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.calls import bearer, call, count_rows
from tests.conftest import World
from tests.documented import assert_documented, read
from tests.factories import make_token
from tests.registration.test_any_body import EXAMPLES, any_text, anything, odd_text
from tokens.scopes import Scope

QUERY = (
    "query($o: String!, $d: String!, $e: String) "
    "{deployment(orgSlug: $o, deploymentSlug: $d) {... on CodeChangeSource {latestChange(environmentSlug: $e) {url}}}}"
)
MUTATION = (
    "mutation($o: String!, $d: String!, $s: String!, $h: String!) "
    "{setHealth(orgSlug: $o, deploymentSlug: $d, deploySlug: $s, health: $h) {success}}"
)
pieces = st.sampled_from(
    ["{", "}", "(", ")", "...", " on ", "Query", "fragment F", "deployment", "setHealth", "mutation ", "__schema",
     'orgSlug:"acme"', "$x", "@skip(if:true)", "#", '"""', "\\u0000", "[", ":", "1e400", "!", "|", "a:b "]
)  # fmt: skip
some = st.one_of(any_text, odd_text, st.sampled_from(["acme", "storefront", "production", "1", "AILING"]))


@pytest.fixture(autouse=True)
def _no_limit(settings: Any) -> None:
    settings.API_RATE_LIMIT = None


def check(ci: World, body: Any) -> None:
    before = count_rows()
    answer = call("/graphql", json.dumps(body), headers=bearer(ci.secret))
    assert answer.status_code in (200, 400), answer.content
    assert_documented("/graphql", answer, "post")
    assert count_rows() == before


@EXAMPLES
@given(st.lists(st.one_of(pieces, any_text), max_size=15).map("".join), anything)
def test_any_query(ci: World, query: str, variables: Any) -> None:
    check(ci, {"query": query, "variables": variables})


@EXAMPLES
@given(
    st.sampled_from([QUERY, MUTATION]),
    st.fixed_dictionaries({}, optional={name: st.one_of(some, anything) for name in "odesh"}),
)
def test_any_variables(ci: World, query: str, variables: Any) -> None:
    check(ci, {"query": query, "variables": {"o": "acme", "d": "storefront", **variables}})


PARAMETERS = (
    *("q", "kind", "environment", "project", "deployment", "author", "tag", "sha", "since", "until", "cursor"),
    *("source", "state"),
)
LISTS = ("deploys", "projects", "environments", "deployments", "manual-changes", "incidents")


@EXAMPLES
@given(st.sampled_from(LISTS), st.sampled_from(PARAMETERS), some)
def test_any_parameter(ci: World, path: str, name: str, value: str) -> None:
    secret = make_token(ci.organization, Scope.READ)[1]
    text = quote(value.encode("utf-8", "surrogatepass"))
    assert read(f"/api/1/organizations/acme/{path}?{name}={text}", secret).status_code in (200, 400)


@EXAMPLES
@given(some.filter(lambda text: text.strip("/.") == text != ""))
def test_any_sha(ci: World, sha: str) -> None:
    secret = make_token(ci.organization, Scope.READ)[1]
    text = quote(sha.encode("utf-8", "surrogatepass"))
    assert read(f"/api/1/organizations/acme/commits/{text}", secret).status_code in (400, 404)
