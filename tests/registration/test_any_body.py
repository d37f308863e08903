"""Whatever the body: an answer below 500, and not a row where it is no 200."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.calls import FORM, JSON, MULTIPART, SHA, assert_sentence, bearer, call, count_rows, multipart
from tests.conftest import World

EXAMPLES = settings(
    deadline=None,
    database=None,
    # The world is the same for all examples, which is what is wanted.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = pytest.mark.usefixtures("_no_limit")


@pytest.fixture
def _no_limit(settings: Any) -> None:
    settings.API_RATE_LIMIT = None


# Surrogates and NUL included; json.dumps() escapes them.
any_text = st.text(st.characters(codec=None), max_size=20)
odd_text = st.sampled_from(
    ["", " ", "\0", "\ud800", "javascript:x", "https://example.com", "2024-05-01", "9999-12-31T23:59:59-14:00", "#tag",
     "staging", "true", "a@b", "x" * 300, "x" * 5000, "git@a:b", "k=http://b.c", "é", "\u202e", "0", SHA]
)  # fmt: skip
odd_number = st.sampled_from([0, -1, 1.5, 2**31, 2**63, 2**64, 10**400, 1e300, float("inf"), float("nan"), True, False])
scalar = st.one_of(st.none(), any_text, odd_text, odd_number, st.integers(), st.floats())
anything = st.recursive(
    scalar, lambda below: st.lists(below, max_size=4) | st.dictionaries(any_text, below, max_size=4), max_leaves=10
)


def nearly(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these members, of which now and then one is anything."""
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(value, value, value, anything) for name, value in members.items()}
    )


def lists_of(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=3)


name = st.one_of(st.just(SHA), any_text, odd_text)
date = st.one_of(st.datetimes().map(lambda moment: moment.isoformat()), odd_text)
count = st.one_of(st.integers(0, 100), odd_number)
author = nearly(name=name, email=name, username=name)
commit = nearly(
    revision=name, message=name, author=author, date=date, files=lists_of(name), parents=lists_of(name), url=name
)
file = nearly(path=name, additions=count, deletions=count, url=name)
pull = nearly(
    number=st.one_of(count, name), title=name, url=name, branch=name, author=name, created_at=date,
    first_review_at=date, merged_at=date, issue_keys=lists_of(name),
)  # fmt: skip
registration = nearly(
    sha=name,
    environment=st.one_of(st.sampled_from(["", "staging", "Production"]), name),
    date=date,
    branch=name,
    name=name,
    description=name,
    author=name,
    tags=st.one_of(name, lists_of(st.sampled_from(["#a", "#b-1,#c"])), lists_of(name)),
    ignore_if_duplicate=st.sampled_from(["true", "false", True, False, ""]),
    email=name,
    links=st.one_of(name, st.dictionaries(name, st.just("https://example.com/"), max_size=3)),
    commits=lists_of(commit),
    files=lists_of(file),
    pull_requests=lists_of(pull),
    api_key=name,
)


def check(ci: World, body: bytes, content_type: str | None, query: str = "") -> None:
    """Post it to both endpoints whose bodies are alike."""
    for path, refusals in ((ci.path, (400,)), (ci.manual_path, (400, 422))):
        before = count_rows()
        response = call(path + query, body, content_type=content_type, headers=bearer(ci.secret))
        if response.status_code == 200:
            assert response.content == b"Success"
            continue
        assert response.status_code in refusals, response.content
        assert_sentence(response)
        assert count_rows() == before


@EXAMPLES
@given(registration)
def test_json_that_is_nearly_right(ci: World, fields: dict[str, Any]) -> None:
    check(ci, json.dumps({"sha": "a", "name": "a", **fields}).encode(), JSON)


@EXAMPLES
@given(anything)
def test_any_json(ci: World, value: Any) -> None:
    check(ci, json.dumps(value).encode(), JSON)


@EXAMPLES
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sha", "name", "environment", "date", "tags", "links", "email", "x"]),
            st.binary(max_size=20),
        )
    ),
    st.booleans(),
)
def test_any_form(ci: World, pairs: list[tuple[str, bytes]], in_query: bool) -> None:
    form = "&".join(f"{key}={quote_from_bytes(value)}" for key, value in pairs)
    if in_query:
        check(ci, b"", None, f"?{form}")
    else:
        check(ci, form.encode(), FORM)


@EXAMPLES
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sha", "name", "environment", "tags", "x", 'a"; filename="b']), st.binary(max_size=20)
        )
    )
)
def test_any_multipart(ci: World, parts: list[tuple[str, bytes]]) -> None:
    check(ci, multipart(*parts), MULTIPART)


LABELS = [
    JSON,
    FORM,
    MULTIPART,
    None,
    "text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=cp1252",
]
PIECES = [
    b'{"sha":"a"',
    b'{"name":"a"',
    b"}",
    b'"',
    b"sha=a",
    b"&",
    b"--",
    b"\r\n",
    b"\\u",
    b"\xff",
    b"\0",
    b"[",
    b",",
    b"%",
    b"\xef\xbb\xbf",
]


@EXAMPLES
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=12), st.sampled_from(LABELS))
def test_any_bytes(ci: World, pieces: list[bytes], content_type: str | None) -> None:
    check(ci, b"".join(pieces), content_type)


@EXAMPLES
@given(st.binary(max_size=40), st.sampled_from(["", "Bearer ", "apikey ", "Basic ", "Digest ", "bearer"]))
def test_any_authorization(ci: World, credentials: bytes, scheme: str) -> None:
    before = count_rows()
    headers = {"Authorization": scheme + credentials.decode("latin-1")}
    response = call(ci.path, b'{"sha": "a"}', headers=headers)
    assert response.status_code == 401
    assert_sentence(response)
    assert count_rows() == before


@EXAMPLES
@given(st.binary(max_size=30))
def test_any_segment(ci: World, segment: bytes) -> None:
    before = count_rows()
    path = f"/api/1/deployments/acme/{quote_from_bytes(segment, safe='')}/register_deploy"
    response = call(path, b'{"sha": "a"}', headers=bearer(ci.secret))
    assert response.status_code in (401, 404)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().isprintable()
    assert count_rows() == before
