"""Whatever comes as a file: an answer below 500, and not a row where it is no 200."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.models import Deploy
from tests.calls import BOUNDARY, MULTIPART, assert_sentence, bearer, call, count_rows
from tests.conftest import World
from tests.imports.importing import END, field_part, file_part, import_path
from tests.registration.test_any_body import EXAMPLES

pytestmark = pytest.mark.usefixtures("_no_limit")


@pytest.fixture
def _no_limit(settings: Any) -> None:
    settings.API_RATE_LIMIT = None


def check(ci: World, body: bytes, content_type: str = MULTIPART) -> int:
    before = count_rows()
    response = call(import_path(ci), body, content_type=content_type, headers=bearer(ci.secret))
    if response.status_code == 200:
        assert response.content == b"Success"
        assert Deploy.objects.exists()
        return 200
    assert response.status_code == 400, response.content
    assert_sentence(response)
    assert count_rows() == before
    return 400


PIECES = [
    b"sha,date\n", b"sha;date\r\n", b"sha,date,title,branch,email,author,first_commit_at\n", b"\xef\xbb\xbf", b'"',
    b",", b"\n", b"\r", b"\t", b"\0", b"\xff\xfe", b"\\", b"a", b"2024-05-01", b"2024-05-02T12:00:00Z", b"0001-01-01",
    b"9999-12-31T23:59:59-14:00", b"\\N", b"\\.", b"\xc3\xa9", b"\xed\xa0\x80", b"a,2024-05-01\n", b"b,2024-05-02\n",
    b"x" * 300, b"\xe2\x80\xae", b"\xc2\x85", b"a@b", b"{", b"%s",
]  # fmt: skip


@EXAMPLES
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=16))
def test_any_file(ci: World, pieces: list[bytes]) -> None:
    check(ci, file_part(b"".join(pieces)) + END)


@EXAMPLES
@given(
    st.lists(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5).map(str.encode)), max_size=8), max_size=5)
)
def test_any_rows(ci: World, lines: list[list[bytes]]) -> None:
    head = b"sha,date,title,branch,email,author,first_commit_at,environment\n"
    check(ci, file_part(head + b"\n".join(b",".join(cells) for cells in lines)) + END)


PARTS = [
    file_part("sha,date\na,2024-05-01\n"), file_part("sha,date\na,2024-05-01\n", file_name=""),
    file_part("", name="other"), field_part("csv_file", "sha,date\na,2024-05-01\n"),
    field_part("environment", "staging"),
    field_part("environment", b"\xff"), field_part("environment", "\0"), field_part("environment", "x" * 3000),
    field_part("api_key", "wrong"), END, f"--{BOUNDARY}".encode(), b"\r\n", b"--", b"Content-Disposition: form-data;",
    b'Content-Transfer-Encoding: base64\r\n', b'name="csv_file"; filename="\xff\0"',
]  # fmt: skip


@EXAMPLES
@given(st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=8)), max_size=8), st.booleans())
def test_any_body(ci: World, parts: list[bytes], is_ended: bool) -> None:
    check(ci, b"".join(parts) + END * is_ended)


@EXAMPLES
@given(
    st.binary(max_size=60), st.sampled_from(["", "multipart/form-data", "multipart/form-data; boundary=\xe9", "x/y"])
)
def test_any_label(ci: World, body: bytes, content_type: str) -> None:
    assert check(ci, body, content_type) == 400
