"""Whatever the body of a report: an answer below 500, and not a row where it is no 200."""

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.models import ImpactKind, ImpactSource
from tests.calls import FORM, JSON, MULTIPART, assert_sentence, count_rows, multipart
from tests.conftest import World
from tests.impacts.reporting import Reporter, make_reporter
from tests.registration.test_any_body import EXAMPLES, LABELS, PIECES, anything, date, name, nearly, odd_number

KINDS = pytest.mark.parametrize("kind", list(ImpactKind))


@pytest.fixture
def reporter(ci: World, kind: ImpactKind, settings: Any) -> Reporter:
    settings.API_RATE_LIMIT = None
    return make_reporter(ci, kind)


type_ = st.one_of(st.sampled_from(["triggered", "resolved", "reopened", "Resolved "]), name)
report = nearly(
    type=type_,
    id=st.one_of(st.integers(), name),
    date=date,
    ended_date=date,
    title=name,
    url=name,
    value=st.one_of(st.floats(), st.integers(), odd_number, name),
    api_key=name,
)


def check(reporter: Reporter, body: bytes, content_type: str | None, query: str = "") -> None:
    ImpactSource.objects.update(last_value_at=None)
    before = count_rows()
    response = reporter.send(body, content_type, path=reporter.path + query)
    if response.status_code == 200:
        assert response.content == b"Success"
        return
    assert response.status_code == 400, response.content
    assert_sentence(response)
    assert count_rows() == before


@KINDS
@EXAMPLES
@given(report)
def test_json_that_is_nearly_right(reporter: Reporter, fields: dict[str, Any]) -> None:
    check(reporter, json.dumps({"type": "triggered", "value": 1, **fields}).encode(), JSON)


@KINDS
@EXAMPLES
@given(anything)
def test_any_json(reporter: Reporter, value: Any) -> None:
    check(reporter, json.dumps(value).encode(), JSON)


FIELDS = st.sampled_from(["type", "id", "date", "ended_date", "title", "url", "value", "x"])


@KINDS
@EXAMPLES
@given(st.lists(st.tuples(FIELDS, st.one_of(st.just(b"triggered"), st.binary(max_size=20)))), st.booleans())
def test_any_form(reporter: Reporter, pairs: list[tuple[str, bytes]], in_query: bool) -> None:
    form = "&".join(f"{key}={quote_from_bytes(value)}" for key, value in pairs)
    if in_query:
        check(reporter, b"", None, f"?{form}")
    else:
        check(reporter, form.encode(), FORM)
        check(reporter, multipart(*pairs), MULTIPART)


@KINDS
@EXAMPLES
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=12), st.sampled_from(LABELS))
def test_any_bytes(reporter: Reporter, pieces: list[bytes], content_type: str | None) -> None:
    check(reporter, b"".join(pieces), content_type)


@pytest.mark.parametrize("kind", [ImpactKind.INCIDENT])
@EXAMPLES
@given(st.binary(max_size=30))
def test_any_token_in_the_path(reporter: Reporter, segment: bytes) -> None:
    before = count_rows()
    response = reporter.send('{"type": "triggered"}', path=f"{reporter.path}/x{quote_from_bytes(segment, safe='')}")
    assert response.status_code in (401, 404)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert count_rows() == before


@KINDS
@EXAMPLES
@given(st.binary(max_size=30))
def test_any_source_in_the_path(reporter: Reporter, segment: bytes) -> None:
    last = reporter.path.split("/")[-2]
    path = f"/x{quote_from_bytes(segment, safe='')}/".join(reporter.path.rsplit(f"/{last}/", 1))
    response = reporter.send('{"type": "triggered", "value": 1}', path=path)
    assert response.status_code == 404
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().isprintable()
