"""Whatever the body of a Sweetr deployment, a Terraform notification or a dry run: an answer below 500, and not a row
where it is none of success."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.calls import FORM, JSON, MULTIPART, SHA, assert_sentence, bearer, call, count_rows, multipart
from tests.conftest import World
from tests.registration.test_any_body import (
    EXAMPLES,
    LABELS,
    PIECES,
    any_text,
    anything,
    date,
    lists_of,
    name,
    nearly,
    registration,
)
from tests.registration.test_sweetr import PATH, REQUIRED


@pytest.fixture(autouse=True)
def _no_limit(settings: Any) -> None:
    settings.API_RATE_LIMIT = settings.SWEETR_RATE_LIMIT = None


text = st.one_of(any_text, name, st.text(min_size=60, max_size=300))
deployment = nearly(**dict.fromkeys(REQUIRED, text), description=text, author=text, deployedAt=date, monorepoPath=text)
yes_or_no = st.sampled_from(["", "?dry_run=1", "?dry_run=0", "?dry_run=maybe"])
run = nearly(
    payload_version=st.sampled_from([1, 2, "1"]),
    run_id=st.one_of(st.just("run-vnWnJSpBcUFUTaVJ"), text),
    run_url=text,
    run_message=text,
    run_created_by=text,
    environment=st.one_of(st.just("staging"), text),
    notifications=lists_of(
        nearly(trigger=st.sampled_from(["run:completed", "run:completed", "verification"]), run_updated_at=date)
    ),
)


def check_sweetr(ci: World, body: bytes, content_type: str | None, query: str = "") -> None:
    before = count_rows()
    answer = call(PATH + query, body, content_type=content_type, headers=bearer(ci.secret))
    assert answer.headers["Content-Type"] == "application/json"
    if answer.status_code == 202:
        assert answer.content == b'{"status": 202}'
        return
    assert count_rows() == before
    if answer.status_code == 200:
        assert answer.json()["dry_run"] is True
        return
    assert answer.status_code in (400, 422), answer.content
    error = answer.json()
    assert error["statusCode"] == answer.status_code
    assert error["error"].endswith(".")
    assert bool(error["validationErrors"]) == (answer.status_code == 422)


def check_register(ci: World, body: bytes, content_type: str | None, query: str = "") -> None:
    before = count_rows()
    answer = call(ci.path + query, body, content_type=content_type, headers=bearer(ci.secret))
    if answer.status_code == 200 and answer.content == b"Success":
        return
    assert count_rows() == before
    if answer.status_code == 200:
        assert answer.json()["dry_run"] is True
    else:
        assert answer.status_code == 400, answer.content
        assert_sentence(answer)


@EXAMPLES
@given(deployment, yes_or_no)
def test_a_deployment_that_is_nearly_right(ci: World, fields: dict[str, Any], query: str) -> None:
    check_sweetr(ci, json.dumps(REQUIRED | fields).encode(), JSON, query)


@EXAMPLES
@given(anything)
def test_any_json(ci: World, value: Any) -> None:
    check_sweetr(ci, json.dumps(value).encode(), JSON)


pairs = st.lists(st.tuples(st.sampled_from([*REQUIRED, "deployedAt", "dry_run", "x"]), st.binary(max_size=20)))


@EXAMPLES
@given(pairs, st.booleans())
def test_any_form(ci: World, pairs: list[tuple[str, bytes]], in_query: bool) -> None:
    form = "&".join(f"{key}={quote_from_bytes(value)}" for key, value in pairs)
    if in_query:
        check_sweetr(ci, b"", None, f"?{form}")
    else:
        check_sweetr(ci, form.encode(), FORM)


@EXAMPLES
@given(pairs)
def test_any_multipart(ci: World, parts: list[tuple[str, bytes]]) -> None:
    check_sweetr(ci, multipart(*parts), MULTIPART)


@EXAMPLES
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=12), st.sampled_from(LABELS))
def test_any_bytes(ci: World, pieces: list[bytes], content_type: str | None) -> None:
    check_sweetr(ci, b"".join(pieces), content_type)


@EXAMPLES
@given(st.binary(max_size=40))
def test_any_bare_key(ci: World, key: bytes) -> None:
    before = count_rows()
    answer = call(PATH, json.dumps(REQUIRED), headers={"Authorization": key.decode("latin-1")})
    assert (answer.status_code, answer.json()["statusCode"]) == (401, 401)
    assert count_rows() == before


@EXAMPLES
@given(run, yes_or_no)
def test_a_notification_that_is_nearly_right(ci: World, fields: dict[str, Any], query: str) -> None:
    check_register(ci, json.dumps({"payload_version": 1, **fields}).encode(), JSON, query)


@EXAMPLES
@given(registration)
def test_a_dry_run_of_a_call_that_is_nearly_right(ci: World, fields: dict[str, Any]) -> None:
    before = count_rows()
    check_register(ci, json.dumps({"sha": SHA, **fields}).encode(), JSON, "?dry_run=1")
    assert count_rows() == before
